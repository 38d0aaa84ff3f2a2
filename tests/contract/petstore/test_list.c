/*
 * Pages of pets, as petstore.proto promises them: what a filter lets through,
 * in which order, and what a page token is good for.
 */
#include "tests/contract/petstore/contract.h"

#include "tests/support/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAGES_MAX 200

/* -- pages ----------------------------------------------------------------- */

static enum rpcrt_code
list(struct contract *c, const Petstore__V1__ListPetsRequest *request,
     const Petstore__V1__ListPetsReply **ret_reply)
{
    return petstore_list_pets(contract_as(c, ANN), request, ret_reply);
}

/* Names of all pets that a request gets, page by page: "a b c". */
static const char *
names(struct contract *c, const Petstore__V1__ListPetsRequest *asked)
{
    static char text[4096];
    Petstore__V1__ListPetsRequest request = *asked;
    const Petstore__V1__ListPetsReply *reply;
    char next[1024] = "";
    size_t length = 0;
    int n_pages = 0;
    size_t i;

    text[0] = '\0';
    request.page_token = next;
    do {
        expect_done(c, ANN, list(c, &request, &reply));
        cr_assert(asked->page_size == 0 || reply->n_pets <= asked->page_size);
        for (i = 0; i < reply->n_pets; i++) {
            length +=
                (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
                                 length == 0 ? "" : " ", reply->pets[i]->name);
            cr_assert_lt(length, sizeof(text));
        }
        (void)snprintf(next, sizeof(next), "%s", reply->next_page_token);
        cr_assert_lt(++n_pages, PAGES_MAX);
    } while (next[0] != '\0');
    return text;
}

/* -- filters and orders ---------------------------------------------------- */

/* The catalogue, the oldest first; equal in nothing but the species. */
static const struct row {
    const char *name;
    int64_t price;
    const char *description;
    bool removed; /* reserved, by an order whose card is declined */
} catalogue[] = {
    {"delta", 400, "A quiet one.", false},
    {"Alpha", 900, "Likes FISH and bread.", false},
    {"charlie", 100, "Fishes.", true},
    {"Bravo", 700, "Sings.", false},
    {"echo", 300, "Repeats what is said; eats fish.", false},
    {"Foxtrot", 800, "Dances.", false},
};

#define N_CATALOGUE (sizeof(catalogue) / sizeof(catalogue[0]))

static void
catalogue_add(struct contract *c)
{
    struct card poor = contract_card(c, 1, "EUR");
    size_t i;

    for (i = 0; i < N_CATALOGUE; i++) {
        Petstore__V1__Pet pet;
        Petstore__V1__Money price;
        char id[16];

        /* Of one millisecond the one with the greater id is the newer. */
        (void)snprintf(id, sizeof(id), "%zu", i);
        contract_pet_init(c, contract_name(c, id), &pet, &price);
        pet.name = catalogue[i].name;
        pet.description = catalogue[i].description;
        price.minor = catalogue[i].price;
        expect_done(c, STAFF, contract_add(c, STAFF, &pet));
        if (catalogue[i].removed) {
            expect_done(c, BOB, contract_put(c, BOB, pet.id));
            expect_refused(c, BOB, RPCRT_FAILED_PRECONDITION,
                           "INSUFFICIENT_FUNDS",
                           contract_checkout(c, BOB, pet.id, &poor, NULL, 0));
        }
    }
}

/* Which of two rows comes first; by the sort that is asked for now. */
static Petstore__V1__ListPetsRequest__Sort order;

static int
rows_compare(const void *one, const void *two)
{
    const struct row *a = *(const struct row *const *)one;
    const struct row *b = *(const struct row *const *)two;

    switch (order) {
    case PETSTORE__V1__LIST_PETS_REQUEST__SORT__PRICE:
        return a->price < b->price ? -1 : 1;
    case PETSTORE__V1__LIST_PETS_REQUEST__SORT__PRICE_DESCENDING:
        return a->price > b->price ? -1 : 1;
    case PETSTORE__V1__LIST_PETS_REQUEST__SORT__NAME:
        return strcasecmp(a->name, b->name);
    default:
        return a > b ? -1 : 1;
    }
}

/* Whether a text has another in it, whatever the case of its letters. */
static bool
has(const char *text, const char *part)
{
    for (; *text != '\0'; text++) {
        if (strncasecmp(text, part, strlen(part)) == 0) {
            return true;
        }
    }
    return part[0] == '\0';
}

/* What a request should get. */
static const char *
names_expected(const Petstore__V1__ListPetsRequest *request)
{
    static char text[256];
    const struct row *rows[N_CATALOGUE];
    size_t n = 0;
    size_t i;

    for (i = 0; i < N_CATALOGUE; i++) {
        const struct row *row = &catalogue[i];

        if ((request->with_unavailable || !row->removed) &&
            row->price >= request->price_min &&
            (request->price_max == 0 || row->price <= request->price_max) &&
            (has(row->name, request->text) ||
             has(row->description, request->text))) {
            rows[n++] = row;
        }
    }
    order = request->sort;
    qsort(rows, n, sizeof(const struct row *), rows_compare);
    text[0] = '\0';
    for (i = 0; i < n; i++) {
        (void)strcat(text, i == 0 ? "" : " ");
        (void)strcat(text, rows[i]->name);
    }
    return text;
}

/* All combinations, in pages of two sizes. */
CONTRACT(filters_and_orders_go_with_each_other)
{
    static const int64_t ranges[][2] = {{0, 0},   {300, 800}, {301, 0},
                                        {0, 799}, {100, 100}, {901, 0}};
    static const char *const texts[] = {"", "fish", "FISH", "alPHa", "xyz"};
    Petstore__V1__ListPetsRequest request =
        PETSTORE__V1__LIST_PETS_REQUEST__INIT;
    unsigned n;

    catalogue_add(c);
    request.species = c->prefix;
    for (n = 0; n < 4 * 6 * 5 * 2; n++) {
        request.sort = (Petstore__V1__ListPetsRequest__Sort)(n % 4);
        request.price_min = ranges[n / 4 % 6][0];
        request.price_max = ranges[n / 4 % 6][1];
        request.text = texts[n / 24 % 5];
        request.with_unavailable = n / 120 != 0;
        request.page_size = n % 3 == 0 ? 2 : 0;
        cr_assert_str_eq(names(c, &request), names_expected(&request),
                         "%s: sort %d, price %lld to %lld, text '%s', %d",
                         c->where, (int)request.sort,
                         (long long)request.price_min,
                         (long long)request.price_max, request.text,
                         request.with_unavailable);
    }
}

CONTRACT(all_species_are_listed_without_one)
{
    Petstore__V1__ListPetsRequest request =
        PETSTORE__V1__LIST_PETS_REQUEST__INIT;
    Petstore__V1__Pet pet;
    Petstore__V1__Money price;

    contract_pet_init(c, contract_name(c, "one"), &pet, &price);
    pet.name = contract_name(c, "one");
    expect_done(c, STAFF, contract_add(c, STAFF, &pet));
    contract_pet_init(c, contract_name(c, "two"), &pet, &price);
    pet.name = contract_name(c, "two");
    pet.species = "another";
    expect_done(c, STAFF, contract_add(c, STAFF, &pet));
    request.text = c->prefix;
    request.sort = PETSTORE__V1__LIST_PETS_REQUEST__SORT__NEWEST;
    cr_assert_not_null(strstr(names(c, &request), contract_name(c, "one")));
    cr_assert_not_null(strstr(names(c, &request), contract_name(c, "two")));
    request.species = "ANOTHER";
    cr_assert_str_eq(names(c, &request), contract_name(c, "two"));
    expect_done(c, STAFF, contract_remove(c, STAFF, contract_name(c, "two")));
    cr_assert_str_eq(names(c, &request), "");
}

CONTRACT(pets_that_are_the_same_stand_in_the_order_of_their_ids)
{
    static const char *const ids[] = {"b", "d", "a", "c"};
    Petstore__V1__ListPetsRequest request =
        PETSTORE__V1__LIST_PETS_REQUEST__INIT;
    size_t i;

    for (i = 0; i < 4; i++) {
        (void)contract_pet(c, ids[i], 500);
    }
    request.species = c->prefix;
    request.page_size = 3;
    cr_assert_str_eq(names(c, &request), "a b c d");
    request.sort = PETSTORE__V1__LIST_PETS_REQUEST__SORT__PRICE_DESCENDING;
    cr_assert_str_eq(names(c, &request), "d c b a");
}

/* -- changes --------------------------------------------------------------- */

CONTRACT(lists_follow_what_happens_to_a_pet)
{
    Petstore__V1__ListPetsRequest request =
        PETSTORE__V1__LIST_PETS_REQUEST__INIT;
    Petstore__V1__UpdatePetRequest update =
        PETSTORE__V1__UPDATE_PET_REQUEST__INIT;
    Petstore__V1__Money price = PETSTORE__V1__MONEY__INIT;
    const Petstore__V1__UpdatePetReply *updated;
    struct card card = contract_card(c, 1000, "EUR");

    (void)contract_pet(c, "other", 500);
    request.species = c->prefix;
    (void)contract_bought(c, ANN, "sold", &card);
    cr_assert_str_eq(names(c, &request), "other");
    request.with_unavailable = true;
    cr_assert_str_eq(names(c, &request), "other sold");
    request.with_unavailable = false;
    expect_done(c, ANN, contract_cancel(c, ANN, c->order.id));
    cr_assert_str_eq(names(c, &request), "other sold");
    price.minor = 1;
    price.currency = "EUR";
    update.pet_id = contract_name(c, "sold");
    update.price = &price;
    update.name = "cheap";
    expect_done(c, STAFF,
                petstore_update_pet(contract_as(c, STAFF), &update, &updated));
    cr_assert_str_eq(names(c, &request), "cheap other");
    expect_done(c, STAFF, contract_remove(c, STAFF, contract_name(c, "other")));
    cr_assert_str_eq(names(c, &request), "cheap");
}

CONTRACT(what_stays_is_seen_once_while_others_come_and_go)
{
    Petstore__V1__ListPetsRequest request =
        PETSTORE__V1__LIST_PETS_REQUEST__INIT;
    const Petstore__V1__ListPetsReply *reply;
    char next[1024];
    char name[16];
    int seen = 0;
    int i;

    for (i = 0; i < 6; i++) {
        (void)snprintf(name, sizeof(name), "p%d", i);
        (void)contract_pet(c, name, 100 * (i + 1));
    }
    request.species = c->prefix;
    request.page_size = 1;
    request.page_token = next;
    next[0] = '\0';
    do {
        expect_done(c, ANN, list(c, &request, &reply));
        seen += reply->n_pets > 0 && reply->pets[0]->name[0] == 'p' ? 1 : 0;
        (void)snprintf(next, sizeof(next), "%s", reply->next_page_token);
        (void)snprintf(name, sizeof(name), "x%d", seen);
        (void)contract_pet(c, name, 50);
        /* The one that was seen last leaves; the token names its place. */
        if (seen == 2) {
            expect_done(c, STAFF,
                        contract_remove(c, STAFF, contract_name(c, "p1")));
        }
    } while (next[0] != '\0');
    cr_assert_eq(seen, 6, "%s: %d", c->where, seen);
}

/* -- limits ---------------------------------------------------------------- */

CONTRACT(page_tokens_of_other_lists_are_refused)
{
    static const char *const garbage[] = {"x", "????", "AAAAAAAAAAAAAAAAAAAA",
                                          "\xc3\xa9", "%s%n"};
    Petstore__V1__ListPetsRequest request =
        PETSTORE__V1__LIST_PETS_REQUEST__INIT;
    const Petstore__V1__ListPetsReply *reply;
    char token[1024];
    char cut[1024];
    int n;

    (void)contract_pet(c, "a", 100);
    (void)contract_pet(c, "b", 200);
    request.species = c->prefix;
    request.page_size = 1;
    expect_done(c, ANN, list(c, &request, &reply));
    (void)snprintf(token, sizeof(token), "%s", reply->next_page_token);
    cr_assert_neq(token[0], '\0');
    for (n = 0; n < 6; n++) {
        Petstore__V1__ListPetsRequest other = request;

        other.page_token = token;
        other.species = n == 0 ? "another" : other.species;
        other.price_min = n == 1 ? 1 : 0;
        other.price_max = n == 2 ? 1000 : 0;
        other.text = n == 3 ? "a" : other.text;
        other.with_unavailable = n == 4;
        other.sort = n == 5 ? PETSTORE__V1__LIST_PETS_REQUEST__SORT__NAME
                            : PETSTORE__V1__LIST_PETS_REQUEST__SORT__PRICE;
        expect_refused(c, ANN, RPCRT_INVALID_ARGUMENT, "PAGE_TOKEN_INVALID",
                       list(c, &other, &reply));
    }
    for (n = 0; n < 5; n++) {
        request.page_token = garbage[n];
        expect_refused(c, ANN, RPCRT_INVALID_ARGUMENT, "PAGE_TOKEN_INVALID",
                       list(c, &request, &reply));
    }
    for (n = 1; n < (int)strlen(token); n += 7) {
        (void)snprintf(cut, sizeof(cut), "%.*s", n, token);
        request.page_token = cut;
        expect_refused(c, ANN, RPCRT_INVALID_ARGUMENT, "PAGE_TOKEN_INVALID",
                       list(c, &request, &reply));
    }
    request.page_token = token;
    expect_done(c, ANN, list(c, &request, &reply));
}

CONTRACT(a_text_to_look_for_has_up_to_100_characters)
{
    Petstore__V1__ListPetsRequest request =
        PETSTORE__V1__LIST_PETS_REQUEST__INIT;
    const Petstore__V1__ListPetsReply *reply;
    char text[102];

    memset(text, 'x', sizeof(text) - 1);
    text[101] = '\0';
    request.species = c->prefix;
    request.text = text;
    expect_call(c, contract_as(c, ANN), RPCRT_INVALID_ARGUMENT,
                list(c, &request, &reply));
    text[100] = '\0';
    expect_done(c, ANN, list(c, &request, &reply));
}

/* -- many ------------------------------------------------------------------ */

#define MANY 1005
#define AT_ONCE 15

/* Add pets, several at the same time. */
static void
many_add(struct contract *c)
{
    struct rpcrt_call *calls[AT_ONCE];
    int n;
    int i;

    (void)contract_as(c, STAFF);
    for (i = 0; i < AT_ONCE; i++) {
        calls[i] = target_call(&c->target, c->channel, c->tokens[STAFF]);
    }
    for (n = 0; n < MANY; n += AT_ONCE) {
        atomic_uint n_done = 0;

        for (i = 0; i < AT_ONCE; i++) {
            Petstore__V1__AddPetRequest request =
                PETSTORE__V1__ADD_PET_REQUEST__INIT;
            Petstore__V1__Pet pet;
            Petstore__V1__Money price;

            contract_pet_init(c, "", &pet, &price);
            pet.name = n + i == 0 ? "needle" : "hay";
            price.minor = MANY - n - i;
            request.pet = &pet;
            petstore_add_pet_start(calls[i], &request, bed_done, &n_done);
        }
        bed_await(&n_done, AT_ONCE);
        for (i = 0; i < AT_ONCE; i++) {
            const Petstore__V1__AddPetReply *reply;

            expect_call(c, calls[i], RPCRT_OK,
                        petstore_add_pet_take(calls[i], &reply));
        }
    }
}

CONTRACT_LONG(a_page_looks_at_1000_pets_at_the_most)
{
    Petstore__V1__ListPetsRequest request =
        PETSTORE__V1__LIST_PETS_REQUEST__INIT;
    const Petstore__V1__ListPetsReply *reply;
    char next[1024];

    many_add(c);
    request.species = c->prefix;
    expect_done(c, ANN, list(c, &request, &reply));
    cr_assert_eq(reply->n_pets, 20);
    request.page_size = 101;
    expect_done(c, ANN, list(c, &request, &reply));
    cr_assert_eq(reply->n_pets, 100);
    /* The needle is the dearest, so the last. */
    request.text = "needle";
    expect_done(c, ANN, list(c, &request, &reply));
    cr_assert_eq(reply->n_pets, 0);
    (void)snprintf(next, sizeof(next), "%s", reply->next_page_token);
    cr_assert_neq(next[0], '\0');
    request.page_token = next;
    expect_done(c, ANN, list(c, &request, &reply));
    cr_assert_eq(reply->n_pets, 1);
    cr_assert_str_eq(reply->pets[0]->name, "needle");
    cr_assert_str_eq(reply->next_page_token, "");
}
