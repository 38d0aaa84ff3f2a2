/*
 * AddPet, UpdatePet, GetPet and RemovePet: see pets.h.
 */
#include "petstore/pets.h"
#include "common/ids.h"
#include "petstore/again.h"
#include "petstore/money.h"
#include "petstore/pet_record.h"
#include "petstore/refuse.h"
#include "petstore/session.h"
#include "petstore/text.h"
#include "petstore/v1/petstore.rpc.h"

#include <string.h>

#define NAME_MAX_CHARACTERS 80u
#define DESCRIPTION_MAX 1000u

/* What the handlers of pets work with. */
struct job {
    const struct shop_service *service;
    struct rpcrt_ctx *ctx;
    struct common_work *work;
};

/* Begin a job for a user; staff where it is needed. job_end() in any case. */
static enum rpcrt_code
job_begin(void *self, struct rpcrt_ctx *ctx, bool staff_needed,
          struct job *ret_job)
{
    struct shop_user user;

    ret_job->service = self;
    ret_job->ctx = ctx;
    ret_job->work = common_work_new(ret_job->service->store, ctx, NULL);
    return shop_session_check(self, ctx, ret_job->work, staff_needed, &user);
}

static void
job_end(struct job *job)
{
    common_work_free(job->work);
}

/* -- rules ----------------------------------------------------------------- */

static enum rpcrt_code
invalid(struct rpcrt_ctx *ctx, const char *field, const char *why)
{
    return shop_refuse(ctx, RPCRT_INVALID_ARGUMENT,
                       PETSTORE__V1__REASON__PET_INVALID, "%s %s", field, why);
}

/* Whether id and texts of a pet are as petstore.proto says. */
static enum rpcrt_code
texts_check(struct rpcrt_ctx *ctx, const Petstore__Record__Pet *pet)
{
    if (!shop_pet_id_ok(pet->id)) {
        return invalid(ctx, "id",
                       "has not 1 to 64 letters, digits, '-', '_', '.'");
    }
    if (!shop_text_ok(pet->species, 1, SHOP_SPECIES_MAX)) {
        return invalid(ctx, "species",
                       "has not 1 to 40 characters, controls excluded");
    }
    if (!shop_text_ok(pet->name, 1, NAME_MAX_CHARACTERS)) {
        return invalid(ctx, "name",
                       "has not 1 to 80 characters, controls excluded");
    }
    if (!shop_text_ok(pet->description, 0, DESCRIPTION_MAX)) {
        return invalid(ctx, "description",
                       "has more than 1,000 characters, or controls");
    }
    return RPCRT_OK;
}

static enum rpcrt_code
price_check(const struct job *job, const Petstore__V1__Money *price)
{
    const char *why = shop_price_check(job->service, price);

    return why == NULL ? RPCRT_OK : invalid(job->ctx, "price", why);
}

static enum rpcrt_code
answer(const struct job *job, const Petstore__Record__Pet *pet,
       Petstore__V1__Pet **ret_pet)
{
    *ret_pet = shop_pet_message(job->service, job->ctx, pet);
    return *ret_pet == NULL ? rpcrt_ctx_no_memory(job->ctx) : RPCRT_OK;
}

/* -- AddPet ---------------------------------------------------------------- */

static enum rpcrt_code
pet_make(const struct job *job, const Petstore__V1__Pet *asked,
         Petstore__Record__Pet *ret_pet)
{
    enum rpcrt_code code;

    petstore__record__pet__init(ret_pet);
    if (asked == NULL) {
        return invalid(job->ctx, "pet", "is missing");
    }
    ret_pet->id = asked->id;
    if (asked->id[0] == '\0') {
        char *id = rpcrt_ctx_alloc(job->ctx, COMMON_ID_SIZE);

        if (id == NULL) {
            return rpcrt_ctx_no_memory(job->ctx);
        }
        common_id_make(id);
        ret_pet->id = id;
    }
    ret_pet->species = shop_text_lower_copy(job->ctx, asked->species);
    if (ret_pet->species == NULL) {
        return rpcrt_ctx_no_memory(job->ctx);
    }
    ret_pet->name = asked->name;
    ret_pet->description = asked->description;
    ret_pet->status = PETSTORE__V1__PET_STATUS__AVAILABLE;
    ret_pet->added_at_ms = shop_now_ms(job->service);
    code = texts_check(job->ctx, ret_pet);
    if (code == RPCRT_OK) {
        code = price_check(job, asked->price);
    }
    if (code == RPCRT_OK) {
        ret_pet->price = asked->price->minor;
    }
    return code;
}

static bool
pet_same(const Petstore__Record__Pet *a, const Petstore__Record__Pet *b)
{
    return strcmp(a->species, b->species) == 0 &&
           strcmp(a->name, b->name) == 0 && a->price == b->price &&
           strcmp(a->description, b->description) == 0;
}

/* One try; ABORTED: again. */
static enum rpcrt_code
add_try(const struct job *job, const Petstore__Record__Pet *pet,
        Petstore__V1__AddPetReply *reply)
{
    const Petstore__Record__Pet *old;
    struct common_record record;
    enum rpcrt_code code;

    shop_pet_read(job->work, pet->id, &record);
    if (common_read_now(job->work) != RPCRT_OK) {
        return common_work_fail(job->work, job->ctx);
    }
    old = shop_pet_of(&record);
    if (old != NULL && !pet_same(old, pet)) {
        return shop_refuse(job->ctx, RPCRT_ALREADY_EXISTS,
                           PETSTORE__V1__REASON__PET_EXISTS,
                           "there is another pet '%s'", pet->id);
    }
    if (old == NULL) {
        common_expect(job->work, &record);
        shop_pet_put(job->work, NULL, pet);
        code = common_commit(job->work);
        if (code != RPCRT_OK) {
            return common_work_fail(job->work, job->ctx);
        }
    }
    return answer(job, old == NULL ? pet : old, &reply->pet);
}

enum rpcrt_code
shop_pets_add(void *self, struct rpcrt_ctx *ctx,
              const Petstore__V1__AddPetRequest *request,
              Petstore__V1__AddPetReply *reply)
{
    struct job job;
    Petstore__Record__Pet pet;
    unsigned tries = 0;
    enum rpcrt_code code = job_begin(self, ctx, true, &job);

    if (code == RPCRT_OK) {
        code = pet_make(&job, request->pet, &pet);
    }
    if (code == RPCRT_OK) {
        do {
            code = add_try(&job, &pet, reply);
        } while (code == RPCRT_ABORTED && shop_again(ctx, &tries));
    }
    job_end(&job);
    return code;
}

/* -- pets that are there --------------------------------------------------- */

static enum rpcrt_code
pet_find(const struct job *job, const char *id, struct common_record *ret)
{
    if (!shop_pet_id_ok(id)) {
        return shop_refuse_pet_unknown(job->ctx, id);
    }
    shop_pet_read(job->work, id, ret);
    if (common_read_now(job->work) != RPCRT_OK) {
        return common_work_fail(job->work, job->ctx);
    }
    return ret->message == NULL ? shop_refuse_pet_unknown(job->ctx, id)
                                : RPCRT_OK;
}

static enum rpcrt_code
available_check(const struct job *job, const Petstore__Record__Pet *pet)
{
    return pet->status == PETSTORE__V1__PET_STATUS__AVAILABLE
               ? RPCRT_OK
               : shop_refuse(job->ctx, RPCRT_FAILED_PRECONDITION,
                             PETSTORE__V1__REASON__PET_NOT_AVAILABLE,
                             "the pet '%s' is %s", pet->id,
                             pet->status == PETSTORE__V1__PET_STATUS__SOLD
                                 ? "sold"
                                 : "reserved");
}

enum rpcrt_code
shop_pets_get(void *self, struct rpcrt_ctx *ctx,
              const Petstore__V1__GetPetRequest *request,
              Petstore__V1__GetPetReply *reply)
{
    struct job job;
    struct common_record record;
    enum rpcrt_code code = job_begin(self, ctx, false, &job);

    if (code == RPCRT_OK) {
        code = pet_find(&job, request->pet_id, &record);
    }
    if (code == RPCRT_OK) {
        code = answer(&job, shop_pet_of(&record), &reply->pet);
    }
    job_end(&job);
    return code;
}

/* -- UpdatePet ------------------------------------------------------------- */

/* What a pet becomes. */
static enum rpcrt_code
pet_change(const struct job *job, const Petstore__Record__Pet *before,
           const Petstore__V1__UpdatePetRequest *asked,
           Petstore__Record__Pet *ret_after)
{
    enum rpcrt_code code;

    *ret_after = *before;
    if (asked->species[0] != '\0') {
        ret_after->species = shop_text_lower_copy(job->ctx, asked->species);
        if (ret_after->species == NULL) {
            return rpcrt_ctx_no_memory(job->ctx);
        }
    }
    if (asked->name[0] != '\0') {
        ret_after->name = asked->name;
    }
    if (petstore__v1__update_pet_request__has_description(asked)) {
        ret_after->description = asked->description;
    }
    code = texts_check(job->ctx, ret_after);
    if (code == RPCRT_OK && asked->price != NULL) {
        code = price_check(job, asked->price);
        ret_after->price = asked->price->minor;
    }
    return code;
}

/* One try; ABORTED: again. */
static enum rpcrt_code
update_try(const struct job *job, const Petstore__V1__UpdatePetRequest *request,
           Petstore__V1__UpdatePetReply *reply)
{
    struct common_record record;
    Petstore__Record__Pet after;
    enum rpcrt_code code = pet_find(job, request->pet_id, &record);

    if (code == RPCRT_OK) {
        code = available_check(job, shop_pet_of(&record));
    }
    if (code == RPCRT_OK) {
        code = pet_change(job, shop_pet_of(&record), request, &after);
    }
    if (code != RPCRT_OK) {
        return code;
    }
    common_expect(job->work, &record);
    shop_pet_put(job->work, shop_pet_of(&record), &after);
    code = common_commit(job->work);
    if (code != RPCRT_OK) {
        return common_work_fail(job->work, job->ctx);
    }
    return answer(job, &after, &reply->pet);
}

enum rpcrt_code
shop_pets_update(void *self, struct rpcrt_ctx *ctx,
                 const Petstore__V1__UpdatePetRequest *request,
                 Petstore__V1__UpdatePetReply *reply)
{
    struct job job;
    unsigned tries = 0;
    enum rpcrt_code code = job_begin(self, ctx, true, &job);

    if (code == RPCRT_OK) {
        do {
            code = update_try(&job, request, reply);
        } while (code == RPCRT_ABORTED && shop_again(ctx, &tries));
    }
    job_end(&job);
    return code;
}

/* -- RemovePet ------------------------------------------------------------- */

/* One try; ABORTED: again. */
static enum rpcrt_code
remove_try(const struct job *job, const char *id)
{
    struct common_record record;
    enum rpcrt_code code = pet_find(job, id, &record);

    if (code == RPCRT_OK) {
        code = available_check(job, shop_pet_of(&record));
    }
    if (code != RPCRT_OK) {
        return code;
    }
    common_expect(job->work, &record);
    shop_pet_put(job->work, shop_pet_of(&record), NULL);
    code = common_commit(job->work);
    return code == RPCRT_OK ? code : common_work_fail(job->work, job->ctx);
}

enum rpcrt_code
shop_pets_remove(void *self, struct rpcrt_ctx *ctx,
                 const Petstore__V1__RemovePetRequest *request,
                 Petstore__V1__RemovePetReply *reply)
{
    struct job job;
    unsigned tries = 0;
    enum rpcrt_code code = job_begin(self, ctx, true, &job);

    (void)reply;
    if (code == RPCRT_OK) {
        do {
            code = remove_try(&job, request->pet_id);
        } while (code == RPCRT_ABORTED && shop_again(ctx, &tries));
        /* It was there when this call began: a commit that only deletes leaves
         * nothing that tells whether it was ours. */
        if (code == RPCRT_NOT_FOUND && tries > 0) {
            code = RPCRT_OK;
        }
    }
    job_end(&job);
    return code;
}
