/*
 * Somebody who calls a shop: see world.h.
 */
#include "tests/purchase/world.h"

#include "common/ids.h"
#include "support/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENCE_MS 60000
#define TRY_MS 3000u

void
visitor_open(struct visitor *visitor, struct world *world, unsigned seed)
{
    *visitor = (struct visitor){.seed = seed};
    for (unsigned i = 0; i < WORLD_SHOPS; i++) {
        cr_assert_eq(rpcrt_channel_new(world->parts[WORLD_SHOP_0 + i].address,
                                       NULL, &visitor->channels[i]),
                     RPCRT_OK, "%s", rpcrt_last_error());
        cr_assert_eq(
            rpcrt_call_new(visitor->channels[i], TRY_MS, &visitor->calls[i]),
            RPCRT_OK);
    }
    visitor->call = visitor->calls[0];
}

void
visitor_close(struct visitor *visitor)
{
    for (unsigned i = 0; i < WORLD_SHOPS; i++) {
        rpcrt_call_free(visitor->calls[i]);
        rpcrt_channel_free(visitor->channels[i]);
    }
}

unsigned
visitor_random(struct visitor *visitor, unsigned n)
{
    visitor->seed = visitor->seed * 1664525u + 1013904223u;
    return (visitor->seed >> 8) % n;
}

struct rpcrt_call *
visitor_choose(struct visitor *visitor)
{
    visitor->call = visitor->calls[visitor_random(visitor, WORLD_SHOPS)];
    return visitor->call;
}

bool
visitor_answered(const struct visitor *visitor, enum rpcrt_code code,
                 int64_t since_ms)
{
    const struct timespec moment = {0, 20000000};

    switch (code) {
    case RPCRT_UNAVAILABLE:
    case RPCRT_DEADLINE_EXCEEDED:
    case RPCRT_CANCELLED:
    case RPCRT_INTERNAL:
        break;
    case RPCRT_ABORTED:
        if (visitor_reason(visitor)[0] == '\0') {
            break;
        }
        return true;
    default:
        return true;
    }
    cr_assert_lt(common_monotonic_ms() - since_ms, PATIENCE_MS, "no answer: %s",
                 rpcrt_call_message(visitor->call));
    (void)nanosleep(&moment, NULL);
    return false;
}

const char *
visitor_reason(const struct visitor *visitor)
{
    static _Thread_local struct rpcrt_error_info info;

    return rpcrt_call_error_info(visitor->call, &info) ? info.reason : "";
}

void
visitor_enter(struct visitor *visitor, const char *user, const char *password,
              bool register_first)
{
    Petstore__V1__RegisterRequest registering =
        PETSTORE__V1__REGISTER_REQUEST__INIT;
    Petstore__V1__LoginRequest request = PETSTORE__V1__LOGIN_REQUEST__INIT;
    const Petstore__V1__RegisterReply *registered = NULL;
    const Petstore__V1__LoginReply *reply = NULL;

    if (register_first) {
        registering.user = user;
        registering.password = password;
        expect_ok(visitor->call,
                  petstore_register(visitor->call, &registering, &registered));
    }
    request.user = user;
    request.password = password;
    expect_ok(visitor->call, petstore_login(visitor->call, &request, &reply));
    (void)snprintf(visitor->token, sizeof(visitor->token), "Bearer %s",
                   reply->token);
    for (unsigned i = 0; i < WORLD_SHOPS; i++) {
        cr_assert_eq(rpcrt_call_set_metadata_text(
                         visitor->calls[i], "authorization", visitor->token),
                     RPCRT_OK);
    }
}

void
visitor_pet_id(unsigned n, char ret_id[VISITOR_PET_ID_SIZE])
{
    (void)snprintf(ret_id, VISITOR_PET_ID_SIZE, "pet-%u", n);
}

void
visitor_add_pet(struct visitor *visitor, unsigned n, int64_t price)
{
    char id[VISITOR_PET_ID_SIZE];
    Petstore__V1__AddPetRequest request = PETSTORE__V1__ADD_PET_REQUEST__INIT;
    Petstore__V1__Pet pet = PETSTORE__V1__PET__INIT;
    Petstore__V1__Money money = PETSTORE__V1__MONEY__INIT;
    const Petstore__V1__AddPetReply *reply = NULL;

    visitor_pet_id(n, id);
    money.minor = price;
    money.currency = "EUR";
    pet.id = id;
    pet.species = "cat";
    pet.name = id;
    pet.price = &money;
    request.pet = &pet;
    expect_ok(visitor->call, petstore_add_pet(visitor->call, &request, &reply));
}
