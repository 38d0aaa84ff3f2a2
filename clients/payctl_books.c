/*
 * Commands of payctl that look at the books: what a card or a merchant has, and
 * whether all accounts together are zero.
 */
#include "payctl.h"

#include <stdio.h>
#include <string.h>

/* -- balance --------------------------------------------------------------- */

static void
print_balances_json(const Payment__V1__GetBalanceReply *reply)
{
    struct output_json json;
    size_t i;

    for (i = 0; i < reply->n_balances; i++) {
        output_json_begin(&json);
        payctl_json_money(&json, "posted", reply->balances[i]->posted);
        payctl_json_money(&json, "held", reply->balances[i]->held);
        payctl_json_money(&json, "available", reply->balances[i]->available);
        output_json_end(&json);
        (void)putchar('\n');
    }
}

static bool
print_balances(const Payment__V1__GetBalanceReply *reply)
{
    static const char *const headings[] = {"POSTED", "HELD", "AVAILABLE"};
    struct output_table table;
    size_t i;
    size_t k;

    output_table_init(&table, headings, 3);
    for (i = 0; i < 3; i++) {
        output_table_right(&table, i);
    }
    for (i = 0; i < reply->n_balances; i++) {
        const Payment__V1__Balance *balance = reply->balances[i];
        const Payment__V1__Money *cells[] = {balance->posted, balance->held,
                                             balance->available};

        for (k = 0; k < 3; k++) {
            char amount[MONEY_AMOUNT_SIZE];

            payctl_amount(cells[k], amount);
            output_table_text(&table, amount);
        }
    }
    return output_table_end(&table);
}

int
payctl_balance(struct cli *cli, int argc, char **argv)
{
    Payment__V1__GetBalanceRequest request =
        PAYMENT__V1__GET_BALANCE_REQUEST__INIT;
    const Payment__V1__GetBalanceReply *reply = NULL;
    Payment__V1__Card message = PAYMENT__V1__CARD__INIT;
    struct card card = {0};
    int exit_code = 0;

    if (argc == 1 && payctl_options.merchant != NULL) {
        return cli_usage(cli, "NUMBER and --merchant exclude each other");
    }
    request.of_case = PAYMENT__V1__GET_BALANCE_REQUEST__OF_MERCHANT;
    request.merchant =
        payctl_options.merchant != NULL ? payctl_options.merchant : "";
    if (argc == 1) {
        exit_code = card_read(cli, argv[0], NULL, &card);
        message.number = card.number;
        request.of_case = PAYMENT__V1__GET_BALANCE_REQUEST__OF_CARD;
        request.card = &message;
    }
    if (exit_code == 0 && cli_connect(cli, &exit_code)) {
        exit_code = 0;
        if (payment_get_balance(cli->call, &request, &reply) != RPCRT_OK) {
            exit_code = cli_call_failed(cli);
        } else if (cli->json) {
            print_balances_json(reply);
        } else if (!print_balances(reply)) {
            exit_code = cli_fail(cli, "out of memory");
        }
    }
    card_clear(&card);
    return exit_code;
}

/* -- books ----------------------------------------------------------------- */

#define CURRENCIES_MAX 64u

/* What all accounts of a currency have. */
struct sum {
    char currency[8];
    int64_t posted;
    int64_t held;
    uint64_t n_accounts;
};

struct books {
    struct sum sums[CURRENCIES_MAX];
    size_t n_sums;
    struct output_table table;
};

/* The sum of a currency; NULL if there are too many. */
static struct sum *
sum_find(struct books *books, const char *currency)
{
    struct sum *sum;
    size_t i;

    for (i = 0; i < books->n_sums; i++) {
        if (strcmp(books->sums[i].currency, currency) == 0) {
            return &books->sums[i];
        }
    }
    if (i == CURRENCIES_MAX || strlen(currency) >= sizeof(sum->currency)) {
        return NULL;
    }
    sum = &books->sums[books->n_sums++];
    *sum = (struct sum){.n_accounts = 0};
    memcpy(sum->currency, currency, strlen(currency) + 1);
    return sum;
}

static const char *
kind_name(const Payment__V1__Account *account)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
        &payment__v1__account__kind__descriptor, (int)account->kind);

    return value != NULL ? value->name : "?";
}

static void
print_account_json(const Payment__V1__Account *account)
{
    struct output_json json;

    output_json_begin(&json);
    output_json_text(&json, "id", account->id);
    output_json_text(&json, "kind", kind_name(account));
    output_json_text(&json, "owner", account->owner);
    payctl_json_money(&json, "posted", account->posted);
    payctl_json_money(&json, "held", account->held);
    output_json_end(&json);
    (void)putchar('\n');
}

static void
print_account(struct books *books, const Payment__V1__Account *account)
{
    char amount[MONEY_AMOUNT_SIZE];

    output_table_text(&books->table, kind_name(account));
    output_table_text(&books->table, account->owner);
    payctl_amount(account->posted, amount);
    output_table_text(&books->table, amount);
    payctl_amount(account->held, amount);
    output_table_text(&books->table, amount);
}

static int
account_add(const struct cli *cli, struct books *books,
            const Payment__V1__Account *account)
{
    struct sum *sum = account->posted == NULL
                          ? NULL
                          : sum_find(books, account->posted->currency);

    if (sum == NULL ||
        __builtin_add_overflow(sum->posted, account->posted->minor,
                               &sum->posted) ||
        (account->held != NULL &&
         __builtin_add_overflow(sum->held, account->held->minor, &sum->held))) {
        return cli_fail(cli, "account %s can't be added up", account->id);
    }
    sum->n_accounts++;
    if (cli->json) {
        print_account_json(account);
    } else {
        print_account(books, account);
    }
    return 0;
}

/* All pages of accounts. */
static int
books_read(struct cli *cli, struct books *books)
{
    Payment__V1__ListAccountsRequest request =
        PAYMENT__V1__LIST_ACCOUNTS_REQUEST__INIT;
    const Payment__V1__ListAccountsReply *reply = NULL;
    char token[CLI_PAGE_TOKEN_SIZE] = "";
    size_t i;

    do {
        request.page_token = token;
        request.page_size = 500;
        if (payment_list_accounts(cli->call, &request, &reply) != RPCRT_OK) {
            return cli_call_failed(cli);
        }
        for (i = 0; i < reply->n_accounts; i++) {
            int exit_code = account_add(cli, books, reply->accounts[i]);

            if (exit_code != 0) {
                return exit_code;
            }
        }
        if (!cli_page_keep(cli, reply->next_page_token, token)) {
            return CLI_EXIT_FAILED;
        }
    } while (token[0] != '\0');
    return 0;
}

/* Print the sums; 0 if all are zero. */
static int
sums_print(const struct cli *cli, struct books *books)
{
    int exit_code = 0;
    size_t i;

    for (i = 0; i < books->n_sums; i++) {
        const struct sum *sum = &books->sums[i];
        char posted[MONEY_TEXT_SIZE];
        char held[MONEY_TEXT_SIZE];
        struct output_json json;

        money_write(sum->posted, sum->currency, posted);
        money_write(sum->held, sum->currency, held);
        if (cli->json) {
            output_json_begin(&json);
            output_json_text(&json, "sum", sum->currency);
            output_json_signed(&json, "posted", sum->posted);
            output_json_signed(&json, "held", sum->held);
            output_json_number(&json, "accounts", sum->n_accounts);
            output_json_end(&json);
            (void)putchar('\n');
        } else {
            (void)printf("%s: %llu accounts, sum %s, held %s\n", sum->currency,
                         (unsigned long long)sum->n_accounts, posted, held);
        }
        if (sum->posted != 0) {
            exit_code = cli_fail(
                cli, "the books are wrong: all accounts together have %s %s",
                posted, sum->currency);
        }
    }
    return exit_code;
}

int
payctl_books(struct cli *cli, int argc, char **argv)
{
    static const char *const headings[] = {"KIND", "OWNER", "POSTED", "HELD"};
    struct books books = {.n_sums = 0};
    int exit_code = 0;

    (void)argc;
    (void)argv;
    if (!cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    if (!cli->json) {
        output_table_init(&books.table, headings, 4);
        output_table_right(&books.table, 2);
        output_table_right(&books.table, 3);
    }
    exit_code = books_read(cli, &books);
    if (!cli->json && !output_table_end(&books.table) && exit_code == 0) {
        exit_code = cli_fail(cli, "out of memory");
    }
    return exit_code != 0 ? exit_code : sums_print(cli, &books);
}
