/*
 * ListPets: see list.h.
 */
#include "petstore/list.h"
#include "common/ids.h"
#include "petstore/index.h"
#include "petstore/money.h"
#include "petstore/pet_record.h"
#include "petstore/refuse.h"
#include "petstore/session.h"
#include "petstore/text.h"

#include <inttypes.h>
#include <string.h>

#define PAGE_DEFAULT 20u
#define PAGE_MAX 100u
#define TEXT_MAX 100u

/* One page, from the request to the reply. */
struct listing {
    const struct shop_service *service;
    struct rpcrt_ctx *ctx;
    struct common_work *work;
    const Petstore__V1__ListPetsRequest *request;
    Petstore__V1__ListPetsReply *reply;

    char *species; /* in lower case, like text; "": all */
    char *text;
    uint32_t page_size;
    int64_t price_min;
    int64_t price_max;
    const char *scope;       /* of page tokens: all that is asked for */
    struct common_span span; /* of the index */
    bool complete;           /* the span has all that is asked for */
    char prefix[SHOP_INDEX_KEY_SIZE];
    char first[SHOP_INDEX_KEY_SIZE];
    char end[SHOP_INDEX_KEY_SIZE];
    char after[SHOP_INDEX_KEY_SIZE];
};

static enum rpcrt_code
invalid(struct rpcrt_ctx *ctx, const char *text)
{
    return rpcrt_ctx_fail(ctx, RPCRT_INVALID_ARGUMENT, "%s", text);
}

/* -- what is asked for ----------------------------------------------------- */

static enum rpcrt_code
request_check(const struct listing *list)
{
    const Petstore__V1__ListPetsRequest *request = list->request;

    if (request->species[0] != '\0' &&
        !shop_text_ok(request->species, 1, SHOP_SPECIES_MAX)) {
        return invalid(list->ctx, "species: expected up to 40 characters, "
                                  "controls excluded");
    }
    if (!shop_text_ok(request->text, 0, TEXT_MAX)) {
        return invalid(list->ctx, "text: expected up to 100 characters, "
                                  "controls excluded");
    }
    if (request->price_min < 0 || request->price_max < 0) {
        return invalid(list->ctx, "price_min, price_max: below zero");
    }
    if (protobuf_c_enum_descriptor_get_value(
            &petstore__v1__list_pets_request__sort__descriptor,
            (int)request->sort) == NULL) {
        return invalid(list->ctx, "sort: unknown");
    }
    return RPCRT_OK;
}

static enum rpcrt_code
listing_begin(struct listing *list)
{
    const Petstore__V1__ListPetsRequest *request = list->request;
    enum rpcrt_code code = request_check(list);

    if (code != RPCRT_OK) {
        return code;
    }
    list->species = shop_text_lower_copy(list->ctx, request->species);
    list->text = shop_text_lower_copy(list->ctx, request->text);
    if (list->species == NULL || list->text == NULL) {
        return rpcrt_ctx_no_memory(list->ctx);
    }
    list->page_size = request->page_size == 0          ? PAGE_DEFAULT
                      : request->page_size <= PAGE_MAX ? request->page_size
                                                       : PAGE_MAX;
    list->price_min = request->price_min;
    list->price_max =
        request->price_max == 0 || request->price_max > SHOP_PRICE_MAX
            ? SHOP_PRICE_MAX
            : request->price_max;
    /* No text has a line's end, so no two requests have the same scope. */
    list->scope = common_work_format(
        list->work, "pets\n%s\n%" PRId64 "\n%" PRId64 "\n%s\n%d\n%d",
        list->species, list->price_min, list->price_max, list->text,
        request->with_unavailable, (int)request->sort);
    return list->scope == NULL ? common_work_fail(list->work, list->ctx)
                               : RPCRT_OK;
}

/* -- the span of the index ------------------------------------------------- */

static enum shop_order
order_of(Petstore__V1__ListPetsRequest__Sort sort)
{
    switch (sort) {
    case PETSTORE__V1__LIST_PETS_REQUEST__SORT__NAME:
        return SHOP_ORDER_NAME;
    case PETSTORE__V1__LIST_PETS_REQUEST__SORT__NEWEST:
        return SHOP_ORDER_NEWEST;
    default:
        return SHOP_ORDER_PRICE;
    }
}

/* A range of prices is a part of the lists by price, and a filter in others. */
static void
span_set_prices(struct listing *list, enum shop_order order)
{
    bool all = list->price_min <= 1 && list->price_max == SHOP_PRICE_MAX;

    if (order != SHOP_ORDER_PRICE || all) {
        list->complete = list->complete && all;
        return;
    }
    shop_index_price(list->prefix, list->price_min, list->first);
    shop_index_price(list->prefix, list->price_max + 1, list->end);
    list->span.first = list->first;
    list->span.end = list->end;
}

static enum rpcrt_code
span_set_token(struct listing *list)
{
    const char *token = list->request->page_token;

    if (token[0] == '\0') {
        return RPCRT_OK;
    }
    if (!common_page_token_read(list->scope, token, list->after,
                                sizeof(list->after)) ||
        strncmp(list->after, list->prefix, strlen(list->prefix)) != 0) {
        return shop_refuse(list->ctx, RPCRT_INVALID_ARGUMENT,
                           PETSTORE__V1__REASON__PAGE_TOKEN_INVALID,
                           "the page token is not one of this list");
    }
    list->span.after = list->after;
    return RPCRT_OK;
}

static enum rpcrt_code
span_make(struct listing *list)
{
    Petstore__V1__ListPetsRequest__Sort sort = list->request->sort;
    enum shop_order order = order_of(sort);

    shop_index_prefix(
        list->request->with_unavailable ? SHOP_SCOPE_ALL : SHOP_SCOPE_FREE,
        order, list->species[0] == '\0' ? NULL : list->species, list->prefix);
    list->complete = list->text[0] == '\0';
    list->span.first = list->prefix;
    list->span.keys_only = true;
    list->span.reverse =
        sort == PETSTORE__V1__LIST_PETS_REQUEST__SORT__NEWEST ||
        sort == PETSTORE__V1__LIST_PETS_REQUEST__SORT__PRICE_DESCENDING;
    span_set_prices(list, order);
    list->span.limit = list->complete ? list->page_size : SHOP_LIST_LOOK_MAX;
    return span_set_token(list);
}

/* -- the page -------------------------------------------------------------- */

/* Whether a pet is what is asked for. Between its index and its record it may
 * have changed, and what an index has cut off is told only by the record. */
static bool
wanted(const struct listing *list, const Petstore__Record__Pet *pet)
{
    return pet != NULL &&
           (list->request->with_unavailable ||
            pet->status == PETSTORE__V1__PET_STATUS__AVAILABLE) &&
           (list->species[0] == '\0' ||
            strcmp(list->species, pet->species) == 0) &&
           pet->price >= list->price_min && pet->price <= list->price_max &&
           (shop_text_has(pet->name, list->text) ||
            shop_text_has(pet->description, list->text));
}

/* Put pets into the reply until it is full; *ret_n: how many were looked at. */
static enum rpcrt_code
take(struct listing *list, const struct common_record *pets, size_t n,
     size_t *ret_n)
{
    Petstore__V1__ListPetsReply *reply = list->reply;
    size_t i;

    for (i = 0; i < n && reply->n_pets < list->page_size; i++) {
        const Petstore__Record__Pet *pet = shop_pet_of(&pets[i]);

        if (!wanted(list, pet)) {
            continue;
        }
        reply->pets[reply->n_pets] =
            shop_pet_message(list->service, list->ctx, pet);
        if (reply->pets[reply->n_pets] == NULL) {
            return rpcrt_ctx_no_memory(list->ctx);
        }
        reply->n_pets++;
    }
    *ret_n = i;
    return RPCRT_OK;
}

/* Look at the pets of index keys; *ret_looked: at how many. */
static enum rpcrt_code
look(struct listing *list, const struct common_page *page, size_t *ret_looked)
{
    struct common_record pets[COMMON_OPERATIONS_MAX];
    size_t looked = 0;

    while (looked < page->n_records && list->reply->n_pets < list->page_size) {
        size_t n = page->n_records - looked;
        size_t i;
        enum rpcrt_code code;

        n = n < COMMON_OPERATIONS_MAX ? n : COMMON_OPERATIONS_MAX;
        for (i = 0; i < n; i++) {
            shop_pet_read(list->work,
                          shop_index_id(page->records[looked + i].key),
                          &pets[i]);
        }
        if (common_read_now(list->work) != RPCRT_OK) {
            return common_work_fail(list->work, list->ctx);
        }
        code = take(list, pets, n, &n);
        if (code != RPCRT_OK) {
            return code;
        }
        looked += n;
    }
    *ret_looked = looked;
    return RPCRT_OK;
}

static enum rpcrt_code
token_make(const struct listing *list, const char *key)
{
    char *token = rpcrt_ctx_alloc(list->ctx, COMMON_PAGE_TOKEN_SIZE);

    if (token == NULL) {
        return rpcrt_ctx_no_memory(list->ctx);
    }
    if (!common_page_token_make(list->scope, key, token)) {
        return rpcrt_ctx_fail(list->ctx, RPCRT_INTERNAL,
                              "a page token has no room for its key");
    }
    list->reply->next_page_token = token;
    return RPCRT_OK;
}

static enum rpcrt_code
page_make(struct listing *list)
{
    struct common_page page;
    size_t looked = 0;
    enum rpcrt_code code;

    list->reply->pets = rpcrt_ctx_alloc(
        list->ctx, list->page_size * sizeof(list->reply->pets[0]));
    if (list->reply->pets == NULL) {
        return rpcrt_ctx_no_memory(list->ctx);
    }
    if (common_scan(list->work, &list->span, NULL, &page) != RPCRT_OK) {
        return common_work_fail(list->work, list->ctx);
    }
    code = look(list, &page, &looked);
    if (code == RPCRT_OK && looked > 0 &&
        (looked < page.n_records || page.more)) {
        code = token_make(list, page.records[looked - 1].key);
    }
    return code;
}

enum rpcrt_code
shop_pets_list(void *self, struct rpcrt_ctx *ctx,
               const Petstore__V1__ListPetsRequest *request,
               Petstore__V1__ListPetsReply *reply)
{
    struct listing list = {
        .service = self, .ctx = ctx, .request = request, .reply = reply};
    struct shop_user user;
    enum rpcrt_code code;

    list.work = common_work_new(list.service->store, ctx, NULL);
    code = shop_session_check(self, ctx, list.work, false, &user);
    if (code == RPCRT_OK) {
        code = listing_begin(&list);
    }
    if (code == RPCRT_OK) {
        code = span_make(&list);
    }
    if (code == RPCRT_OK) {
        code = page_make(&list);
    }
    common_work_free(list.work);
    return code;
}
