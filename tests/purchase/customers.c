/*
 * Customers: see customers.h.
 */
#include "tests/purchase/customers.h"

#include "common/ids.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct customer {
    struct customers *all;
    unsigned number;
    char user[24];
    struct visitor visitor;
    struct told *told; /* n_purchases of them */
    size_t n_told;
    pthread_t thread;
};

struct customers {
    struct customers_options options;
    atomic_bool ending;
    unsigned round;
    struct customer items[CUSTOMERS_MAX];
};

/* -- one call, until it is answered ---------------------------------------- */

static void
cart_remove(struct customer *customer, const char *pet_id)
{
    Petstore__V1__RemoveFromCartRequest request =
        PETSTORE__V1__REMOVE_FROM_CART_REQUEST__INIT;
    const Petstore__V1__RemoveFromCartReply *reply = NULL;
    int64_t began = common_monotonic_ms();
    enum rpcrt_code code;

    request.pet_id = pet_id;
    do {
        code = petstore_remove_from_cart(visitor_choose(&customer->visitor),
                                         &request, &reply);
    } while (!visitor_answered(&customer->visitor, code, began));
    cr_assert_eq(code, RPCRT_OK, "%s",
                 rpcrt_call_message(customer->visitor.call));
}

static bool
cart_add(struct customer *customer, const char *pet_id)
{
    Petstore__V1__AddToCartRequest request =
        PETSTORE__V1__ADD_TO_CART_REQUEST__INIT;
    const Petstore__V1__AddToCartReply *reply = NULL;
    int64_t began = common_monotonic_ms();
    enum rpcrt_code code;

    request.pet_id = pet_id;
    do {
        code = petstore_add_to_cart(visitor_choose(&customer->visitor),
                                    &request, &reply);
    } while (!visitor_answered(&customer->visitor, code, began));
    if (code == RPCRT_OK) {
        return true;
    }
    cr_assert_str_eq(visitor_reason(&customer->visitor), "PET_NOT_AVAILABLE",
                     "%s: %s", rpcrt_code_name(code),
                     rpcrt_call_message(customer->visitor.call));
    return false;
}

/* The order that the last answer names. */
static void
order_note(struct customer *customer, enum rpcrt_code code,
           const Petstore__V1__CheckoutReply *reply, struct told *told)
{
    struct rpcrt_error_info info;
    const char *id = NULL;

    told->paid = code == RPCRT_OK;
    if (told->paid) {
        id = reply->order->id;
    } else if (rpcrt_call_error_info(customer->visitor.call, &info)) {
        id = rpcrt_error_info_get(&info, "order_id");
    }
    if (id != NULL) {
        (void)snprintf(told->order_id, sizeof(told->order_id), "%s", id);
    }
}

static enum rpcrt_code
checkout(struct customer *customer, const struct card *card, struct told *told)
{
    Petstore__V1__CheckoutRequest request =
        PETSTORE__V1__CHECKOUT_REQUEST__INIT;
    Petstore__V1__Card printed = PETSTORE__V1__CARD__INIT;
    const Petstore__V1__CheckoutReply *reply = NULL;
    int64_t began = common_monotonic_ms();
    char order_id[sizeof(told->order_id)];
    enum rpcrt_code code;

    (void)snprintf(order_id, sizeof(order_id), "%s", told->order_id);
    printed.number = card->number;
    printed.expiry_month = card->month;
    printed.expiry_year = card->year;
    request.card = &printed;
    request.idempotency_key = told->key;
    request.order_id = order_id;
    do {
        code = petstore_checkout(visitor_choose(&customer->visitor), &request,
                                 &reply);
    } while (!visitor_answered(&customer->visitor, code, began));
    order_note(customer, code, reply, told);
    return code;
}

static void
give_up(struct customer *customer, struct told *told)
{
    Petstore__V1__CancelOrderRequest request =
        PETSTORE__V1__CANCEL_ORDER_REQUEST__INIT;
    const Petstore__V1__CancelOrderReply *reply = NULL;
    int64_t began = common_monotonic_ms();
    enum rpcrt_code code;

    request.order_id = told->order_id;
    do {
        code = petstore_cancel_order(visitor_choose(&customer->visitor),
                                     &request, &reply);
    } while (!visitor_answered(&customer->visitor, code, began));
    cr_assert_eq(code, RPCRT_OK, "cancel order %s: %s", told->order_id,
                 rpcrt_call_message(customer->visitor.call));
    told->given_up = true;
}

/* -- a purchase ------------------------------------------------------------ */

static void
key_make(struct customer *customer, unsigned n, struct told *told)
{
    (void)snprintf(told->key, sizeof(told->key), "%u-%u-%u",
                   customer->all->round, customer->number, n);
    (void)snprintf(told->user, sizeof(told->user), "%s", customer->user);
}

static void
buy(struct customer *customer, unsigned n)
{
    const struct customers_options *options = &customer->all->options;
    struct visitor *visitor = &customer->visitor;
    struct told told = {.paid = false};
    unsigned wanted =
        options->in_turn ? customer->number : visitor_random(visitor, 1u << 20);
    bool poor = !options->only_rich && visitor_random(visitor, 5) == 0;
    char pet_id[VISITOR_PET_ID_SIZE];
    enum rpcrt_code code;

    visitor_pet_id(wanted % options->n_pets, pet_id);
    if (!cart_add(customer, pet_id) && !options->in_turn) {
        return;
    }
    key_make(customer, 2 * n, &told);
    code = checkout(customer, poor ? options->poor : options->rich, &told);
    if (code != RPCRT_OK && told.order_id[0] != '\0' && poor &&
        visitor_random(visitor, 2) == 0) {
        key_make(customer, 2 * n + 1, &told);
        code = checkout(customer, options->rich, &told);
    }
    if (code == RPCRT_OK && !options->only_rich &&
        visitor_random(visitor, 4) == 0) {
        give_up(customer, &told);
    }
    if (code != RPCRT_OK) {
        cart_remove(customer, pet_id);
    }
    customer->told[customer->n_told++] = told;
}

static void *
customer_run(void *arg)
{
    struct customer *customer = arg;
    struct customers *all = customer->all;

    for (unsigned i = 0;
         i < all->options.n_purchases && !atomic_load(&all->ending); i++) {
        buy(customer, i);
    }
    return NULL;
}

/* -- all of them ----------------------------------------------------------- */

struct customers *
customers_start(struct world *world, const struct customers_options *options)
{
    static unsigned round;
    struct customers *customers = calloc(1, sizeof(*customers));

    cr_assert_not_null(customers);
    cr_assert_leq(options->n_customers, CUSTOMERS_MAX);
    customers->options = *options;
    customers->round = round;
    for (unsigned i = 0; i < options->n_customers; i++) {
        struct customer *customer = &customers->items[i];

        customer->all = customers;
        customer->number = i;
        customer->told = calloc(options->n_purchases, sizeof(struct told));
        cr_assert_not_null(customer->told);
        (void)snprintf(customer->user, sizeof(customer->user), "customer-%u",
                       i);
        visitor_open(&customer->visitor, world, round * 1000 + i);
        visitor_enter(&customer->visitor, customer->user, CUSTOMERS_PASSWORD,
                      round == 0);
    }
    round++;
    for (unsigned i = 0; i < options->n_customers; i++) {
        cr_assert_eq(pthread_create(&customers->items[i].thread, NULL,
                                    customer_run, &customers->items[i]),
                     0);
    }
    return customers;
}

void
customers_end(struct customers *customers, bool now)
{
    atomic_store(&customers->ending, now);
    for (unsigned i = 0; i < customers->options.n_customers; i++) {
        (void)pthread_join(customers->items[i].thread, NULL);
        visitor_close(&customers->items[i].visitor);
    }
}

void
customers_take(struct customers *customers, struct told_list *list)
{
    for (unsigned i = 0; i < customers->options.n_customers; i++) {
        struct customer *customer = &customers->items[i];

        cr_assert_leq(list->n_items + customer->n_told, CUSTOMERS_TOLD_MAX);
        memcpy(&list->items[list->n_items], customer->told,
               customer->n_told * sizeof(struct told));
        list->n_items += customer->n_told;
        free(customer->told);
    }
    free(customers);
}
