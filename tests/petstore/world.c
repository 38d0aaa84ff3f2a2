/*
 * A shop for tests of orders: see world.h.
 */
#include "tests/petstore/world.h"

#include "common/ids.h"
#include "kv/service.h"
#include "petstore/order_record.h"
#include "petstore/pet_record.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static struct kvs_service kv_service;
static atomic_int_least64_t ahead_ms;

static int64_t
now_ms(void)
{
    return common_now_ms() + atomic_load(&ahead_ms);
}

void
world_pass(int64_t ms)
{
    (void)atomic_fetch_add(&ahead_ms, ms);
}

/* -- the world ------------------------------------------------------------- */

static struct rpcrt_server *
server_new(void)
{
    struct rpcrt_server_options options = {.workers_max = 32};
    struct rpcrt_server *server = NULL;

    cr_assert_eq(rpcrt_server_new(&options, &server), RPCRT_OK, "%s",
                 rpcrt_last_error());
    return server;
}

static void
server_listen(struct rpcrt_server *server, const char *address)
{
    cr_assert_eq(rpcrt_server_listen(server, address, NULL), RPCRT_OK, "%s",
                 rpcrt_last_error());
}

struct common_store *
world_store(const struct world *w)
{
    struct common_store_options options = {
        .address = rpcrt_server_address(w->kv_server, 0)};
    struct common_store *store = NULL;
    struct common_error error = {.text = ""};

    cr_assert_eq(common_store_open(&options, &error, &store), RPCRT_OK, "%s",
                 error.text);
    return store;
}

static void
shop_open(struct world *w)
{
    struct shop_payment_options options = {
        .address = rpcrt_server_address(w->pay_server, 0),
        .try_ms = 300,
        .patience_ms = 1000};
    struct common_error error = {.text = ""};

    w->shop = (struct shop_service){.store = world_store(w), .now_ms = now_ms};
    w->shop.options = (struct shop_options){.currency = "EUR",
                                            .session_ms = 3600000,
                                            .pay_within_ms = 60000,
                                            .rescue_after_ms = 0};
    cr_assert_eq(shop_payment_open(&options, &error, &w->shop.payment),
                 RPCRT_OK, "%s", error.text);
    w->shop_server = server_new();
    cr_assert_eq(shop_service_serve(w->shop_server, &w->shop), RPCRT_OK);
    server_listen(w->shop_server, "inproc://orders/shop");
    cr_assert_eq(rpcrt_channel_new(rpcrt_server_address(w->shop_server, 0),
                                   NULL, &w->channel),
                 RPCRT_OK);
}

void
world_start(struct world *w)
{
    struct kvs_engine_options options = {.history = 1000};
    struct common_error error = {.text = ""};

    memset(w, 0, sizeof(*w));
    cr_assert_geq(sodium_init(), 0);
    cr_assert_eq(
        kvs_engine_open(&kvs_memory_engine, &options, &error, &w->engine),
        RPCRT_OK, "%s", error.text);
    kv_service = (struct kvs_service){.engine = w->engine};
    w->kv_server = server_new();
    cr_assert_eq(kvs_service_serve(w->kv_server, &kv_service), RPCRT_OK);
    server_listen(w->kv_server, "inproc://orders/kv");
    fake_init(&w->fake);
    w->pay_server = server_new();
    cr_assert_eq(fake_serve(w->pay_server, &w->fake), RPCRT_OK);
    server_listen(w->pay_server, "inproc://orders/payment");
    shop_open(w);
}

void
world_stop(struct world *w)
{
    cr_assert_eq(fake_mistakes(&w->fake), 0);
    rpcrt_channel_free(w->channel);
    rpcrt_server_free(w->shop_server);
    shop_payment_close(w->shop.payment);
    common_store_close(w->shop.store);
    rpcrt_server_free(w->pay_server);
    rpcrt_server_free(w->kv_server);
    kvs_engine_close(w->engine);
}

/* -- the shop's data ------------------------------------------------------- */

static struct common_work *
work_new(struct world *w)
{
    struct common_work *work = common_work_new(w->shop.store, NULL, "test");

    cr_assert_not_null(work);
    return work;
}

#define expect_work(work, expression)                                          \
    cr_assert_eq((expression), RPCRT_OK, "%s", common_work_message(work))

const char *
world_pet(unsigned number)
{
    static _Thread_local char names[16][16];
    static _Thread_local unsigned n;
    char *name = names[n++ % 16];

    (void)snprintf(name, sizeof(names[0]), "p%u", number);
    return name;
}

void
world_pets(struct world *w, unsigned first, unsigned n)
{
    struct common_work *work = work_new(w);
    unsigned i;

    for (i = first; i < first + n; i++) {
        Petstore__Record__Pet pet = PETSTORE__RECORD__PET__INIT;
        struct common_record record;

        pet.id = world_pet(i);
        pet.species = "cat";
        pet.name = "Tom";
        pet.price = WORLD_PRICE;
        pet.status = PETSTORE__V1__PET_STATUS__AVAILABLE;
        pet.added_at_ms = now_ms();
        shop_pet_read(work, pet.id, &record);
        expect_work(work, common_read_now(work));
        common_expect(work, &record);
        shop_pet_put(work, shop_pet_of(&record), &pet);
        expect_work(work, common_commit(work));
    }
    common_work_free(work);
}

void
world_cart(struct world *w, const char *user, unsigned first, unsigned n)
{
    Petstore__Record__Cart cart = PETSTORE__RECORD__CART__INIT;
    struct common_work *work = work_new(w);
    const char *ids[SHOP_CART_MAX];
    struct common_record record;
    unsigned i;

    for (i = 0; i < n; i++) {
        ids[i] = common_work_format(work, "p%u", first + i);
    }
    cart.n_pet_ids = n;
    cart.pet_ids = ids;
    shop_cart_read(work, user, &record);
    expect_work(work, common_read_now(work));
    common_expect(work, &record);
    common_put(work, record.key, &cart.base);
    expect_work(work, common_commit(work));
    common_work_free(work);
}

Petstore__V1__PetStatus
world_pet_status(struct world *w, unsigned number)
{
    struct common_work *work = work_new(w);
    Petstore__V1__PetStatus status;
    struct common_record record;

    shop_pet_read(work, world_pet(number), &record);
    expect_work(work, common_read_now(work));
    cr_assert_not_null(record.message);
    status = (Petstore__V1__PetStatus)shop_pet_of(&record)->status;
    common_work_free(work);
    return status;
}

Petstore__V1__OrderState
world_order_state(struct world *w, const char *order_id)
{
    struct common_work *work = work_new(w);
    Petstore__V1__OrderState state = ORDER_STATE(ORDER_STATE_UNSPECIFIED);
    struct common_record record;

    shop_order_read(work, order_id, &record);
    expect_work(work, common_read_now(work));
    if (record.message != NULL) {
        state = (Petstore__V1__OrderState)shop_order_of(&record)->state;
    }
    common_work_free(work);
    return state;
}

struct common_page
world_scan(struct common_work *work, const char *prefix,
           const ProtobufCMessageDescriptor *type)
{
    struct common_span span = {
        .first = prefix, .keys_only = type == NULL, .limit = 1000};
    struct common_page page;

    expect_work(work, common_scan(work, &span, type, &page));
    cr_assert(!page.more);
    return page;
}

void
world_order_id(struct world *w, char ret_id[33])
{
    struct common_work *work = work_new(w);
    struct common_page page = world_scan(work, "order/", NULL);

    cr_assert_geq(page.n_records, 1);
    (void)snprintf(ret_id, 33, "%s", page.records[0].key + 6);
    common_work_free(work);
}

unsigned
world_n_open(struct world *w)
{
    struct common_work *work = work_new(w);
    unsigned n = (unsigned)world_scan(work, SHOP_OPEN_PREFIX, NULL).n_records;

    common_work_free(work);
    return n;
}

/* -- drivers --------------------------------------------------------------- */

void
world_saga(struct world *w, struct common_store *store, bool card,
           struct shop_saga *ret_saga)
{
    static Petstore__V1__Card good = PETSTORE__V1__CARD__INIT;

    *ret_saga = (struct shop_saga){
        .service = &w->shop,
        .work = common_work_new(store == NULL ? w->shop.store : store, NULL,
                                "driver")};
    cr_assert_not_null(ret_saga->work);
    if (card) {
        good.number = FAKE_CARD;
        good.expiry_month = 12;
        good.expiry_year = 2090;
        ret_saga->card = &good;
        ret_saga->attempt = 1;
    }
}

void
world_saga_end(struct shop_saga *saga)
{
    common_work_free(saga->work);
    saga->work = NULL;
}

const Petstore__Record__Order *
world_order_make(struct shop_saga *saga, unsigned first, unsigned n)
{
    struct common_work *work = saga->work;
    Petstore__Record__Order *order = common_work_alloc(work, sizeof(*order));
    char id[33];
    unsigned i;

    petstore__record__order__init(order);
    common_id_make(id);
    order->id = common_work_format(work, "%s", id);
    order->user = "driver";
    order->state = ORDER_STATE(AUTHORIZING);
    order->currency = "EUR";
    order->attempt = 1;
    order->created_at_ms = now_ms();
    order->n_items = n;
    order->items = common_work_alloc(work, n * sizeof(order->items[0]));
    for (i = 0; i < n; i++) {
        order->items[i] = common_work_alloc(work, sizeof(*order->items[i]));
        petstore__record__item__init(order->items[i]);
        order->items[i]->pet_id = common_work_format(work, "p%u", first + i);
        order->items[i]->price = WORLD_PRICE;
        order->total += WORLD_PRICE;
        shop_pet_read(work, order->items[i]->pet_id, &saga->pets[i]);
    }
    expect_work(work, common_read_now(work));
    saga->pets_known = true;
    return order;
}

void
world_order(struct shop_saga *saga, unsigned first, unsigned n)
{
    const Petstore__Record__Order *order = world_order_make(saga, first, n);

    cr_assert_eq(shop_saga_write(saga, order), RPCRT_OK, "%s", saga->text);
}

static void
step(struct shop_saga *saga, Petstore__V1__OrderState expected)
{
    cr_assert_eq(shop_saga_step(saga), RPCRT_OK, "%s", saga->text);
    cr_assert_eq(shop_saga_state(saga), expected, "%d instead of %d",
                 (int)shop_saga_state(saga), (int)expected);
}

static void
give_up(struct shop_saga *saga)
{
    cr_assert_eq(shop_saga_give_up(saga), RPCRT_OK, "%s", saga->text);
}

/* Steps to the state, on the shortest way. */
static void
go_to(struct world *w, struct shop_saga *saga, Petstore__V1__OrderState state)
{
    if (state == ORDER_STATE(DECLINED)) {
        fake_then(&w->fake, FAKE_AUTHORIZE,
                  (struct fake_script){FAKE_REFUSE, RPCRT_FAILED_PRECONDITION,
                                       "CARD_EXPIRED"});
        step(saga, state);
    } else if (state == ORDER_STATE(CANCELLING)) {
        give_up(saga);
    } else if (state == ORDER_STATE(CANCELLED)) {
        give_up(saga);
        step(saga, state);
    } else if (state != ORDER_STATE(AUTHORIZING)) {
        step(saga, ORDER_STATE(CAPTURING));
        if (state != ORDER_STATE(CAPTURING)) {
            step(saga, ORDER_STATE(PAID));
        }
        if (state == ORDER_STATE(REFUNDING) || state == ORDER_STATE(REFUNDED)) {
            give_up(saga);
        }
        if (state == ORDER_STATE(REFUNDED)) {
            step(saga, state);
        }
    }
}

void
world_order_at(struct world *w, unsigned pet, Petstore__V1__OrderState state,
               char ret_id[33])
{
    struct shop_saga saga;

    world_saga(w, NULL, true, &saga);
    world_order(&saga, pet, 1);
    go_to(w, &saga, state);
    cr_assert_eq(shop_saga_state(&saga), state);
    (void)snprintf(ret_id, 33, "%s", shop_saga_order(&saga)->id);
    world_saga_end(&saga);
}

void
world_rescue(struct world *w)
{
    struct shop_rescuer *rescuer = shop_rescuer_new(&w->shop);
    unsigned i;

    cr_assert_not_null(rescuer);
    for (i = 0; i < 20 && world_n_open(w) > 0; i++) {
        (void)shop_rescuer_tick(rescuer);
    }
    shop_rescuer_free(rescuer);
}
