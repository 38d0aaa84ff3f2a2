/*
 * The books: see books.h. First what each service keeps is checked by itself,
 * then the one against the other.
 */
#include "tests/purchase/books.h"

#include "common/ids.h"
#include "payment/record.pb-c.h"
#include "payment/v1/payment.pb-c.h"
#include "petstore/index.h"
#include "petstore/record.pb-c.h"
#include "petstore/v1/petstore.pb-c.h"
#include "tests/purchase/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUIET_MS 60000

/* Everything that is kept, at a quiet moment. */
struct kept {
    struct common_work *payment_work;
    struct common_work *shop_work;
    struct ledger cards;
    struct ledger accounts;
    struct ledger payments;
    struct ledger entries;
    struct ledger pets;
    struct ledger orders;
    struct ledger purchases; /* by idempotency key */
    struct ledger listed;    /* keys in the lists of what can be had */
};

static const Petstore__Record__Order *
order_of(const struct common_record *record)
{
    return record == NULL ? NULL : (const void *)record->message;
}

/* -- reading --------------------------------------------------------------- */

static size_t
open_orders(struct world *world)
{
    struct common_work *work = common_work_new(world->shops, NULL, NULL);
    struct ledger open;
    size_t n;

    cr_assert_not_null(work);
    ledger_read(work, "open/", NULL, &open);
    n = open.n_items;
    ledger_free(&open);
    common_work_free(work);
    return n;
}

/* No order has a way to go, without anybody's help. */
static void
quiet_wait(struct world *world)
{
    const struct timespec moment = {0, 20000000};
    int64_t began = common_monotonic_ms();

    while (open_orders(world) > 0) {
        cr_assert_lt(common_monotonic_ms() - began, QUIET_MS,
                     "orders are still open");
        (void)nanosleep(&moment, NULL);
    }
}

static void
kept_read(struct world *world, struct kept *kept)
{
    struct common_work *p = common_work_new(world->payments, NULL, NULL);
    struct common_work *s = common_work_new(world->shops, NULL, NULL);

    cr_assert(p != NULL && s != NULL);
    kept->payment_work = p;
    kept->shop_work = s;
    ledger_read(p, "card/", &payment__record__card__descriptor, &kept->cards);
    ledger_read(p, "account/", &payment__record__account__descriptor,
                &kept->accounts);
    ledger_read(p, "payment/", &payment__record__payment__descriptor,
                &kept->payments);
    ledger_read(p, "entry/", &payment__record__entry__descriptor,
                &kept->entries);
    ledger_read(s, "pet/", &petstore__record__pet__descriptor, &kept->pets);
    ledger_read(s, "order/", &petstore__record__order__descriptor,
                &kept->orders);
    ledger_read(s, "idem/", &petstore__record__once__descriptor,
                &kept->purchases);
    ledger_read(s, "list/free/", NULL, &kept->listed);
}

static void
kept_free(struct kept *kept)
{
    ledger_free(&kept->cards);
    ledger_free(&kept->accounts);
    ledger_free(&kept->payments);
    ledger_free(&kept->entries);
    ledger_free(&kept->pets);
    ledger_free(&kept->orders);
    ledger_free(&kept->purchases);
    ledger_free(&kept->listed);
    common_work_free(kept->payment_work);
    common_work_free(kept->shop_work);
}

/* -- money ----------------------------------------------------------------- */

/* What the entries make of an account. */
static int64_t
entries_replay(const struct kept *kept, const char *account)
{
    int64_t sum = 0;

    for (size_t i = 0; i < kept->entries.n_items; i++) {
        const Payment__Record__Entry *entry =
            (const void *)kept->entries.items[i]->message;

        if (strcmp(entry->debit, account) == 0) {
            sum -= entry->amount;
        }
        if (strcmp(entry->credit, account) == 0) {
            sum += entry->amount;
        }
    }
    return sum;
}

static int64_t
account_check(const struct kept *kept, const Payment__Record__Account *account)
{
    int64_t posted = account->credits_posted - account->debits_posted;

    cr_assert_eq(account->debits_pending, 0, "account %s: %lld are held",
                 account->id, (long long)account->debits_pending);
    cr_assert_eq(posted, entries_replay(kept, account->id),
                 "account %s: has %lld, its entries make %lld", account->id,
                 (long long)posted,
                 (long long)entries_replay(kept, account->id));
    return posted;
}

static void
money_check(const struct kept *kept)
{
    int64_t sum = 0;

    for (size_t i = 0; i < kept->cards.n_items; i++) {
        const Payment__Record__Card *card =
            (const void *)kept->cards.items[i]->message;
        int64_t posted = account_check(kept, card->account);

        cr_assert_geq(posted, 0, "card %s is overdrawn", card->last4);
        sum += posted;
    }
    for (size_t i = 0; i < kept->accounts.n_items; i++) {
        sum +=
            account_check(kept, (const void *)kept->accounts.items[i]->message);
    }
    cr_assert_eq(sum, 0, "all accounts together have %lld", (long long)sum);
}

/* -- payments and orders --------------------------------------------------- */

/* The order that a payment was made for: its key is the order's id and the
 * number of the attempt. */
static const Petstore__Record__Order *
payment_order(const struct kept *kept, const Payment__Record__Payment *payment)
{
    char id[64] = "";

    strncat(id, payment->authorize_key, sizeof(id) - 1);
    id[strcspn(id, ".")] = '\0';
    return order_of(ledger_find(&kept->orders, "order/", id));
}

static void
payment_check(const struct kept *kept, const Payment__Record__Payment *payment,
              struct books *books)
{
    const Petstore__Record__Order *order = payment_order(kept, payment);
    uint32_t wanted = payment->state == PAYMENT__V1__STATE__CAPTURED
                          ? PETSTORE__V1__ORDER_STATE__PAID
                          : PETSTORE__V1__ORDER_STATE__REFUNDED;

    cr_assert_neq(payment->state, PAYMENT__V1__STATE__AUTHORIZED,
                  "payment %s (%s) is held for ever", payment->id,
                  payment->authorize_key);
    if (payment->captured == 0) {
        return;
    }
    cr_assert_not_null(order, "payment %s has no order", payment->id);
    cr_assert_eq(order->state, wanted, "payment %s in state %u, order %s in %u",
                 payment->id, payment->state, order->id, order->state);
    cr_assert_str_eq(order->payment_id, payment->id);
    cr_assert_eq(payment->captured, order->total);
    cr_assert_eq(payment->refunded,
                 wanted == PETSTORE__V1__ORDER_STATE__PAID ? 0 : order->total);
    books->taken += payment->captured - payment->refunded;
}

static void
order_check(const struct kept *kept, const Petstore__Record__Order *order,
            struct books *books)
{
    const struct common_record *payment =
        ledger_find(&kept->payments, "payment/", order->payment_id);
    bool paid = order->state == PETSTORE__V1__ORDER_STATE__PAID;
    bool refunded = order->state == PETSTORE__V1__ORDER_STATE__REFUNDED;

    cr_assert(paid || refunded ||
                  order->state == PETSTORE__V1__ORDER_STATE__CANCELLED,
              "order %s rests in state %u", order->id, order->state);
    books->n_paid += paid;
    books->n_refunded += refunded;
    if (paid || refunded) {
        const Payment__Record__Payment *message;

        cr_assert_not_null(payment, "order %s has no payment", order->id);
        message = (const void *)payment->message;
        cr_assert_eq(message->captured, order->total, "order %s is not paid",
                     order->id);
    }
    for (size_t i = 0; paid && i < order->n_items; i++) {
        const struct common_record *pet =
            ledger_find(&kept->pets, "pet/", order->items[i]->pet_id);

        cr_assert_not_null(pet, "%s was sold and is gone",
                           order->items[i]->pet_id);
        cr_assert_str_eq(
            ((const Petstore__Record__Pet *)(const void *)pet->message)
                ->order_id,
            order->id, "%s was sold twice", order->items[i]->pet_id);
        books->n_sold++;
    }
}

/* -- pets ------------------------------------------------------------------ */

static void
pets_check(const struct kept *kept, const struct books *books)
{
    unsigned n_sold = 0;

    for (size_t i = 0; i < kept->pets.n_items; i++) {
        const Petstore__Record__Pet *pet =
            (const void *)kept->pets.items[i]->message;

        if (pet->status == PETSTORE__V1__PET_STATUS__SOLD) {
            const Petstore__Record__Order *order =
                order_of(ledger_find(&kept->orders, "order/", pet->order_id));

            cr_assert_not_null(order, "%s is sold without an order", pet->id);
            cr_assert_eq(order->state, PETSTORE__V1__ORDER_STATE__PAID,
                         "%s is sold by order %s in state %u", pet->id,
                         order->id, order->state);
            n_sold++;
        } else {
            cr_assert_eq(pet->status, PETSTORE__V1__PET_STATUS__AVAILABLE,
                         "%s is reserved for ever", pet->id);
        }
    }
    cr_assert_eq(n_sold, books->n_sold, "%u pets are sold, %u stand in orders",
                 n_sold, books->n_sold);
    cr_assert_eq(kept->listed.n_items,
                 (kept->pets.n_items - n_sold) * SHOP_INDEX_KEYS,
                 "%zu places in lists for %zu pets", kept->listed.n_items,
                 kept->pets.n_items - n_sold);
}

/* -- customers ------------------------------------------------------------- */

static void
told_check(const struct kept *kept, const struct told *told)
{
    const struct common_record *purchase;
    const Petstore__Record__Order *order;
    const char *made = NULL; /* the order that the key has made */
    uint32_t wanted = !told->paid      ? PETSTORE__V1__ORDER_STATE__CANCELLED
                      : told->given_up ? PETSTORE__V1__ORDER_STATE__REFUNDED
                                       : PETSTORE__V1__ORDER_STATE__PAID;
    char name[64];

    (void)snprintf(name, sizeof(name), "%s/%s", told->user, told->key);
    purchase = ledger_find(&kept->purchases, "idem/", name);
    if (purchase != NULL) {
        made = ((const Petstore__Record__Once *)(const void *)purchase->message)
                   ->order_id;
    }
    if (told->order_id[0] == '\0' && made == NULL) {
        return;
    }
    order = order_of(ledger_find(&kept->orders, "order/",
                                 made == NULL ? told->order_id : made));
    cr_assert_not_null(order, "purchase %s has lost its order", name);
    if (told->order_id[0] != '\0') {
        cr_assert_str_eq(order->id, told->order_id);
        cr_assert_eq(order->state, wanted,
                     "purchase %s: told %s, order %s is in state %u", name,
                     told->paid ? "paid" : "refused", order->id, order->state);
    } else {
        cr_assert_neq(order->state, PETSTORE__V1__ORDER_STATE__PAID,
                      "purchase %s was refused and is paid", name);
    }
}

void
books_check(struct world *world, const struct told *told, size_t n_told,
            struct books *ret_books)
{
    struct books books = {.n_pets = 0};
    struct kept kept;

    quiet_wait(world);
    kept_read(world, &kept);
    money_check(&kept);
    for (size_t i = 0; i < kept.payments.n_items; i++) {
        payment_check(&kept, (const void *)kept.payments.items[i]->message,
                      &books);
    }
    for (size_t i = 0; i < kept.orders.n_items; i++) {
        order_check(&kept, (const void *)kept.orders.items[i]->message, &books);
    }
    pets_check(&kept, &books);
    for (size_t i = 0; i < n_told; i++) {
        told_check(&kept, &told[i]);
    }
    books.n_pets = (unsigned)kept.pets.n_items;
    books.n_orders = (unsigned)kept.orders.n_items;
    books.n_payments = (unsigned)kept.payments.n_items;
    kept_free(&kept);
    *ret_books = books;
}
