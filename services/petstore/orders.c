/*
 * Handlers of GetOrder, ListOrders and CancelOrder: see orders.h.
 */
#include "petstore/orders.h"
#include "common/ids.h"
#include "petstore/order_record.h"
#include "petstore/refuse.h"
#include "petstore/saga.h"
#include "petstore/session.h"

#include <string.h>

#define PAGE_SIZE_DEFAULT 20u
#define PAGE_SIZE_MAX 100u

#define STATE(name) PETSTORE__V1__ORDER_STATE__##name

/* -- one order ------------------------------------------------------------- */

/* Load an order of the caller's. */
static enum rpcrt_code
own_order_load(struct shop_saga *saga, const char *order_id)
{
    struct rpcrt_ctx *ctx = saga->payer.ctx;
    struct shop_user user;
    enum rpcrt_code code =
        shop_session_check(saga->service, ctx, saga->work, false, &user);

    if (code != RPCRT_OK) {
        return code;
    }
    if (!common_id_ok(order_id)) {
        return shop_refuse_order_unknown(ctx);
    }
    code = shop_saga_load(saga, order_id);
    if (code == RPCRT_NOT_FOUND) {
        return shop_refuse_order_unknown(ctx);
    }
    if (code != RPCRT_OK) {
        return rpcrt_ctx_fail(ctx, code, "%s", saga->text);
    }
    return strcmp(shop_saga_order(saga)->user, user.name) == 0
               ? RPCRT_OK
               : shop_refuse_order_unknown(ctx);
}

static enum rpcrt_code
order_answer(const struct shop_saga *saga, Petstore__V1__Order **ret_order)
{
    struct rpcrt_ctx *ctx = saga->payer.ctx;

    *ret_order = shop_order_message(saga->service, ctx, shop_saga_order(saga));
    return *ret_order == NULL ? rpcrt_ctx_no_memory(ctx) : RPCRT_OK;
}

static struct shop_saga
saga_of(struct shop_service *service, struct rpcrt_ctx *ctx)
{
    return (struct shop_saga){
        .service = service,
        .work = common_work_new(service->store, ctx, NULL),
        .payer = {.ctx = ctx},
    };
}

enum rpcrt_code
shop_orders_get(void *self, struct rpcrt_ctx *ctx,
                const Petstore__V1__GetOrderRequest *request,
                Petstore__V1__GetOrderReply *reply)
{
    struct shop_saga saga = saga_of(self, ctx);
    enum rpcrt_code code = own_order_load(&saga, request->order_id);

    if (code == RPCRT_OK) {
        code = order_answer(&saga, &reply->order);
    }
    common_work_free(saga.work);
    return code;
}

/* -- giving up ------------------------------------------------------------- */

static bool
given_up(const struct shop_saga *saga)
{
    return shop_saga_state(saga) == STATE(CANCELLED) ||
           shop_saga_state(saga) == STATE(REFUNDED);
}

/* Decide it, where that is still to be decided, and go on to the end of it. */
static enum rpcrt_code
give_up(struct shop_saga *saga)
{
    Petstore__V1__OrderState state = shop_saga_state(saga);

    if (state == STATE(CANCELLING) || state == STATE(REFUNDING)) {
        return shop_saga_step(saga);
    }
    return shop_saga_give_up(saga);
}

static enum rpcrt_code
cancel(struct shop_saga *saga)
{
    struct rpcrt_ctx *ctx = saga->payer.ctx;
    enum rpcrt_code code = RPCRT_OK;
    unsigned tries = 0;

    while (code == RPCRT_OK && !given_up(saga)) {
        code = give_up(saga);
        if (code == RPCRT_ABORTED) {
            code = shop_saga_again(saga, &tries);
        }
    }
    if (code == RPCRT_FAILED_PRECONDITION) {
        return shop_refuse(ctx, code, PETSTORE__V1__REASON__ORDER_BEING_PAID,
                           "the order is being paid: try again");
    }
    return code == RPCRT_OK ? code
                            : rpcrt_ctx_fail(ctx, code, "%s", saga->text);
}

enum rpcrt_code
shop_orders_cancel(void *self, struct rpcrt_ctx *ctx,
                   const Petstore__V1__CancelOrderRequest *request,
                   Petstore__V1__CancelOrderReply *reply)
{
    struct shop_saga saga = saga_of(self, ctx);
    enum rpcrt_code code = own_order_load(&saga, request->order_id);

    if (code == RPCRT_OK && !shop_payment_enter(saga.service->payment)) {
        code = rpcrt_ctx_fail(ctx, RPCRT_RESOURCE_EXHAUSTED,
                              "too many purchases at once: try again");
    } else if (code == RPCRT_OK) {
        code = cancel(&saga);
        shop_payment_leave(saga.service->payment);
    }
    if (code == RPCRT_OK) {
        code = order_answer(&saga, &reply->order);
    }
    common_work_free(saga.work);
    return code;
}

/* -- a page of orders ------------------------------------------------------ */

struct listing {
    struct shop_service *service;
    struct rpcrt_ctx *ctx;
    struct common_work *work;
    const char *prefix; /* of the list's keys */
};

/* What a page token has: the last key behind the prefix. */
#define PLACE_SIZE 64u

static enum rpcrt_code
token_read(const struct listing *listing, const char *token,
           const char **ret_after)
{
    char place[PLACE_SIZE];
    const char *after;

    if (!common_page_token_read(listing->prefix, token, place, sizeof(place))) {
        return shop_refuse(listing->ctx, RPCRT_INVALID_ARGUMENT,
                           PETSTORE__V1__REASON__PAGE_TOKEN_INVALID,
                           "the page token is not one of this list");
    }
    after = common_work_format(listing->work, "%s%s", listing->prefix, place);
    if (after == NULL) {
        return common_work_fail(listing->work, listing->ctx);
    }
    *ret_after = after;
    return RPCRT_OK;
}

static enum rpcrt_code
token_make(const struct listing *listing, const char *last,
           Petstore__V1__ListOrdersReply *reply)
{
    char *token = rpcrt_ctx_alloc(listing->ctx, COMMON_PAGE_TOKEN_SIZE);

    if (token == NULL) {
        return rpcrt_ctx_no_memory(listing->ctx);
    }
    if (!common_page_token_make(listing->prefix, last + strlen(listing->prefix),
                                token)) {
        return rpcrt_ctx_fail(listing->ctx, RPCRT_INTERNAL,
                              "a page token has no room for its key");
    }
    reply->next_page_token = token;
    return RPCRT_OK;
}

/* The orders that a page of keys leads to. */
static enum rpcrt_code
orders_read(const struct listing *listing, const struct common_page *page,
            Petstore__V1__ListOrdersReply *reply)
{
    struct common_record records[PAGE_SIZE_MAX];
    size_t i;

    reply->orders =
        rpcrt_ctx_alloc(listing->ctx, page->n_records * sizeof(*reply->orders));
    if (reply->orders == NULL) {
        return rpcrt_ctx_no_memory(listing->ctx);
    }
    for (i = 0; i < page->n_records; i++) {
        shop_order_read(listing->work, strrchr(page->records[i].key, '/') + 1,
                        &records[i]);
    }
    if (common_read_now(listing->work) != RPCRT_OK) {
        return common_work_fail(listing->work, listing->ctx);
    }
    for (i = 0; i < page->n_records; i++) {
        Petstore__V1__Order *order;

        if (records[i].message == NULL) {
            continue;
        }
        order = shop_order_message(listing->service, listing->ctx,
                                   shop_order_of(&records[i]));
        if (order == NULL) {
            return rpcrt_ctx_no_memory(listing->ctx);
        }
        reply->orders[reply->n_orders++] = order;
    }
    return RPCRT_OK;
}

static enum rpcrt_code
page_list(const struct listing *listing,
          const Petstore__V1__ListOrdersRequest *request,
          Petstore__V1__ListOrdersReply *reply)
{
    struct common_span span = {.first = listing->prefix, .keys_only = true};
    struct common_page page;
    enum rpcrt_code code = RPCRT_OK;

    span.limit =
        request->page_size == 0 ? PAGE_SIZE_DEFAULT : request->page_size;
    span.limit = span.limit > PAGE_SIZE_MAX ? PAGE_SIZE_MAX : span.limit;
    if (request->page_token[0] != '\0') {
        code = token_read(listing, request->page_token, &span.after);
    }
    if (code != RPCRT_OK) {
        return code;
    }
    if (common_scan(listing->work, &span, NULL, &page) != RPCRT_OK) {
        return common_work_fail(listing->work, listing->ctx);
    }
    if (page.n_records == 0) {
        return RPCRT_OK;
    }
    code = orders_read(listing, &page, reply);
    if (code != RPCRT_OK || !page.more) {
        return code;
    }
    return token_make(listing, page.records[page.n_records - 1].key, reply);
}

enum rpcrt_code
shop_orders_list(void *self, struct rpcrt_ctx *ctx,
                 const Petstore__V1__ListOrdersRequest *request,
                 Petstore__V1__ListOrdersReply *reply)
{
    struct shop_service *service = self;
    struct listing listing = {.service = service,
                              .ctx = ctx,
                              .work =
                                  common_work_new(service->store, ctx, NULL)};
    struct shop_user user;
    enum rpcrt_code code =
        shop_session_check(service, ctx, listing.work, false, &user);

    if (code == RPCRT_OK) {
        listing.prefix = shop_order_list_prefix(listing.work, user.name);
        code = listing.prefix == NULL ? common_work_fail(listing.work, ctx)
                                      : page_list(&listing, request, reply);
    }
    common_work_free(listing.work);
    return code;
}
