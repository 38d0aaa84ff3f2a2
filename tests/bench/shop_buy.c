/*
 * Customers in a closed loop: put a fresh pet into the cart, check out, again.
 * Each has a card of its own and logs in once.
 */
#include "bench/shop_buy.h"

#include "bench/load.h"
#include "bench/shop_pets.h"
#include "bench/shop_stack.h"
#include "bench/subject.h"

#include "payment/v1/payment.client.h"
#include "petstore/v1/petstore.client.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define CARD_SIZE 20u
#define CARD_MONTH 12u
#define CARD_YEAR 2098u
#define PASSWORD "four words are enough"
/* Purchases that tell how many pets will be needed. */
#define TRIAL_MIN 100u
#define TRIAL_EACH 20u
/* Pets for so many times what the trial's speed and the warm-up need. */
#define PETS_SPARE 3.0

struct customer {
    struct shop_customers *customers;
    unsigned number;
    unsigned purchases;
    char card[CARD_SIZE];
    char pet_id[SHOP_PET_ID_SIZE];
    struct rpcrt_call *cart;
    struct rpcrt_call *checkout;
};

struct shop_customers {
    struct shop_client *client;
    struct load *load;      /* either: for some time */
    struct shop_jobs *jobs; /* or: so many */
    uint64_t n_pets;
    atomic_uint_least64_t next_pet;
    unsigned n_items;
    struct customer *items;
};

/* -- a purchase ------------------------------------------------------------ */

static void cart_start(struct customer *customer);

static void
checked_out(struct rpcrt_call *call, void *arg)
{
    struct customer *customer = arg;
    struct shop_customers *customers = customer->customers;
    const Petstore__V1__CheckoutReply *reply;

    shop_must(petstore_checkout_take(call, &reply), call, "Checkout");
    if (customers->load == NULL) {
        shop_job_done(customers->jobs, customer->number);
    } else if (load_answered(customers->load, customer->number)) {
        cart_start(customer);
    }
}

static void
checkout_start(struct customer *customer)
{
    struct shop_customers *customers = customer->customers;
    Petstore__V1__CheckoutRequest request =
        PETSTORE__V1__CHECKOUT_REQUEST__INIT;
    Petstore__V1__Card card = PETSTORE__V1__CARD__INIT;
    char key[64];

    snprintf(key, sizeof(key), "%llx.%u.%u", customers->client->tag,
             customer->number, customer->purchases++);
    card.number = customer->card;
    card.expiry_month = CARD_MONTH;
    card.expiry_year = CARD_YEAR;
    request.idempotency_key = key;
    request.card = &card;
    petstore_checkout_start(customer->checkout, &request, checked_out,
                            customer);
}

static void
in_cart(struct rpcrt_call *call, void *arg)
{
    struct customer *customer = arg;
    const Petstore__V1__AddToCartReply *reply;

    shop_must(petstore_add_to_cart_take(call, &reply), call, "AddToCart");
    if (customer->customers->load != NULL) {
        load_restart(customer->customers->load, customer->number);
    }
    checkout_start(customer);
}

static void
cart_start(struct customer *customer)
{
    struct shop_customers *customers = customer->customers;
    Petstore__V1__AddToCartRequest request =
        PETSTORE__V1__ADD_TO_CART_REQUEST__INIT;
    uint64_t pet = atomic_fetch_add(&customers->next_pet, 1);

    if (pet >= customers->n_pets) {
        subject_fail("shop: all %llu pets were sold: the trial was too slow",
                     (unsigned long long)customers->n_pets);
    }
    shop_pet_id(customers->client, pet, customer->pet_id);
    request.pet_id = customer->pet_id;
    petstore_add_to_cart_start(customer->cart, &request, in_cart, customer);
}

static void
load_start(void *arg, unsigned slot)
{
    struct shop_customers *customers = arg;

    cart_start(&customers->items[slot]);
}

static void
job_start(void *arg, unsigned slot, uint64_t job)
{
    struct shop_customers *customers = arg;

    (void)job;
    cart_start(&customers->items[slot]);
}

/* -- customers ------------------------------------------------------------- */

/* A number with a right check digit (Luhn), different for each. */
static void
card_number(unsigned long long number, char ret_card[CARD_SIZE])
{
    unsigned sum = 0;

    snprintf(ret_card, CARD_SIZE, "4%014llu", number % 100000000000000u);
    for (unsigned i = 0; i < 15; i++) {
        unsigned digit = (unsigned)(ret_card[i] - '0') * (i % 2 == 0 ? 2 : 1);

        sum += digit > 9 ? digit - 9 : digit;
    }
    snprintf(ret_card + 15, CARD_SIZE - 15, "%u", (10 - sum % 10) % 10);
}

static void
card_issue(const struct shop_client *client, const char *number)
{
    struct rpcrt_call *call =
        shop_call_new(client->payment, SHOP_OPERATOR_TOKEN);
    Payment__V1__IssueCardRequest request =
        PAYMENT__V1__ISSUE_CARD_REQUEST__INIT;
    Payment__V1__Card card = PAYMENT__V1__CARD__INIT;
    Payment__V1__Money balance = PAYMENT__V1__MONEY__INIT;
    const Payment__V1__IssueCardReply *reply;

    card.number = number;
    card.expiry_month = CARD_MONTH;
    card.expiry_year = CARD_YEAR;
    balance.minor = 1000000000000;
    balance.currency = "EUR";
    request.idempotency_key = number;
    request.card = &card;
    request.balance = &balance;
    shop_must(payment_issue_card(call, &request, &reply), call, "IssueCard");
    rpcrt_call_free(call);
}

static void
user_register(const struct shop_client *client, const char *user)
{
    struct rpcrt_call *call = shop_call_new(client->shop, "none");
    Petstore__V1__RegisterRequest request =
        PETSTORE__V1__REGISTER_REQUEST__INIT;
    const Petstore__V1__RegisterReply *reply;

    request.user = user;
    request.password = PASSWORD;
    shop_must(petstore_register(call, &request, &reply), call, "Register");
    rpcrt_call_free(call);
}

static void
customer_make(struct shop_customers *customers, unsigned number)
{
    const struct shop_client *client = customers->client;
    struct customer *customer = &customers->items[number];
    char user[32];
    char token[SHOP_TOKEN_SIZE];

    customer->customers = customers;
    customer->number = number;
    /* Below 1000 customers a run, and runs are milliseconds apart. */
    card_number(client->tag * 1000 + number, customer->card);
    card_issue(client, customer->card);
    snprintf(user, sizeof(user), "c%llx.%u", client->tag, number);
    user_register(client, user);
    shop_login(client, user, PASSWORD, token);
    customer->cart = shop_call_new(client->shop, token);
    customer->checkout = shop_call_new(client->shop, token);
    /* By these the driver finds their traces in the logs of all three. */
    if (rpcrt_call_set_metadata_text(customer->cart, "call-id",
                                     SHOP_CART_CALL_ID) != RPCRT_OK ||
        rpcrt_call_set_metadata_text(customer->checkout, "call-id",
                                     SHOP_CHECKOUT_CALL_ID) != RPCRT_OK) {
        subject_fail("no memory");
    }
}

struct shop_customers *
shop_customers_new(struct shop_client *client, unsigned n)
{
    struct shop_customers *customers = calloc(1, sizeof(*customers));

    if (customers == NULL) {
        subject_fail("no memory");
    }
    customers->client = client;
    customers->n_items = n;
    customers->items = calloc(n, sizeof(*customers->items));
    if (customers->items == NULL) {
        subject_fail("no memory");
    }
    for (unsigned i = 0; i < n; i++) {
        customer_make(customers, i);
    }
    return customers;
}

void
shop_customers_free(struct shop_customers *customers)
{
    for (unsigned i = 0; i < customers->n_items; i++) {
        rpcrt_call_free(customers->items[i].cart);
        rpcrt_call_free(customers->items[i].checkout);
    }
    free(customers->items);
    free(customers);
}

/* -- runs ------------------------------------------------------------------ */

static void
pets_stock(struct shop_customers *customers, uint64_t n)
{
    uint64_t left = customers->n_pets - atomic_load(&customers->next_pet);

    if (left < n) {
        shop_pets_add(customers->client, customers->n_pets, n - left, NULL);
        customers->n_pets += n - left;
    }
}

void
shop_buy_prepare(struct shop_customers *customers, uint64_t n)
{
    pets_stock(customers, n);
}

void
shop_buy_some(struct shop_customers *customers, uint64_t n)
{
    pets_stock(customers, n);
    shop_jobs_run(customers->n_items, n, job_start, customers, NULL,
                  &customers->jobs);
}

void
shop_buy_measure(struct shop_customers *customers, double seconds)
{
    uint64_t trial = TRIAL_MIN + TRIAL_EACH * customers->n_items;
    double began_s;
    double per_s;

    pets_stock(customers, trial);
    began_s = shop_now_s();
    shop_buy_some(customers, trial);
    per_s = (double)trial / (shop_now_s() - began_s);
    pets_stock(customers,
               customers->n_items + (uint64_t)(PETS_SPARE * per_s * seconds));
    customers->load = load_new(customers->n_items);
    load_run(customers->load, seconds, load_start, customers);
    load_print(customers->load);
    load_free(customers->load);
    customers->load = NULL;
}
