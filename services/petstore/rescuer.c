/*
 * Finishes orders that stand still: see rescuer.h.
 *
 * A round lists the keys of all open orders. Each step of an order writes its
 * key anew, so a key that keeps its revision is an order that does not move.
 * How long is measured by the clock of this process alone: clocks of others are
 * never compared.
 */
#include "petstore/rescuer.h"
#include "common/ids.h"
#include "petstore/order_record.h"
#include "petstore/saga.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_SIZE 1000u
#define EVERY_MS_MIN 20
#define EVERY_MS_MAX 1000

#define STATE(name) PETSTORE__V1__ORDER_STATE__##name

/* An open order. */
struct watched {
    char id[COMMON_ID_SIZE];
    uint64_t revision;
    int64_t due_ms; /* monotonic: when something is to be done, if it has not
                       moved by then */
};

/* In the order of ids, as the store lists them. */
struct watch {
    struct watched *orders;
    size_t n_orders;
    size_t room;
};

struct shop_rescuer {
    struct shop_service *service;
    struct watch watch;
};

struct shop_rescuer *
shop_rescuer_new(struct shop_service *service)
{
    struct shop_rescuer *rescuer = calloc(1, sizeof(*rescuer));

    if (rescuer != NULL) {
        rescuer->service = service;
    }
    return rescuer;
}

void
shop_rescuer_free(struct shop_rescuer *rescuer)
{
    if (rescuer != NULL) {
        free(rescuer->watch.orders);
        free(rescuer);
    }
}

uint32_t
shop_rescuer_every_ms(const struct shop_service *service)
{
    int64_t every_ms = service->options.rescue_after_ms / 5;

    every_ms = every_ms < EVERY_MS_MIN ? EVERY_MS_MIN : every_ms;
    every_ms = every_ms > EVERY_MS_MAX ? EVERY_MS_MAX : every_ms;
    return (uint32_t)every_ms;
}

/* -- which orders are open ------------------------------------------------- */

static struct watched *
watch_add(struct watch *watch)
{
    if (watch->n_orders == watch->room) {
        size_t room = watch->room == 0 ? 64 : watch->room * 2;
        struct watched *orders =
            reallocarray(watch->orders, room, sizeof(*orders));

        if (orders == NULL) {
            return NULL;
        }
        watch->orders = orders;
        watch->room = room;
    }
    return &watch->orders[watch->n_orders++];
}

/* The order as it was in the round before, if it has not moved since. *place
 * goes through the list from its beginning. */
static const struct watched *
watch_find(const struct watch *before, size_t *place, const char *id,
           uint64_t revision)
{
    const struct watched *order;

    while (*place < before->n_orders &&
           strcmp(before->orders[*place].id, id) < 0) {
        (*place)++;
    }
    if (*place == before->n_orders) {
        return NULL;
    }
    order = &before->orders[*place];
    return strcmp(order->id, id) == 0 && order->revision == revision ? order
                                                                     : NULL;
}

static bool
page_watch(const struct shop_rescuer *rescuer, const struct common_page *page,
           size_t *place, struct watch *next)
{
    int64_t due_ms =
        common_monotonic_ms() + rescuer->service->options.rescue_after_ms;
    size_t i;

    for (i = 0; i < page->n_records; i++) {
        const struct common_record *record = &page->records[i];
        const char *id = record->key + sizeof(SHOP_OPEN_PREFIX) - 1;
        const struct watched *known;
        struct watched *order;

        if (!common_id_ok(id)) {
            continue;
        }
        known = watch_find(&rescuer->watch, place, id, record->revision);
        order = watch_add(next);
        if (order == NULL) {
            return false;
        }
        memcpy(order->id, id, sizeof(order->id));
        order->revision = record->revision;
        order->due_ms = known != NULL ? known->due_ms : due_ms;
    }
    return true;
}

/* List all open orders anew. */
static bool
watch_renew(struct shop_rescuer *rescuer)
{
    struct common_span span = {
        .first = SHOP_OPEN_PREFIX, .keys_only = true, .limit = PAGE_SIZE};
    struct common_work *work =
        common_work_new(rescuer->service->store, NULL, "rescuer");
    struct watch next = {NULL, 0, 0};
    struct common_page page = {.more = true};
    size_t place = 0;
    bool ok = work != NULL;

    while (ok && page.more) {
        ok = common_scan(work, &span, NULL, &page) == RPCRT_OK &&
             page_watch(rescuer, &page, &place, &next);
        if (ok && page.more && page.n_records > 0) {
            span.after = page.records[page.n_records - 1].key;
        }
    }
    if (ok) {
        free(rescuer->watch.orders);
        rescuer->watch = next;
    } else {
        free(next.orders);
    }
    common_work_free(work);
    return ok;
}

/* -- one that stands still ------------------------------------------------- */

static void
tell(const struct shop_saga *saga, enum rpcrt_log_level level, const char *why)
{
    const Petstore__Record__Order *order = shop_saga_order(saga);
    const ProtobufCEnumValue *state = protobuf_c_enum_descriptor_get_value(
        &petstore__v1__order_state__descriptor, (int)order->state);

    if (saga->service->log != NULL) {
        common_log_format(saga->service->log, level,
                          "order %s of call %s stood still: it is %s%s%s",
                          order->id, order->call_id,
                          state == NULL ? "?" : state->name,
                          why[0] == '\0' ? "" : " and can't go on yet: ", why);
    }
}

/* Bring it to the end of its way, as far as that can be had now. */
static void
finish(struct shop_saga *saga)
{
    enum rpcrt_code code = RPCRT_OK;

    if (shop_saga_state(saga) == STATE(DECLINED)) {
        code = shop_saga_give_up(saga);
    }
    if (code == RPCRT_OK) {
        code = shop_saga_run(saga);
    }
    if (code == RPCRT_OK) {
        tell(saga, RPCRT_LOG_INFO, "");
    } else if (code != RPCRT_ABORTED) {
        tell(saga, RPCRT_LOG_WARNING, saga->text);
    }
}

/* Time to wait for another card. */
static int64_t
wait_ms(const struct shop_saga *saga)
{
    const Petstore__Record__Order *order = shop_saga_order(saga);

    return order->state == STATE(DECLINED)
               ? order->pay_until_ms - shop_now_ms(saga->service)
               : 0;
}

/* With a work that has the order's call id, so that logs follow the purchase;
 * that is known when the order is read. */
static void
rescue(struct shop_rescuer *rescuer, struct watched *watched)
{
    struct shop_saga look = {
        .service = rescuer->service,
        .work = common_work_new(rescuer->service->store, NULL, "rescuer")};
    struct shop_saga saga = {.service = rescuer->service};

    if (look.work == NULL || shop_saga_load(&look, watched->id) != RPCRT_OK ||
        look.order.revision != watched->revision) {
        goto out;
    }
    if (wait_ms(&look) > 0) {
        watched->due_ms = common_monotonic_ms() + wait_ms(&look);
        goto out;
    }
    saga.payer.call_id = shop_saga_order(&look)->call_id;
    saga.work =
        common_work_new(rescuer->service->store, NULL, saga.payer.call_id);
    saga.order = look.order;
    if (saga.work != NULL) {
        finish(&saga);
    }
out:
    common_work_free(saga.work);
    common_work_free(look.work);
}

bool
shop_rescuer_tick(void *arg)
{
    struct shop_rescuer *rescuer = arg;
    size_t i;

    if (!watch_renew(rescuer)) {
        return false;
    }
    for (i = 0; i < rescuer->watch.n_orders; i++) {
        struct watched *order = &rescuer->watch.orders[i];

        if (common_monotonic_ms() >= order->due_ms) {
            rescue(rescuer, order);
        }
    }
    return false;
}
