/*
 * Commands of petctl for buying: the cart, checkout, and what became of orders.
 */
#include "card.h"
#include "petctl.h"

#include <rpcrt/details.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PAUSE_MS_MIN 100u
#define PAUSE_MS_MAX 1000u

/* -- cart ------------------------------------------------------------------ */

static int
print_cart(const struct cli *cli, const Petstore__V1__Cart *cart)
{
    struct output_json json;
    struct output_table table;
    char total[MONEY_AMOUNT_SIZE];
    size_t i;

    if (cart == NULL) {
        return cli_fail(cli, "%s: a reply without a cart", cli->address);
    }
    if (cli->json) {
        output_json_begin(&json);
        output_json_name(&json, "pets");
        (void)putchar('[');
        for (i = 0; i < cart->n_pets; i++) {
            (void)fputs(i > 0 ? "," : "", stdout);
            petctl_json_pet(cart->pets[i]);
        }
        (void)putchar(']');
        petctl_json_money(&json, "total", cart->total);
        output_json_end(&json);
        (void)putchar('\n');
        return 0;
    }
    petctl_pets_init(&table);
    for (i = 0; i < cart->n_pets; i++) {
        petctl_pets_add(&table, cart->pets[i]);
    }
    if (!output_table_end(&table)) {
        return cli_fail(cli, "out of memory");
    }
    petctl_amount(cart->total, total);
    (void)printf("total %s\n", total);
    return 0;
}

static int
cart_add(struct cli *cli, int n, char **pet_ids)
{
    Petstore__V1__AddToCartRequest request =
        PETSTORE__V1__ADD_TO_CART_REQUEST__INIT;
    const Petstore__V1__AddToCartReply *reply = NULL;
    int i;

    for (i = 0; i < n; i++) {
        request.pet_id = pet_ids[i];
        if (petstore_add_to_cart(cli->call, &request, &reply) != RPCRT_OK) {
            return cli_call_failed(cli);
        }
    }
    return print_cart(cli, reply->cart);
}

static int
cart_remove(struct cli *cli, int n, char **pet_ids)
{
    Petstore__V1__RemoveFromCartRequest request =
        PETSTORE__V1__REMOVE_FROM_CART_REQUEST__INIT;
    const Petstore__V1__RemoveFromCartReply *reply = NULL;
    int i;

    for (i = 0; i < n; i++) {
        request.pet_id = pet_ids[i];
        if (petstore_remove_from_cart(cli->call, &request, &reply) !=
            RPCRT_OK) {
            return cli_call_failed(cli);
        }
    }
    return print_cart(cli, reply->cart);
}

static int
cart_show(struct cli *cli)
{
    Petstore__V1__GetCartRequest request = PETSTORE__V1__GET_CART_REQUEST__INIT;
    const Petstore__V1__GetCartReply *reply = NULL;

    return petstore_get_cart(cli->call, &request, &reply) == RPCRT_OK
               ? print_cart(cli, reply->cart)
               : cli_call_failed(cli);
}

int
petctl_cart(struct cli *cli, int argc, char **argv)
{
    const char *what = argc > 0 ? argv[0] : "show";
    bool show = strcmp(what, "show") == 0;
    bool add = strcmp(what, "add") == 0;
    int exit_code = 0;

    if (show ? argc > 1 : argc < 2 || (!add && strcmp(what, "remove") != 0)) {
        return cli_usage(cli, "usage: %s cart [show|add PET...|remove PET...]",
                         cli->program);
    }
    if (!cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    if (show) {
        return cart_show(cli);
    }
    return add ? cart_add(cli, argc - 1, argv + 1)
               : cart_remove(cli, argc - 1, argv + 1);
}

/* -- checkout -------------------------------------------------------------- */

static void
pause_ms(uint64_t ms)
{
    const struct timespec time = {(time_t)(ms / 1000),
                                  (long)(ms % 1000) * 1000000};

    (void)nanosleep(&time, NULL);
}

/* Make the call, and again with the same key while there is no answer and
 * --timeout lasts: it is one purchase. Not again if nothing was ever done. */
static enum rpcrt_code
checkout_try(struct cli *cli, const Petstore__V1__CheckoutRequest *request,
             const Petstore__V1__CheckoutReply **ret_reply)
{
    uint64_t end_ms = cli_now_ms() + cli->timeout_ms;
    uint64_t wait_ms = PAUSE_MS_MIN;
    bool begun = false;
    enum rpcrt_code code;

    for (;;) {
        uint64_t at_ms = cli_now_ms();

        rpcrt_call_set_timeout(cli->call,
                               at_ms < end_ms ? (uint32_t)(end_ms - at_ms) : 1);
        code = petstore_checkout(cli->call, request, ret_reply);
        begun = begun || rpcrt_call_may_have_run(cli->call);
        if (code == RPCRT_OK || !begun || !cli_failure_is_passing(cli->call) ||
            cli_now_ms() + wait_ms >= end_ms) {
            return code;
        }
        pause_ms(wait_ms);
        wait_ms = wait_ms * 2 < PAUSE_MS_MAX ? wait_ms * 2 : PAUSE_MS_MAX;
    }
}

/* Why there was no sale, and what can be done. */
static int
checkout_failed(const struct cli *cli, const char *key)
{
    struct rpcrt_error_info info;
    const char *order_id;
    char text[CLI_FAILURE_SIZE];

    if (!rpcrt_call_error_info(cli->call, &info)) {
        return cli_call_failed_key(cli, key);
    }
    cli_failure_text(cli, cli->call, text);
    order_id = rpcrt_error_info_get(&info, "order_id");
    if (order_id == NULL || strcmp(info.reason, "ORDER_CANCELLED") == 0) {
        (void)cli_fail(cli, "refused: %s", text);
    } else {
        (void)cli_fail(cli, "declined: %s", text);
        (void)cli_fail(cli,
                       "nothing was charged; the pets are kept for a while, "
                       "for another card: --order %s",
                       order_id);
    }
    return CLI_EXIT_STATUS + (int)rpcrt_call_code(cli->call);
}

static int
checkout_run(struct cli *cli, Petstore__V1__CheckoutRequest *request)
{
    const Petstore__V1__CheckoutReply *reply = NULL;
    int exit_code = 0;

    if (!cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    if (checkout_try(cli, request, &reply) != RPCRT_OK) {
        return checkout_failed(cli, request->idempotency_key);
    }
    if (reply->order == NULL) {
        return cli_fail(cli, "%s: a reply without an order", cli->address);
    }
    if (cli->json) {
        return petctl_print_order(cli, reply->order);
    }
    petctl_receipt(reply->order);
    return 0;
}

int
petctl_checkout(struct cli *cli, int argc, char **argv)
{
    Petstore__V1__CheckoutRequest request =
        PETSTORE__V1__CHECKOUT_REQUEST__INIT;
    Petstore__V1__Money total = PETSTORE__V1__MONEY__INIT;
    Petstore__V1__Card message = PETSTORE__V1__CARD__INIT;
    char made[CLI_KEY_SIZE];
    struct card card = {0};
    int exit_code = 0;

    (void)argc;
    (void)argv;
    if (petctl_options.card == NULL || petctl_options.expiry == NULL) {
        return cli_usage(cli, "--card and --expiry are needed");
    }
    if (petctl_options.total != NULL) {
        exit_code =
            petctl_price_read(cli, "total", petctl_options.total, &total.minor);
        total.currency = petctl_options.currency;
        request.total = &total;
    }
    if (petctl_options.order != NULL) {
        request.order_id = petctl_options.order;
    }
    request.idempotency_key = cli_key(cli, petctl_options.key, made);
    if (exit_code == 0 && request.idempotency_key == NULL) {
        exit_code = CLI_EXIT_FAILED;
    }
    if (exit_code == 0) {
        exit_code =
            card_read(cli, petctl_options.card, petctl_options.expiry, &card);
    }
    message.number = card.number;
    message.expiry_month = card.expiry_month;
    message.expiry_year = card.expiry_year;
    request.card = &message;
    if (exit_code == 0) {
        exit_code = checkout_run(cli, &request);
    }
    card_clear(&card);
    return exit_code;
}

/* -- orders ---------------------------------------------------------------- */

static int
order_pages(struct cli *cli, struct output_table *table)
{
    Petstore__V1__ListOrdersRequest request =
        PETSTORE__V1__LIST_ORDERS_REQUEST__INIT;
    const Petstore__V1__ListOrdersReply *reply = NULL;
    uint64_t left =
        petctl_options.limit == 0 ? UINT64_MAX : petctl_options.limit;
    char token[CLI_PAGE_TOKEN_SIZE] = "";
    size_t i;

    do {
        request.page_token = token;
        request.page_size = left < 100 ? (uint32_t)left : 100;
        if (petstore_list_orders(cli->call, &request, &reply) != RPCRT_OK) {
            return cli_call_failed(cli);
        }
        for (i = 0; i < reply->n_orders && left > 0; i++, left--) {
            if (cli->json) {
                petctl_json_order(reply->orders[i]);
                (void)putchar('\n');
            } else {
                petctl_orders_add(table, reply->orders[i]);
            }
        }
        if (!cli_page_keep(cli, reply->next_page_token, token)) {
            return CLI_EXIT_FAILED;
        }
    } while (token[0] != '\0' && left > 0);
    return 0;
}

int
petctl_orders(struct cli *cli, int argc, char **argv)
{
    struct output_table table = {0};
    int exit_code = 0;

    (void)argc;
    (void)argv;
    if (!cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    if (cli->json) {
        return order_pages(cli, NULL);
    }
    petctl_orders_init(&table);
    exit_code = order_pages(cli, &table);
    if (!output_table_end(&table) && exit_code == 0) {
        exit_code = cli_fail(cli, "out of memory");
    }
    return exit_code;
}

int
petctl_order(struct cli *cli, int argc, char **argv)
{
    Petstore__V1__GetOrderRequest request =
        PETSTORE__V1__GET_ORDER_REQUEST__INIT;
    const Petstore__V1__GetOrderReply *reply = NULL;
    int exit_code = 0;

    (void)argc;
    request.order_id = argv[0];
    if (!cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    return petstore_get_order(cli->call, &request, &reply) == RPCRT_OK
               ? petctl_print_order(cli, reply->order)
               : cli_call_failed(cli);
}

int
petctl_cancel(struct cli *cli, int argc, char **argv)
{
    Petstore__V1__CancelOrderRequest request =
        PETSTORE__V1__CANCEL_ORDER_REQUEST__INIT;
    const Petstore__V1__CancelOrderReply *reply = NULL;
    int exit_code = 0;

    (void)argc;
    request.order_id = argv[0];
    if (!cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    return petstore_cancel_order(cli->call, &request, &reply) == RPCRT_OK
               ? petctl_print_order(cli, reply->order)
               : cli_call_failed(cli);
}
