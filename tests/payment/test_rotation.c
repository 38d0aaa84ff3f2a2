/*
 * Two servers on one store while the secrets are changed: whoever lacks one
 * neither makes nor misses a card.
 */
#include "tests/payment/till.h"

#include "payment/record.pb-c.h"

#include <string.h>

#define ONE                                                                    \
    "one 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define TWO                                                                    \
    "two ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100\n"
#define TWO_CHANGED                                                            \
    "two 1feeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100\n"

static struct till till;

static void
rotation_begin(void)
{
    till_open(&till, ONE);
}

static void
rotation_end(void)
{
    till_close(&till);
}

TestSuite(rotation, .init = rotation_begin, .fini = rotation_end,
          .timeout = 60);

static void
server_start(unsigned i, const char *secrets)
{
    till_server_stop(&till, i);
    till_secrets_write(&till, secrets);
    till_server_start(&till, i);
}

/* A call that ends in a code and, if it is UNAVAILABLE, names the secret. */
static void
expect(struct rpcrt_call *call, enum rpcrt_code code, enum rpcrt_code expected,
       const char *reason)
{
    till_expect(call, code, expected, reason);
    cr_assert(code != RPCRT_UNAVAILABLE ||
                  strstr(rpcrt_call_message(call), "secret 'two'") != NULL,
              "%s", rpcrt_call_message(call));
    rpcrt_call_free(call);
}

static void
issue(unsigned i, const char *key, const char *number, enum rpcrt_code expected,
      const char *reason)
{
    struct rpcrt_call *call = till_call(&till, i, "operator");

    expect(call, till_issue(call, key, number, 1000), expected, reason);
}

static void
authorize(unsigned i, const char *key, const char *number,
          enum rpcrt_code expected, const char *reason)
{
    struct rpcrt_call *call = till_call(&till, i, "red");

    expect(call, till_authorize(call, key, number, 10, NULL), expected, reason);
}

static void
balance(unsigned i, const char *number, enum rpcrt_code expected)
{
    Payment__V1__GetBalanceRequest request =
        PAYMENT__V1__GET_BALANCE_REQUEST__INIT;
    Payment__V1__Card card = PAYMENT__V1__CARD__INIT;
    struct rpcrt_call *call = till_call(&till, i, "operator");
    const Payment__V1__GetBalanceReply *reply;

    card.number = number;
    request.of_case = PAYMENT__V1__GET_BALANCE_REQUEST__OF_CARD;
    request.card = &card;
    expect(call, payment_get_balance(call, &request, &reply), expected, "");
}

Test(rotation, lets_nobody_make_or_miss_a_card_who_lacks_a_secret)
{
    server_start(1, TWO ONE);
    issue(1, "poor", TILL_POOR_NUMBER, RPCRT_OK, "");
    issue(0, "poor again", TILL_POOR_NUMBER, RPCRT_UNAVAILABLE, "");
    issue(0, "rich", TILL_NUMBER, RPCRT_UNAVAILABLE, "");
    authorize(0, "a", TILL_POOR_NUMBER, RPCRT_UNAVAILABLE, "");
    balance(0, TILL_POOR_NUMBER, RPCRT_UNAVAILABLE);
    authorize(1, "a", TILL_POOR_NUMBER, RPCRT_OK, "");
    authorize(0, "a", TILL_POOR_NUMBER, RPCRT_UNAVAILABLE, "");

    server_start(0, TWO ONE);
    authorize(0, "a", TILL_POOR_NUMBER, RPCRT_OK, "");
    issue(0, "poor again", TILL_POOR_NUMBER, RPCRT_ALREADY_EXISTS,
          "CARD_EXISTS");
    issue(0, "rich", TILL_NUMBER, RPCRT_OK, "");
    balance(0, TILL_POOR_NUMBER, RPCRT_OK);
    till_check_books(&till);
}

Test(rotation, tells_another_secret_with_the_same_id)
{
    server_start(0, ONE TWO_CHANGED);
    server_start(1, TWO ONE);
    issue(0, "rich", TILL_NUMBER, RPCRT_UNAVAILABLE, "");
    authorize(0, "a", TILL_NUMBER, RPCRT_UNAVAILABLE, "");
}

Test(rotation, leaves_payments_that_stand_to_everybody)
{
    char id[TILL_ID_SIZE];
    struct rpcrt_call *call;

    issue(0, "rich", TILL_NUMBER, RPCRT_OK, "");
    call = till_call(&till, 0, "red");
    till_expect(call, till_authorize(call, "a", TILL_NUMBER, 10, id), RPCRT_OK,
                "");
    server_start(1, TWO ONE);
    till_expect(call, till_authorize(call, "a", TILL_NUMBER, 10, id), RPCRT_OK,
                "");
    till_expect(call, till_capture(call, "c", id, 0), RPCRT_OK, "");
    rpcrt_call_free(call);
    authorize(0, "b", TILL_NUMBER, RPCRT_UNAVAILABLE, "");
    authorize(1, "b", TILL_NUMBER, RPCRT_OK, "");
    till_check_books(&till);
}

/* As the README has it: below the others first, then at the top. */
Test(rotation, stops_nobody_in_the_right_order)
{
    server_start(1, ONE);
    server_start(0, ONE TWO);
    issue(1, "rich", TILL_NUMBER, RPCRT_OK, "");
    server_start(1, ONE TWO);
    server_start(0, TWO ONE);
    issue(0, "poor", TILL_POOR_NUMBER, RPCRT_OK, "");
    authorize(1, "a", TILL_POOR_NUMBER, RPCRT_OK, "");
    authorize(0, "b", TILL_NUMBER, RPCRT_OK, "");
    issue(1, "poor again", TILL_POOR_NUMBER, RPCRT_ALREADY_EXISTS,
          "CARD_EXISTS");
    server_start(1, TWO ONE);
    authorize(1, "c", TILL_POOR_NUMBER, RPCRT_OK, "");
    till_check_books(&till);
}

/* -- between reading and writing ------------------------------------------- */

/* Another server enters "two" before the next commit. */
static void
two_enters(void)
{
    static const char mark[] = "\xc1\xa9\x07somebody"; /* see store.h */
    static uint8_t value[128];
    Payment__Record__Secrets secrets = PAYMENT__RECORD__SECRETS__INIT;
    Payment__Record__Secret two = PAYMENT__RECORD__SECRET__INIT;
    Payment__Record__Secret *items[] = {&two};
    size_t size;

    two.id = "two";
    secrets.secrets = items;
    secrets.n_secrets = 1;
    size = payment__record__secrets__pack(&secrets, value);
    memcpy(value + size, mark, sizeof(mark) - 1);
    till_intrude(&till, "secrets", value, size + sizeof(mark) - 1);
}

Test(rotation, that_begins_while_a_card_is_issued_is_noticed)
{
    two_enters();
    issue(0, "rich", TILL_NUMBER, RPCRT_UNAVAILABLE, "");
}

Test(rotation, that_begins_while_a_card_is_looked_for_is_noticed)
{
    two_enters();
    authorize(0, "a", TILL_NUMBER, RPCRT_UNAVAILABLE, "");
}
