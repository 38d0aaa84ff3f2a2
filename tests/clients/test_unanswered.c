/*
 * What tools do when a server gives no answer, or a wrong one: servers of this
 * file's own, in the test's process.
 */
#include "clients/front.h"

#include "payment/v1/payment.server.h"
#include "petstore/v1/petstore.server.h"

#include <rpcrt/rpcrt.h>
#include <stdio.h>
#include <stdlib.h>

/* What the servers have seen; handlers run on threads of their own, so a key is
 * read after the number that counts it. */
static _Atomic unsigned n_calls;
static char keys[8][80];

static void
serve(struct front *front, const struct payment_service *payment,
      const struct petstore_service *petstore, struct rpcrt_server **ret_server)
{
    char address[FRONT_PATH_SIZE + 8];

    front_folder(front);
    front_write(front, "session", "a token\n");
    (void)snprintf(address, sizeof(address), "ipc://%s/fake.socket",
                   front->folder);
    cr_assert_eq(rpcrt_server_new(NULL, ret_server), RPCRT_OK);
    if (payment != NULL) {
        cr_assert_eq(payment_serve(*ret_server, payment, NULL), RPCRT_OK);
    } else {
        cr_assert_eq(petstore_serve(*ret_server, petstore, NULL), RPCRT_OK);
    }
    cr_assert_eq(rpcrt_server_listen(*ret_server, address, NULL), RPCRT_OK);
    (void)setenv("PAYCTL_ADDRESS", address, 1);
    (void)setenv("PETCTL_ADDRESS", address, 1);
}

static void
unserve(struct front *front, struct rpcrt_server *server)
{
    rpcrt_server_free(server);
    front_close(front);
}

/* -- payctl ---------------------------------------------------------------- */

static enum rpcrt_code
void_unknown(void *self, struct rpcrt_ctx *ctx,
             const Payment__V1__VoidRequest *request,
             Payment__V1__VoidReply *reply)
{
    (void)self;
    (void)reply;
    (void)snprintf(keys[n_calls % 8], sizeof(keys[0]), "%s",
                   request->idempotency_key);
    n_calls++;
    return rpcrt_ctx_fail(ctx, RPCRT_UNAVAILABLE, "the store is away");
}

Test(unanswered, call_is_told_how_to_be_made_again, .timeout = 60)
{
    static const struct payment_service service = {.void_ = void_unknown};
    struct rpcrt_server *server = NULL;
    struct front front;
    char hint[128];

    serve(&front, &service, NULL, &server);
    EXPECT_EXIT(&front, 64 + RPCRT_UNAVAILABLE,
                PAYCTL(&front, "void", "some-payment"));
    cr_assert_eq(n_calls, 1);
    cr_assert_eq(strlen(keys[0]), 32);
    (void)snprintf(hint, sizeof(hint), "--key '%s'", keys[0]);
    EXPECT_IN(front.result.err, hint);
    EXPECT_EXIT(&front, 64 + RPCRT_UNAVAILABLE,
                PAYCTL(&front, "void", "some-payment", "--key", keys[0]));
    cr_assert_eq(n_calls, 2);
    cr_assert_str_eq(keys[1], keys[0]);
    EXPECT_EXIT(&front, 64 + RPCRT_UNAVAILABLE,
                PAYCTL(&front, "void", "some-payment"));
    cr_assert_eq(n_calls, 3);
    cr_assert_str_neq(keys[2], keys[0]);
    unserve(&front, server);
}

static enum rpcrt_code
list_wrong_accounts(void *self, struct rpcrt_ctx *ctx,
                    const Payment__V1__ListAccountsRequest *request,
                    Payment__V1__ListAccountsReply *reply)
{
    static Payment__V1__Money money[3];
    static Payment__V1__Account accounts[3];
    static Payment__V1__Account *pages[] = {&accounts[0], &accounts[1],
                                            &accounts[2]};
    static const char *const currencies[] = {"EUR", "EUR", "JPY"};
    static const int64_t amounts[] = {501, -500, 0};
    size_t i;

    (void)self;
    (void)ctx;
    for (i = 0; i < 3; i++) {
        payment__v1__money__init(&money[i]);
        payment__v1__account__init(&accounts[i]);
        money[i].minor = amounts[i];
        money[i].currency = currencies[i];
        accounts[i].id = "some";
        accounts[i].posted = &money[i];
    }
    /* Two pages: the sum is of all. */
    if (request->page_token[0] == '\0') {
        reply->n_accounts = 1;
        reply->accounts = pages;
        reply->next_page_token = "more";
    } else {
        reply->n_accounts = 2;
        reply->accounts = pages + 1;
    }
    return RPCRT_OK;
}

Test(unanswered, books_that_are_not_zero_are_a_failure, .timeout = 60)
{
    static const struct payment_service service = {.list_accounts =
                                                       list_wrong_accounts};
    struct rpcrt_server *server = NULL;
    struct front front;

    serve(&front, &service, NULL, &server);
    EXPECT_EXIT(&front, 1, PAYCTL(&front, "books"));
    EXPECT_IN(front.result.out, "EUR: 2 accounts, sum 0.01, held 0.00\n");
    EXPECT_IN(front.result.out, "JPY: 1 accounts, sum 0, held 0\n");
    EXPECT_IN(front.result.err, "the books are wrong");
    EXPECT_IN(front.result.err, "0.01 EUR");
    EXPECT_EXIT(&front, 1, PAYCTL(&front, "books", "--json"));
    unserve(&front, server);
}

/* -- petctl ---------------------------------------------------------------- */

static enum rpcrt_code
checkout_third(void *self, struct rpcrt_ctx *ctx,
               const Petstore__V1__CheckoutRequest *request,
               Petstore__V1__CheckoutReply *reply)
{
    static Petstore__V1__Order order = PETSTORE__V1__ORDER__INIT;

    (void)self;
    (void)snprintf(keys[n_calls % 8], sizeof(keys[0]), "%s",
                   request->idempotency_key);
    if (++n_calls < 3) {
        return rpcrt_ctx_fail(ctx, RPCRT_UNAVAILABLE, "the bank is away");
    }
    order.id = "the-order";
    order.state = PETSTORE__V1__ORDER_STATE__PAID;
    reply->order = &order;
    return RPCRT_OK;
}

Test(unanswered, checkout_is_repeated_as_the_same_purchase, .timeout = 60)
{
    static const struct petstore_service service = {.checkout = checkout_third};
    struct rpcrt_server *server = NULL;
    struct front front;

    serve(&front, NULL, &service, &server);
    EXPECT_EXIT(&front, 0,
                PETCTL(&front, "checkout", "--card", FRONT_GOOD_CARD,
                       "--expiry", "12/98", "--timeout", "30s"));
    EXPECT_IN(front.result.out, "the-order");
    cr_assert_eq(n_calls, 3);
    cr_assert_str_eq(keys[0], keys[1]);
    cr_assert_str_eq(keys[0], keys[2]);
    unserve(&front, server);
}

static enum rpcrt_code
checkout_cancelled(void *self, struct rpcrt_ctx *ctx,
                   const Petstore__V1__CheckoutRequest *request,
                   Petstore__V1__CheckoutReply *reply)
{
    (void)self;
    (void)request;
    (void)reply;
    n_calls++;
    return rpcrt_ctx_refuse(ctx, RPCRT_ABORTED, "petstore.v1",
                            "ORDER_CANCELLED", "too late");
}

Test(unanswered, checkout_that_was_cancelled_is_not_repeated, .timeout = 60)
{
    static const struct petstore_service service = {.checkout =
                                                        checkout_cancelled};
    struct rpcrt_server *server = NULL;
    struct front front;

    serve(&front, NULL, &service, &server);
    EXPECT_EXIT(&front, 64 + RPCRT_ABORTED,
                PETCTL(&front, "checkout", "--card", FRONT_GOOD_CARD,
                       "--expiry", "12/98"));
    EXPECT_IN(front.result.err, "refused: ORDER_CANCELLED: too late");
    cr_assert_eq(n_calls, 1);
    unserve(&front, server);
}

/* Every other call has no answer; "bad" is refused, "stop" ends it all. */
static enum rpcrt_code
add_sometimes(void *self, struct rpcrt_ctx *ctx,
              const Petstore__V1__AddPetRequest *request,
              Petstore__V1__AddPetReply *reply)
{
    (void)self;
    if (strcmp(request->pet->name, "stop") == 0) {
        return rpcrt_ctx_refuse(ctx, RPCRT_PERMISSION_DENIED, "petstore.v1",
                                "STAFF_ONLY", "not you");
    }
    if (strcmp(request->pet->name, "bad") == 0) {
        return rpcrt_ctx_refuse(ctx, RPCRT_INVALID_ARGUMENT, "petstore.v1",
                                "PET_INVALID", "no such pet");
    }
    if (n_calls++ % 2 == 0) {
        return rpcrt_ctx_fail(ctx, RPCRT_UNAVAILABLE, "the store is away");
    }
    reply->pet = request->pet;
    return RPCRT_OK;
}

#define PET(name)                                                              \
    "{\"species\": \"cat\", \"name\": \"" name "\", \"price\": \"1\"}"

Test(unanswered, import_repeats_what_has_no_answer, .timeout = 60)
{
    static const struct petstore_service service = {.add_pet = add_sometimes};
    const char *const words[] = {"import", "-", "--jobs", "1", NULL};
    struct rpcrt_server *server = NULL;
    struct front front;

    serve(&front, NULL, &service, &server);
    EXPECT_EXIT(&front, 1,
                front_run(&front, "PETCTL",
                          "[" PET("a") "," PET("bad") ",\n" PET("b") "]",
                          words));
    EXPECT_OUT(&front, "2 of 3 pets are in the shop, 1 entries are wrong\n");
    EXPECT_IN(front.result.err, "standard input:1: entry 2: PET_INVALID: ");
    cr_assert_eq(n_calls, 4);
    unserve(&front, server);
}

Test(unanswered, import_stops_where_going_on_is_useless, .timeout = 60)
{
    static const struct petstore_service service = {.add_pet = add_sometimes};
    const char *const words[] = {"import", "-", "--jobs", "1", NULL};
    struct rpcrt_server *server = NULL;
    struct front front;

    serve(&front, NULL, &service, &server);
    EXPECT_EXIT(&front, 64 + RPCRT_PERMISSION_DENIED,
                front_run(&front, "PETCTL",
                          "[" PET("a") ",\n" PET("stop") ",\n" PET("b") "]",
                          words));
    EXPECT_IN(front.result.err, ":2: entry 2: stopped here: STAFF_ONLY: ");
    EXPECT_OUT(&front, "1 of 3 pets are in the shop, 0 entries are wrong\n");
    cr_assert_eq(n_calls, 2);
    unserve(&front, server);
}
