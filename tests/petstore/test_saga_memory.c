/*
 * A Checkout without memory: whatever can't be had, it ends in a code, its
 * repeat or a rescuer finishes it, and pets, orders and payments agree.
 */
#include "tests/petstore/customer.h"
#include "tests/support/faulty_alloc.h"

#include <stdio.h>

#define TRIES_MAX 800u

/* One purchase whose allocation number n fails; false: it has fewer. */
static bool
buy_starved(struct world *w, struct customer *c, unsigned n,
            unsigned *ret_n_failed)
{
    enum rpcrt_code code;
    char key[16];

    (void)snprintf(key, sizeof(key), "k%u", n);
    world_pets(w, n, 1);
    world_cart(w, c->name, n, 1);
    faulty_alloc_fail_at(n);
    code = customer_checkout(c, key, FAKE_CARD, NULL);
    if (!faulty_alloc_failed()) {
        cr_assert_eq(code, RPCRT_OK, "%s", rpcrt_call_message(c->call));
        return false;
    }
    faulty_alloc_fail_at(FAULTY_ALLOC_NEVER);
    *ret_n_failed += code == RPCRT_OK ? 0 : 1;
    if (n % 2 == 0) {
        world_rescue(w);
    }
    code = customer_checkout(c, key, FAKE_CARD, NULL);
    cr_assert(code == RPCRT_OK || code == RPCRT_ABORTED, "%u: %s: %s", n,
              rpcrt_code_name(code), rpcrt_call_message(c->call));
    cr_assert_eq(world_pet_status(w, n),
                 code == RPCRT_OK ? PETSTORE__V1__PET_STATUS__SOLD
                                  : PETSTORE__V1__PET_STATUS__AVAILABLE);
    return true;
}

Test(memory, is_missed_by_a_checkout, .timeout = 240)
{
    struct customer c;
    struct world w;
    unsigned n_failed = 0;
    unsigned n = 0;

    faulty_alloc_install();
    world_start(&w);
    customer_come(&w, "anna", &c);
    while (n < TRIES_MAX && buy_starved(&w, &c, n, &n_failed)) {
        n++;
    }
    faulty_alloc_fail_at(FAULTY_ALLOC_NEVER);
    cr_expect_lt(n, TRIES_MAX);
    cr_expect_gt(n_failed, 0);
    world_audit(&w, true);
    customer_leave(&c);
    world_stop(&w);
    cr_expect_eq(faulty_alloc_live(), 0);
    faulty_alloc_remove();
}
