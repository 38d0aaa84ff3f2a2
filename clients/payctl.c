/*
 * payctl: the command line of a payment server. The table of its commands; what
 * they do is in the files payctl_*.c.
 */
#include "payctl.h"

struct payctl_options payctl_options;

#define KEY_FLAG                                                               \
    {                                                                          \
        "key", "KEY", "Idempotency key; a new one if left out.",               \
            CLI_FLAG_TEXT, &payctl_options.key                                 \
    }
#define EXPIRY_FLAG                                                            \
    {                                                                          \
        "expiry", "MM/YY", "The last month in which the card is valid.",       \
            CLI_FLAG_TEXT, &payctl_options.expiry                              \
    }
#define CURRENCY_FLAG                                                          \
    {                                                                          \
        "currency", "CODE", "ISO 4217: EUR.", CLI_FLAG_TEXT,                   \
            &payctl_options.currency                                           \
    }
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct cli_flag issue_flags[] = {
    EXPIRY_FLAG,
    {"balance", "AMOUNT", "What the card has: 100.00", CLI_FLAG_TEXT,
     &payctl_options.balance},
    CURRENCY_FLAG,
    KEY_FLAG};

static const struct cli_flag authorize_flags[] = {
    EXPIRY_FLAG,
    {"amount", "AMOUNT", "What to hold: 12.50", CLI_FLAG_TEXT,
     &payctl_options.amount},
    CURRENCY_FLAG,
    {"reference", "TEXT", "Your own name for this purchase.", CLI_FLAG_TEXT,
     &payctl_options.reference},
    KEY_FLAG};

static const struct cli_flag part_flags[] = {
    {"amount", "AMOUNT", "A part, in the payment's currency; all if left out.",
     CLI_FLAG_TEXT, &payctl_options.amount},
    KEY_FLAG};

static const struct cli_flag void_flags[] = {
    {"authorize-key", "KEY", "The payment of the authorize with this key.",
     CLI_FLAG_TEXT, &payctl_options.authorize_key},
    KEY_FLAG};

static const struct cli_flag list_flags[] = {
    {"merchant", "NAME", "Whose; an operator must say.", CLI_FLAG_TEXT,
     &payctl_options.merchant},
    {"limit", "N", "So many at the most.", CLI_FLAG_NUMBER,
     &payctl_options.limit}};

static const struct cli_flag balance_flags[] = {
    {"merchant", "NAME", "Of this merchant.", CLI_FLAG_TEXT,
     &payctl_options.merchant}};

static const struct cli_flag token_flags[] = {
    {"until", "DATE", "Good until the end of this day, UTC: 2027-01-31.",
     CLI_FLAG_TEXT, &payctl_options.until}};

static const char issue_help[] =
    "An operator's command.\n" CARD_HELP "\n"
    "Example: payctl issue - --expiry 12/30 --balance 100.00 --currency EUR "
    "<card";

static const char authorize_help[] = "A merchant's command. " CARD_HELP;

static const char void_help[] =
    "With --authorize-key also before the authorize has arrived: it is refused "
    "then.";

static const char balance_help[] =
    "Without NUMBER: of the merchant whose token is sent, or of --merchant. "
    "Of a\ncard: an operator's command. " CARD_HELP;

static const char books_help[] =
    "An operator's command. Every movement takes from one account and gives "
    "to\n"
    "another, so in each currency the sum is zero. If it is not: exit code 1.";

static const char token_help[] =
    "Prints the token, to be kept secret, and the line for the server's file.";

static const char secret_help[] =
    "Prints a line for the server's file of secrets; all of it is secret. The\n"
    "first line of that file is used for new records, the others stay for "
    "those\n"
    "made before. Where several servers run, add the line below the others in\n"
    "each, restart them, and only then move it to the top.";

static const struct cli_command commands[] = {
    {"issue", "NUMBER", "make a card known", issue_help, 1, 1, issue_flags,
     N_OF(issue_flags), payctl_issue},
    {"balance", "[NUMBER]", "what a card or a merchant has", balance_help, 0, 1,
     balance_flags, N_OF(balance_flags), payctl_balance},
    {"authorize", "NUMBER", "hold an amount on a card", authorize_help, 1, 1,
     authorize_flags, N_OF(authorize_flags), payctl_authorize},
    {"capture", "PAYMENT", "take what is held", NULL, 1, 1, part_flags,
     N_OF(part_flags), payctl_capture},
    {"void", "PAYMENT|--authorize-key K", "let go what is held", void_help, 0,
     1, void_flags, N_OF(void_flags), payctl_void},
    {"refund", "PAYMENT", "give back what was taken", NULL, 1, 1, part_flags,
     N_OF(part_flags), payctl_refund},
    {"show", "PAYMENT", "print a payment", NULL, 1, 1, NULL, 0, payctl_show},
    {"list", "", "print payments, the newest first", NULL, 0, 0, list_flags,
     N_OF(list_flags), payctl_list},
    {"books", "", "print all accounts and their sum", books_help, 0, 0, NULL, 0,
     payctl_books},
    {"token", "new operator|merchant NAME", "make a token", token_help, 3, 3,
     token_flags, N_OF(token_flags), payctl_token},
    {"secret", "new ID", "make a secret of the server", secret_help, 2, 2, NULL,
     0, payctl_secret}};

int
main(int argc, char **argv)
{
    struct cli cli = {.program = "payctl",
                      .summary = "the command line of a payment server",
                      .commands = commands,
                      .n_commands = N_OF(commands),
                      .token_help =
                          "The first line is the token of an operator or a "
                          "merchant."};

    return cli_main(&cli, argc, argv);
}
