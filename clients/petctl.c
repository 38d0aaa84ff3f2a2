/*
 * petctl: the command line of a pet shop, for its customers and its staff. The
 * table of its commands; what they do is in the files petctl_*.c.
 */
#include "petctl.h"
#include "card.h"

struct petctl_options petctl_options = {.currency = "EUR"};

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct cli_flag all_flags[] = {
    {"currency", "CODE", "Of prices on the command line (EUR).", CLI_FLAG_TEXT,
     &petctl_options.currency}};

static const struct cli_flag password_flags[] = {
    {"password-file", "FILE",
     "The password is its first line; - for standard "
     "input.",
     CLI_FLAG_TEXT, &petctl_options.password_file}};

static const struct cli_flag list_flags[] = {
    {"species", "NAME", "Only these: cat.", CLI_FLAG_TEXT,
     &petctl_options.species},
    {"min", "PRICE", "From this price on.", CLI_FLAG_TEXT, &petctl_options.min},
    {"max", "PRICE", "Up to this price.", CLI_FLAG_TEXT, &petctl_options.max},
    {"text", "TEXT", "With this in name or description.", CLI_FLAG_TEXT,
     &petctl_options.text},
    {"unavailable", NULL, "Those that are reserved and sold, too.",
     CLI_FLAG_SWITCH, &petctl_options.unavailable},
    {"sort", "ORDER", "price (the default), -price, name or newest.",
     CLI_FLAG_TEXT, &petctl_options.sort},
    {"limit", "N", "So many at the most (20).", CLI_FLAG_NUMBER,
     &petctl_options.limit},
    {"all", NULL, "All that there are.", CLI_FLAG_SWITCH, &petctl_options.all}};

#define PET_FLAGS                                                              \
    {"species", "NAME", "What it is: cat.", CLI_FLAG_TEXT,                     \
     &petctl_options.species},                                                 \
        {"name", "NAME", "Its name.", CLI_FLAG_TEXT, &petctl_options.name},    \
        {"price", "PRICE", "12.50, in the --currency.", CLI_FLAG_TEXT,         \
         &petctl_options.price},                                               \
    {                                                                          \
        "description", "TEXT", "What else there is to say.", CLI_FLAG_TEXT,    \
            &petctl_options.description                                        \
    }

static const struct cli_flag update_flags[] = {PET_FLAGS};

static const struct cli_flag add_flags[] = {
    PET_FLAGS,
    {"id", "ID", "The same again adds nothing; the shop makes one if left out.",
     CLI_FLAG_TEXT, &petctl_options.id}};

static const struct cli_flag checkout_flags[] = {
    {"card", "NUMBER", "Number of the card, or -, or @FILE.", CLI_FLAG_TEXT,
     &petctl_options.card},
    {"expiry", "MM/YY", "The last month in which it is valid.", CLI_FLAG_TEXT,
     &petctl_options.expiry},
    {"total", "PRICE", "Buy only if it costs this.", CLI_FLAG_TEXT,
     &petctl_options.total},
    {"order", "ID", "Pay this order, whose card was declined.", CLI_FLAG_TEXT,
     &petctl_options.order},
    {"key", "KEY", "Idempotency key; a new one if left out.", CLI_FLAG_TEXT,
     &petctl_options.key}};

static const struct cli_flag orders_flags[] = {
    {"limit", "N", "So many at the most.", CLI_FLAG_NUMBER,
     &petctl_options.limit}};

static const struct cli_flag import_flags[] = {
    {"jobs", "N", "Calls at once (16).", CLI_FLAG_NUMBER,
     &petctl_options.jobs}};

static const char password_help[] =
    "The password comes from --password-file or standard input; at a terminal "
    "it\nis asked for and not shown.";

static const char login_help[] =
    "The session's token is kept in the --session-file, for the commands that\n"
    "follow. The password comes from --password-file or standard input; at a\n"
    "terminal it is asked for and not shown.";

static const char cart_help[] =
    "A cart reserves nothing. Without arguments: show it.";

static const char checkout_help[] = CARD_HELP
    "\n"
    "While there is no answer the call is made again, as long as --timeout "
    "lasts; it\nis one purchase, whatever happens.";

static const char cancel_help[] =
    "An order that is paid is refunded, one that is not paid yet is cancelled.";

static const char import_help[] =
    "A staff command. FILE is a JSON array, - standard input; an entry is\n"
    "  {\"id\": \"cat-miso\", \"species\": \"cat\", \"name\": \"Miso\", "
    "\"price\": \"240.00\",\n   \"currency\": \"EUR\", \"description\": "
    "\"...\"}\n"
    "where id, currency and description may be left out. Wrong entries are "
    "told and\npassed over; then the exit code is 1. The same file again adds "
    "nothing twice.";

static const struct cli_command commands[] = {
    {"register", "NAME", "become a customer", password_help, 1, 1,
     password_flags, N_OF(password_flags), petctl_register},
    {"login", "NAME", "open a session", login_help, 1, 1, password_flags,
     N_OF(password_flags), petctl_login},
    {"logout", "", "end the session", NULL, 0, 0, NULL, 0, petctl_logout},
    {"list", "", "print the pets that can be had", NULL, 0, 0, list_flags,
     N_OF(list_flags), petctl_list},
    {"show", "PET", "print a pet", NULL, 1, 1, NULL, 0, petctl_show},
    {"cart", "[add|remove PET...]", "what you want to buy", cart_help, 0, 17,
     NULL, 0, petctl_cart},
    {"checkout", "--card N --expiry MM/YY", "buy what is in the cart",
     checkout_help, 0, 0, checkout_flags, N_OF(checkout_flags),
     petctl_checkout},
    {"orders", "", "print your orders, the newest first", NULL, 0, 0,
     orders_flags, N_OF(orders_flags), petctl_orders},
    {"order", "ORDER", "print an order", NULL, 1, 1, NULL, 0, petctl_order},
    {"cancel", "ORDER", "give an order up", cancel_help, 1, 1, NULL, 0,
     petctl_cancel},
    {"add", "", "take in a pet (staff)", NULL, 0, 0, add_flags, N_OF(add_flags),
     petctl_add},
    {"update", "PET", "change a pet (staff)", NULL, 1, 1, update_flags,
     N_OF(update_flags), petctl_update},
    {"remove", "PET", "take a pet out of the shop (staff)", NULL, 1, 1, NULL, 0,
     petctl_remove},
    {"import", "FILE", "take in a catalogue (staff)", import_help, 1, 1,
     import_flags, N_OF(import_flags), petctl_import}};

int
main(int argc, char **argv)
{
    struct cli cli = {.program = "petctl",
                      .summary = "the command line of a pet shop",
                      .commands = commands,
                      .n_commands = N_OF(commands),
                      .flags = all_flags,
                      .n_flags = N_OF(all_flags),
                      .token_flag = "session-file",
                      .token_help = "Where login keeps the session, for the "
                                    "others.",
                      .token_missing = "; log in first: petctl login NAME",
                      .token_file = petctl_session_default()};

    return cli_main(&cli, argc, argv);
}
