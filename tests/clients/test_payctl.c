/*
 * payctl as a program, against a paymentd: its flags, output, exit codes and
 * errors. What the service does is tested elsewhere.
 */
#include "clients/front.h"

#include <rpcrt/api.h>
#include <stdio.h>
#include <stdlib.h>

#define EXPIRY "--expiry", "12/2098"

/* A card with 100.00 EUR. */
static void
issue(struct front *front)
{
    char card[FRONT_PATH_SIZE];

    (void)front_at(front, "good.card", card);
    EXPECT_EXIT(front, 0,
                PAYCTL(front, "issue", card, EXPIRY, "--balance", "100.00",
                       "--currency", "EUR"));
}

/* Hold an amount on it; the payment's id. */
static void
authorize(struct front *front, const char *amount, char ret_id[40])
{
    char card[FRONT_PATH_SIZE];

    (void)front_at(front, "good.card", card);
    EXPECT_EXIT(front, 0,
                PAYCTL(front, "authorize", card, EXPIRY, "--amount", amount,
                       "--currency", "EUR", "--json"));
    front_member(front->result.out, "id", ret_id, 40);
}

static void
become_merchant(struct front *front)
{
    char token[FRONT_PATH_SIZE];

    (void)setenv("PAYCTL_TOKEN_FILE", front_path(front, "merchant", token), 1);
}

Test(payctl, explains_itself, .timeout = 60)
{
    struct front front;

    EXPECT_EXIT(&front, 0, PAYCTL(&front, "--help"));
    EXPECT_IN(front.result.out, "authorize NUMBER");
    EXPECT_IN(front.result.out, "(PAYCTL_TLS_CERT)");
    EXPECT_EXIT(&front, 0, PAYCTL(&front, "issue", "--help"));
    EXPECT_IN(front.result.out, "can be seen by other users");
    EXPECT_EXIT(&front, 0, PAYCTL(&front, "--version"));
    EXPECT_OUT(&front, "payctl " RPCRT_VERSION_TEXT "\n");
}

Test(payctl, refuses_a_command_line_that_makes_no_sense, .timeout = 60)
{
    struct front front;

    (void)setenv("PAYCTL_ADDRESS", "tcp://127.0.0.1:1", 1);
    EXPECT_EXIT(&front, 2, PAYCTL(&front, "issue", "1", EXPIRY));
    EXPECT_IN(front.result.err, "--currency is missing");
    EXPECT_EXIT(&front, 2,
                PAYCTL(&front, "issue", "1", EXPIRY, "--currency", "EUR"));
    EXPECT_IN(front.result.err, "--balance is missing");
    EXPECT_EXIT(&front, 2,
                PAYCTL(&front, "issue", "1", "--expiry", "1230", "--currency",
                       "EUR", "--balance", "1"));
    EXPECT_IN(front.result.err, "expected MM/YY");
    EXPECT_EXIT(&front, 2,
                PAYCTL(&front, "issue", "1", EXPIRY, "--currency", "EUR",
                       "--balance", "1.005"));
    EXPECT_IN(front.result.err, "at most 2 digits");
    EXPECT_EXIT(&front, 2, PAYCTL(&front, "void"));
    EXPECT_EXIT(&front, 2, PAYCTL(&front, "void", "x", "--authorize-key", "y"));
    EXPECT_EXIT(&front, 2, PAYCTL(&front, "token", "new", "king", "x"));
    EXPECT_EXIT(&front, 2, PAYCTL(&front, "token", "new", "operator", "a b"));
    EXPECT_EXIT(
        &front, 2,
        PAYCTL(&front, "token", "new", "operator", "a", "--until", "tomorrow"));
    EXPECT_EXIT(&front, 2, PAYCTL(&front, "secret", "new", ""));
}

Test(payctl, makes_no_line_that_the_server_refuses, .timeout = 60)
{
    static const char *const days[] = {"2027-13-01", "2027-00-01", "2027-01-32",
                                       "2027-04-31", "2027-02-29", "2100-02-29",
                                       "2027-01-00", "1969-12-31"};
    static const char *const ids[] = {"2026B", "a b", "a/b",
                                      "123456789012345678901234567890123"};
    struct front front;
    size_t i;

    for (i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        EXPECT_EXIT(&front, 2,
                    PAYCTL(&front, "token", "new", "operator", "a", "--until",
                           days[i]));
        EXPECT_IN(front.result.err, days[i]);
    }
    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        EXPECT_EXIT(&front, 2, PAYCTL(&front, "secret", "new", ids[i]));
        EXPECT_IN(front.result.err, "1 to 32");
    }
    EXPECT_EXIT(&front, 0,
                PAYCTL(&front, "token", "new", "operator", "A", "--until",
                       "2028-02-29"));
    EXPECT_EXIT(
        &front, 0,
        PAYCTL(&front, "secret", "new", "a-z_0.9-90123456789012345678901"));
}

Test(payctl, takes_a_card_from_standard_input_and_shows_four_digits,
     .timeout = 60)
{
    const char *const words[] = {"issue", "-",          EXPIRY, "--balance",
                                 "50",    "--currency", "EUR",  NULL};
    struct front front;

    front_open(&front, false);
    EXPECT_EXIT(&front, 0,
                front_run(&front, "PAYCTL", "4111 1111-1111 1111\n", words));
    EXPECT_OUT(&front, "visa card ending in 1111, with 50.00 EUR\n");
    EXPECT_EXIT(&front, 64 + RPCRT_ALREADY_EXISTS,
                front_run(&front, "PAYCTL", FRONT_GOOD_CARD, words));
    EXPECT_IN(front.result.err, "payctl: issue: CARD_EXISTS: ");
    EXPECT_NOT_IN(front.result.err, "4111");
    EXPECT_EXIT(&front, 2, front_run(&front, "PAYCTL", "\n", words));
    EXPECT_IN(front.result.err, "no card number");
    front_close(&front);
}

Test(payctl, moves_money_and_prints_decimals, .timeout = 60)
{
    struct front front;
    char id[40];

    front_open(&front, false);
    issue(&front);
    become_merchant(&front);
    authorize(&front, "12.5", id);
    EXPECT_EXIT(&front, 0, PAYCTL(&front, "capture", id, "--amount", "10.05"));
    EXPECT_IN(front.result.out, "state\tCAPTURED\n");
    EXPECT_IN(front.result.out, "amount\t12.50 EUR\ncaptured\t10.05 EUR\n");
    EXPECT_EXIT(&front, 2, PAYCTL(&front, "refund", id, "--amount", "1.001"));
    EXPECT_EXIT(&front, 2, PAYCTL(&front, "refund", id, "--amount", "0"));
    EXPECT_EXIT(&front, 0, PAYCTL(&front, "refund", id, "--amount", "0.05"));
    EXPECT_EXIT(&front, 0, PAYCTL(&front, "balance"));
    EXPECT_OUT(&front, "10.00 EUR\t0.00 EUR\t10.00 EUR\n");
    EXPECT_EXIT(&front, 64 + RPCRT_FAILED_PRECONDITION,
                PAYCTL(&front, "void", id));
    EXPECT_IN(front.result.err, "payctl: void: PAYMENT_CAPTURED: ");
    authorize(&front, "1", id);
    EXPECT_EXIT(&front, 0, PAYCTL(&front, "void", id));
    EXPECT_IN(front.result.out, "state\tVOIDED\n");
    EXPECT_EXIT(&front, 0,
                PAYCTL(&front, "void", "--authorize-key", "never", "--json"));
    EXPECT_IN(front.result.out, "\"authorize_key\":\"never\"");
    EXPECT_EXIT(&front, 0, PAYCTL(&front, "show", id, "--json"));
    EXPECT_IN(front.result.out,
              "\"amount\":{\"minor\":100,\"currency\":\"EUR\"}");
    EXPECT_EXIT(&front, 0, PAYCTL(&front, "list", "--limit", "2"));
    EXPECT_IN(front.result.out, "VOIDED\t1.00 EUR\t1111\t");
    EXPECT_NOT_IN(front.result.out, "CAPTURED");
    front_close(&front);
}

Test(payctl, does_a_thing_once_for_a_key, .timeout = 60)
{
    struct front front;
    char card[FRONT_PATH_SIZE];
    char first[40];
    char second[40];

    front_open(&front, false);
    issue(&front);
    become_merchant(&front);
    (void)front_at(&front, "good.card", card);
    EXPECT_EXIT(&front, 0,
                PAYCTL(&front, "authorize", card, EXPIRY, "--amount", "1",
                       "--currency", "EUR", "--key", "k", "--json"));
    front_member(front.result.out, "id", first, sizeof(first));
    EXPECT_EXIT(&front, 0,
                PAYCTL(&front, "authorize", card, EXPIRY, "--amount", "1",
                       "--currency", "EUR", "--key", "k", "--json"));
    front_member(front.result.out, "id", second, sizeof(second));
    cr_assert_str_eq(first, second);
    EXPECT_EXIT(&front, 0,
                PAYCTL(&front, "authorize", card, EXPIRY, "--amount", "1",
                       "--currency", "EUR", "--json"));
    front_member(front.result.out, "id", second, sizeof(second));
    cr_assert_str_neq(first, second);
    front_close(&front);
}

Test(payctl, prints_books_that_are_zero, .timeout = 60)
{
    struct front front;

    front_open(&front, false);
    issue(&front);
    EXPECT_EXIT(&front, 0, PAYCTL(&front, "books"));
    EXPECT_IN(front.result.out, "CARD\t1111\t100.00 EUR\t0.00 EUR\n");
    EXPECT_IN(front.result.out, "EXTERNAL\t\t-100.00 EUR\t0.00 EUR\n");
    EXPECT_IN(front.result.out, "EUR: 2 accounts, sum 0.00, held 0.00\n");
    EXPECT_EXIT(&front, 0, PAYCTL(&front, "books", "--json"));
    EXPECT_IN(front.result.out,
              "{\"sum\":\"EUR\",\"posted\":0,\"held\":0,\"accounts\":2}\n");
    become_merchant(&front);
    EXPECT_EXIT(&front, 64 + RPCRT_PERMISSION_DENIED, PAYCTL(&front, "books"));
    front_close(&front);
}
