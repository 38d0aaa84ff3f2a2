/*
 * petctl as a program, against a petstored: its flags, output, exit codes and
 * errors. What the service does is tested elsewhere.
 */
#include "clients/front.h"

#include <rpcrt/api.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPIRY "--expiry", "12/2098"

static void
login_staff(struct front *front)
{
    char password[FRONT_PATH_SIZE];

    EXPECT_EXIT(front, 0,
                PETCTL(front, "login", "sam", "--password-file",
                       front_path(front, "sam", password)));
}

static void
add(struct front *front, const char *id, const char *price)
{
    EXPECT_EXIT(front, 0,
                PETCTL(front, "add", "--id", id, "--species", "cat", "--name",
                       "Miso", "--price", price));
}

static int
checkout(struct front *front, const char *card_file, const char *order_id)
{
    char card[FRONT_PATH_SIZE];

    (void)front_at(front, card_file, card);
    return order_id == NULL ? PETCTL(front, "checkout", "--card", card, EXPIRY)
                            : PETCTL(front, "checkout", "--card", card, EXPIRY,
                                     "--order", order_id);
}

Test(petctl, explains_itself, .timeout = 60)
{
    struct front front;

    EXPECT_EXIT(&front, 0, PETCTL(&front, "--help"));
    EXPECT_IN(front.result.out, "import   FILE");
    EXPECT_IN(front.result.out, "(PETCTL_SESSION_FILE)");
    EXPECT_IN(front.result.out, "(PETCTL_CURRENCY)");
    EXPECT_EXIT(&front, 0, PETCTL(&front, "checkout", "--help"));
    EXPECT_IN(front.result.out, "can be seen by other users");
    EXPECT_EXIT(&front, 0, PETCTL(&front, "--version"));
    EXPECT_OUT(&front, "petctl " RPCRT_VERSION_TEXT "\n");
}

Test(petctl, refuses_a_command_line_that_makes_no_sense, .timeout = 60)
{
    struct front front;

    front_folder(&front);
    (void)setenv("PETCTL_ADDRESS", "tcp://127.0.0.1:1", 1);
    EXPECT_EXIT(&front, 2, PETCTL(&front, "list", "--sort", "colour"));
    EXPECT_IN(front.result.err, "--sort colour: expected");
    EXPECT_EXIT(&front, 2, PETCTL(&front, "list", "--min", "1.005"));
    EXPECT_IN(front.result.err, "--min 1.005: ");
    EXPECT_EXIT(&front, 2,
                PETCTL(&front, "list", "--max", "1.5", "--currency", "JPY"));
    EXPECT_EXIT(&front, 2, PETCTL(&front, "list", "--all", "--limit", "3"));
    EXPECT_EXIT(&front, 2, PETCTL(&front, "add", "--name", "x"));
    EXPECT_EXIT(&front, 2, PETCTL(&front, "cart", "eat", "x"));
    EXPECT_EXIT(&front, 2, PETCTL(&front, "cart", "add"));
    EXPECT_EXIT(&front, 2, PETCTL(&front, "checkout"));
    EXPECT_EXIT(&front, 1, PETCTL(&front, "list"));
    EXPECT_IN(front.result.err, "log in first");
    front_close(&front);
}

Test(petctl, keeps_the_session_where_only_its_owner_reads, .timeout = 60)
{
    const char *const words[] = {"login", "ann", NULL};
    const char *const new_user[] = {"register", "ann", NULL};
    struct front front;
    struct stat status;
    char state[FRONT_PATH_SIZE];
    char path[FRONT_PATH_SIZE];

    front_open(&front, true);
    unsetenv("PETCTL_SESSION_FILE");
    (void)setenv("XDG_STATE_HOME", front_path(&front, "state", state), 1);
    EXPECT_EXIT(&front, 0,
                front_run(&front, "PETCTL", "correct horse\n", new_user));
    EXPECT_OUT(&front, "ann is registered\n");
    EXPECT_EXIT(&front, 64 + RPCRT_UNAUTHENTICATED,
                front_run(&front, "PETCTL", "wrong horse\n", words));
    EXPECT_IN(front.result.err, "petctl: login: LOGIN_REFUSED: ");
    EXPECT_EXIT(&front, 1, front_run(&front, "PETCTL", "", words));
    EXPECT_IN(front.result.err, "no password");
    EXPECT_EXIT(&front, 0,
                front_run(&front, "PETCTL", "correct horse\n", words));
    EXPECT_IN(front.result.out, "ann is logged in until ");
    (void)front_path(&front, "state/rpcrt/petctl.session", path);
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0600);
    EXPECT_EXIT(&front, 0, PETCTL(&front, "list"));
    EXPECT_EXIT(&front, 0, PETCTL(&front, "logout"));
    cr_assert_neq(access(path, F_OK), 0);
    EXPECT_EXIT(&front, 1, PETCTL(&front, "list"));
    front_close(&front);
}

Test(petctl, changes_and_lists_pets, .timeout = 60)
{
    struct front front;

    front_open(&front, true);
    login_staff(&front);
    add(&front, "cat-1", "240");
    EXPECT_OUT(&front, "pet\tcat-1\nspecies\tcat\nname\tMiso\n"
                       "price\t240.00 EUR\nstatus\tAVAILABLE\n");
    add(&front, "cat-2", "99.5");
    EXPECT_EXIT(&front, 0,
                PETCTL(&front, "update", "cat-1", "--price", "12.05",
                       "--description", "sleeps"));
    EXPECT_EXIT(&front, 0, PETCTL(&front, "list", "--sort", "-price"));
    EXPECT_OUT(&front, "cat-2\tcat\tMiso\t99.50 EUR\tAVAILABLE\n"
                       "cat-1\tcat\tMiso\t12.05 EUR\tAVAILABLE\n");
    EXPECT_EXIT(&front, 0, PETCTL(&front, "list", "--max", "12.05"));
    EXPECT_OUT(&front, "cat-1\tcat\tMiso\t12.05 EUR\tAVAILABLE\n");
    EXPECT_EXIT(&front, 0, PETCTL(&front, "list", "--limit", "1", "--json"));
    EXPECT_OUT(&front,
               "{\"id\":\"cat-1\",\"species\":\"cat\",\"name\":\"Miso\","
               "\"price\":{\"minor\":1205,\"currency\":\"EUR\"},"
               "\"description\":\"sleeps\",\"status\":\"AVAILABLE\"}\n");
    EXPECT_EXIT(&front, 0, PETCTL(&front, "remove", "cat-1"));
    EXPECT_EXIT(&front, 64 + RPCRT_NOT_FOUND, PETCTL(&front, "show", "cat-1"));
    EXPECT_IN(front.result.err, "petctl: show: PET_UNKNOWN: ");
    front_close(&front);
}

/* A card that has 300.00 EUR. */
static void
issue(struct front *front)
{
    const char *const words[] = {"issue", "-",          EXPIRY, "--balance",
                                 "300",   "--currency", "EUR",  NULL};

    EXPECT_EXIT(front, 0, front_run(front, "PAYCTL", FRONT_GOOD_CARD, words));
}

Test(petctl, buys_with_another_card_after_a_refusal, .timeout = 60)
{
    struct front front;
    char order[40];

    front_open(&front, true);
    issue(&front);
    login_staff(&front);
    add(&front, "cat-1", "240");
    EXPECT_EXIT(&front, 64 + RPCRT_FAILED_PRECONDITION,
                checkout(&front, "good.card", NULL));
    EXPECT_IN(front.result.err, "petctl: checkout: refused: CART_EMPTY: ");
    EXPECT_EXIT(&front, 0, PETCTL(&front, "cart", "add", "cat-1"));
    EXPECT_OUT(&front, "cat-1\tcat\tMiso\t240.00 EUR\tAVAILABLE\n"
                       "total 240.00 EUR\n");
    EXPECT_EXIT(&front, 64 + RPCRT_INVALID_ARGUMENT,
                checkout(&front, "wrong.card", NULL));
    EXPECT_IN(front.result.err,
              "petctl: checkout: declined: CARD_NUMBER_INVALID: ");
    EXPECT_NOT_IN(front.result.err, "4111");
    EXPECT_EXIT(&front, 0, PETCTL(&front, "orders", "--json"));
    EXPECT_IN(front.result.out, "\"state\":\"DECLINED\"");
    front_member(front.result.out, "id", order, sizeof(order));
    EXPECT_EXIT(&front, 0, checkout(&front, "good.card", order));
    EXPECT_IN(front.result.out, "  Miso, cat                             "
                                "240.00\n");
    EXPECT_IN(front.result.out, "TOTAL                             240.00 EUR");
    EXPECT_IN(front.result.out, "card ending in 1111\n");
    EXPECT_IN(front.result.out, order);
    EXPECT_EXIT(&front, 0, PETCTL(&front, "order", order));
    EXPECT_IN(front.result.out, "state\tPAID\n");
    EXPECT_EXIT(&front, 0, PETCTL(&front, "cancel", order));
    EXPECT_IN(front.result.out, "state\tREFUNDED\n");
    front_close(&front);
}

static const char wrong_catalogue[] =
    "[\n"
    " {\"id\": \"x/1\", \"species\": \"cat\", \"name\": \"A\", "
    "\"price\": \"1\"},\n\n"
    " {\"species\": \"cat\", \"name\": \"B\", \"price\": \"1.005\"}, "
    "{\"species\": \"cat\", \"name\": \"C\", \"price\": 3},\n"
    " {\"species\": \"\", \"name\": \"D\", \"price\": \"1\"},\n"
    " {\"name\": \"E\", \"price\": \"1\"}, 7,\n"
    " {\"species\": \"cat\", \"name\": \"F {[,\\\"\", \"price\": \"1\", "
    "\"colour\": \"red\"},\n"
    " {\"id\": \"g\", \"species\": \"cat\", \"name\": \"G\\n\", "
    "\"price\": \"1\"},\n"
    " {\"id\": \"h\", \"species\": \"cat\", \"name\": \"H\", "
    "\"price\": \"0\"},\n"
    " {\"id\": \"i\", \"species\": \"cat\", \"name\": \"I ]\", "
    "\"price\": \"1\"},\n"
    " {\"id\": \"i\", \"species\": \"cat\", \"name\": \"J\", "
    "\"price\": \"1\"},\n"
    " {\"id\": \"k\", \"species\": \"cat\", \"name\": \"K\", "
    "\"price\": \"1\", \"currency\": \"JPY\"}\n"
    "]\n";
static const char *const complaints[] = {
    ":2: entry 1: id: ",
    ":4: entry 2: price: '1.005'",
    ":4: entry 3: price: expected a text",
    ":5: entry 4: species: is empty",
    ":6: entry 5: species: is missing",
    ":6: entry 6: expected an object",
    ":7: entry 7: colour: there is no such field",
    ":8: entry 8: name: has a control character",
    ":9: entry 9: price: '0'",
    ":11: entry 11: id: entry 10 has 'i', too",
    ":12: entry 12: PET_INVALID: "};

Test(petctl, says_which_entries_of_a_catalogue_are_wrong, .timeout = 60)
{
    struct front front;
    char path[FRONT_PATH_SIZE];
    size_t i;

    front_open(&front, true);
    login_staff(&front);
    front_write(&front, "pets.json", wrong_catalogue);
    EXPECT_EXIT(
        &front, 1,
        PETCTL(&front, "import", front_path(&front, "pets.json", path)));
    for (i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++) {
        EXPECT_IN(front.result.err, complaints[i]);
    }
    EXPECT_OUT(&front, "1 of 12 pets are in the shop, 11 entries are wrong\n");
    EXPECT_EXIT(&front, 0, PETCTL(&front, "list"));
    EXPECT_OUT(&front, "i\tcat\tI ]\t1.00 EUR\tAVAILABLE\n");
    front_close(&front);
}

Test(petctl, adds_nothing_twice_when_a_catalogue_comes_again, .timeout = 60)
{
    struct front front;
    const char *const words[] = {"import", "-", "--json", NULL};
    char text[4096] = "[";
    size_t length = 1;
    unsigned i;

    /* Without ids, and two of a kind are two animals. */
    for (i = 0; i < 20; i++) {
        length +=
            (size_t)snprintf(text + length, sizeof(text) - length,
                             "%s{\"species\": \"newt\", \"name\": \"N%u\","
                             " \"price\": \"1.%02u\"}",
                             i == 0 ? "" : ",\n", i / 2, i / 2);
    }
    (void)snprintf(text + length, sizeof(text) - length, "]");
    front_open(&front, true);
    login_staff(&front);
    for (i = 0; i < 2; i++) {
        EXPECT_EXIT(&front, 0, front_run(&front, "PETCTL", text, words));
        EXPECT_OUT(&front, "{\"entries\":20,\"taken\":20,\"wrong\":0}\n");
        EXPECT_IN(front.result.err, "petctl: 10 %, 2 of 20, ");
        EXPECT_IN(front.result.err, "petctl: 100 %, 20 of 20, ");
    }
    EXPECT_EXIT(&front, 0, PETCTL(&front, "list", "--all", "--json"));
    for (i = 0, length = 0; front.result.out[length] != '\0'; length++) {
        i += front.result.out[length] == '\n' ? 1 : 0;
    }
    cr_assert_eq(i, 20);
    front_close(&front);
}

Test(petctl, has_no_use_for_a_file_that_is_no_catalogue, .timeout = 60)
{
    const char *const words[] = {"import", "-", NULL};
    struct front front;

    front_folder(&front);
    (void)setenv("PETCTL_ADDRESS", "tcp://127.0.0.1:1", 1);
    EXPECT_EXIT(&front, 1, front_run(&front, "PETCTL", "{}", words));
    EXPECT_IN(front.result.err, "standard input:1: expected an array");
    EXPECT_EXIT(&front, 1, front_run(&front, "PETCTL", "[\n{]", words));
    EXPECT_IN(front.result.err, "standard input:2:");
    EXPECT_EXIT(&front, 1, PETCTL(&front, "import", "/nowhere"));
    EXPECT_IN(front.result.err, "petctl: import: /nowhere: ");
    front_close(&front);
}

/* -- the namespace of another service -------------------------------------- */

Test(namespaces, are_not_shared_by_payments_and_shop, .timeout = 60)
{
    struct front front;
    char files[4][FRONT_PATH_SIZE];

    front_open(&front, true);
    {
        const char *const shop[] = {"--listen",
                                    "tcp://127.0.0.1:0",
                                    "--kv",
                                    front.kvd.address,
                                    "--payment",
                                    front.paymentd.address,
                                    "--kv-token-file",
                                    front_path(&front, "kv-payment", files[0]),
                                    NULL};
        const char *const payment[] = {
            "--listen",
            "tcp://127.0.0.1:0",
            "--insecure-plaintext",
            "--kv",
            front.kvd.address,
            "--kv-token-file",
            front_path(&front, "kv-petstore", files[1]),
            "--tokens",
            front_path(&front, "tokens", files[2]),
            "--secrets",
            front_path(&front, "secrets", files[3]),
            NULL};

        EXPECT_EXIT(&front, 1, front_run(&front, "PETSTORED", NULL, shop));
        EXPECT_IN(front.result.err, "the service 'payment'");
        EXPECT_EXIT(&front, 1, front_run(&front, "PAYMENTD", NULL, payment));
        EXPECT_IN(front.result.err, "the service 'petstore'");
    }
    front_close(&front);
}
