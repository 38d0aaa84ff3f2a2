/*
 * Pets in the store: see pet_record.h.
 */
#include "petstore/pet_record.h"
#include "petstore/index.h"
#include "petstore/money.h"
#include "petstore/text.h"

#include <string.h>

/* Index keys of a pet in a scope; none where it does not stand in it. */
struct entries {
    bool present;
    char keys[SHOP_INDEX_KEYS][SHOP_INDEX_KEY_SIZE];
};

bool
shop_pet_id_ok(const char *id)
{
    return shop_word_ok(id, 1, 64,
                        "abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
}

static char *
pet_key(struct common_work *work, const char *id)
{
    return common_work_format(work, "pet/%s", id);
}

void
shop_pet_read(struct common_work *work, const char *id,
              struct common_record *ret_record)
{
    common_read(work, pet_key(work, id), &petstore__record__pet__descriptor,
                ret_record);
}

const Petstore__Record__Pet *
shop_pet_of(const struct common_record *record)
{
    return (const Petstore__Record__Pet *)record->message;
}

static void
entries_make(const Petstore__Record__Pet *pet, enum shop_scope scope,
             struct entries *ret_entries)
{
    ret_entries->present =
        pet != NULL && (scope == SHOP_SCOPE_ALL ||
                        pet->status == PETSTORE__V1__PET_STATUS__AVAILABLE);
    if (ret_entries->present) {
        shop_index_keys(pet, scope, ret_entries->keys);
    }
}

static void
entries_change(struct common_work *work, const struct entries *before,
               const struct entries *after)
{
    size_t i;

    for (i = 0; i < SHOP_INDEX_KEYS; i++) {
        bool same = before->present && after->present &&
                    strcmp(before->keys[i], after->keys[i]) == 0;

        if (before->present && !same) {
            common_delete(work, before->keys[i]);
        }
        if (after->present && !same) {
            common_put(work, after->keys[i], NULL);
        }
    }
}

void
shop_pet_put(struct common_work *work, const Petstore__Record__Pet *before,
             const Petstore__Record__Pet *after)
{
    static const enum shop_scope scopes[] = {SHOP_SCOPE_ALL, SHOP_SCOPE_FREE};
    const char *key = pet_key(work, after == NULL ? before->id : after->id);
    struct entries old;
    struct entries new;
    size_t i;

    if (key == NULL) {
        return;
    }
    if (after == NULL) {
        common_delete(work, key);
    } else {
        common_put(work, key, &after->base);
    }
    for (i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
        entries_make(before, scopes[i], &old);
        entries_make(after, scopes[i], &new);
        entries_change(work, &old, &new);
    }
}

Petstore__V1__Pet *
shop_pet_message(const struct shop_service *service, struct rpcrt_ctx *ctx,
                 const Petstore__Record__Pet *record)
{
    Petstore__V1__Pet *pet = rpcrt_ctx_alloc(ctx, sizeof(*pet));

    if (pet == NULL) {
        return NULL;
    }
    petstore__v1__pet__init(pet);
    pet->id = record->id;
    pet->species = record->species;
    pet->name = record->name;
    pet->description = record->description;
    pet->status = (Petstore__V1__PetStatus)record->status;
    pet->price = shop_money_make(service, ctx, record->price);
    return pet->price == NULL ? NULL : pet;
}
