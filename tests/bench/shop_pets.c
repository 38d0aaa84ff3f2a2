/*
 * AddPet, many in flight.
 */
#include "bench/shop_pets.h"

#include "bench/subject.h"

#include "petstore/v1/petstore.client.h"

#include <stdio.h>

#define SLOTS 128u

struct adding;

struct slot {
    struct adding *adding;
    unsigned number;
    struct rpcrt_call *call;
};

struct adding {
    struct shop_client *client;
    uint64_t first;
    struct shop_jobs *jobs;
    struct slot slots[SLOTS];
};

void
shop_pet_id(const struct shop_client *client, uint64_t number,
            char ret_id[SHOP_PET_ID_SIZE])
{
    snprintf(ret_id, SHOP_PET_ID_SIZE, "%llx.%llu", client->tag,
             (unsigned long long)number);
}

int64_t
shop_pet_price(uint64_t number)
{
    return (int64_t)(100 * (1 + number / 4 % 25) + number / 100 % 100);
}

static void
added(struct rpcrt_call *call, void *arg)
{
    struct slot *slot = arg;
    const Petstore__V1__AddPetReply *reply;

    shop_must(petstore_add_pet_take(call, &reply), call, "AddPet");
    shop_job_done(slot->adding->jobs, slot->number);
}

static void
add_start(void *arg, unsigned slot, uint64_t job)
{
    static const char *const species[] = {SHOP_PET_SPECIES, "dog", "parrot",
                                          "tortoise"};
    struct adding *adding = arg;
    Petstore__V1__AddPetRequest request = PETSTORE__V1__ADD_PET_REQUEST__INIT;
    Petstore__V1__Pet pet = PETSTORE__V1__PET__INIT;
    Petstore__V1__Money price = PETSTORE__V1__MONEY__INIT;
    uint64_t number = adding->first + job;
    char id[SHOP_PET_ID_SIZE];
    char name[32];

    shop_pet_id(adding->client, number, id);
    snprintf(name, sizeof(name), "Pet %llu", (unsigned long long)number);
    price.minor = shop_pet_price(number);
    price.currency = "EUR";
    pet.id = id;
    pet.species = species[number % 4];
    pet.name = name;
    pet.price = &price;
    pet.description = "House-trained, likes children, sleeps a lot.";
    request.pet = &pet;
    petstore_add_pet_start(adding->slots[slot].call, &request, added,
                           &adding->slots[slot]);
}

double
shop_pets_add(struct shop_client *client, uint64_t first, uint64_t n,
              const char *progress)
{
    struct adding adding = {.client = client, .first = first};
    double began_s;
    double seconds;

    for (unsigned i = 0; i < SLOTS; i++) {
        adding.slots[i].adding = &adding;
        adding.slots[i].number = i;
        adding.slots[i].call = shop_call_new(client->shop, client->staff);
    }
    began_s = shop_now_s();
    shop_jobs_run(SLOTS, n, add_start, &adding, progress, &adding.jobs);
    seconds = shop_now_s() - began_s;
    for (unsigned i = 0; i < SLOTS; i++) {
        rpcrt_call_free(adding.slots[i].call);
    }
    return (double)n / seconds;
}
