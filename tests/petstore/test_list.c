/*
 * ListPets: whatever is asked for, the pages together are what sorting and
 * filtering all pets gives; and a page's work has a bound.
 */
#define _GNU_SOURCE /* strcasestr() */
#include "petstore/list.h"
#include "petstore/pet_record.h"
#include "petstore/text.h"
#include "tests/petstore/town.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PETS 150u
#define NAME_BYTES 64u
#define SPECIES_BYTES 20u

/* -- pets ------------------------------------------------------------------ */

struct stock {
    Petstore__Record__Pet pets[PETS];
    char ids[PETS][8];
    char names[PETS][128];
};

static const char *const species[] = {
    "cat", "cats", "dog/0", "\xc3\xa4 lizard with a name of 40 characters..",
    "\xc3\xa4 lizard with a name of 40 characters,,"};

#define N_SPECIES (sizeof(species) / sizeof(species[0]))

static unsigned
random_below(unsigned n)
{
    return (unsigned)rand() % n;
}

static void
name_make(char *name)
{
    static const char *const pieces[] = {"Ada", "b",  " ",       "0",
                                         "/",   "zo", "\xc3\xa9"};
    unsigned n = 1 + random_below(4);

    name[0] = '\0';
    if (random_below(5) == 0) {
        size_t size = NAME_BYTES - random_below(3);

        (void)memset(name, 'n', size);
        name[size] = '\0';
    }
    while (n-- > 0) {
        strcat(name, pieces[random_below(sizeof(pieces) / sizeof(pieces[0]))]);
    }
}

static void
stock_make(struct stock *stock, struct shop *shop)
{
    unsigned i;

    for (i = 0; i < PETS; i++) {
        Petstore__Record__Pet *pet = &stock->pets[i];

        petstore__record__pet__init(pet);
        (void)snprintf(stock->ids[i], sizeof(stock->ids[i]), "p%u", i);
        name_make(stock->names[i]);
        pet->id = stock->ids[i];
        pet->name = stock->names[i];
        pet->species = species[random_below(N_SPECIES)];
        pet->price = 1 + random_below(40);
        pet->description = random_below(2) == 0 ? "Likes FISH" : "";
        pet->added_at_ms = 1000 + random_below(50);
        pet->status = PETSTORE__V1__PET_STATUS__AVAILABLE;
        shop_put(shop, pet);
        if (random_below(3) == 0) {
            pet->status = 2 + random_below(2);
            shop_put(shop, pet);
        }
    }
}

/* -- what a list must be --------------------------------------------------- */

static int
id_order(const Petstore__Record__Pet *a, const Petstore__Record__Pet *b)
{
    return strcmp(a->id, b->id);
}

static int
number_order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int
compare_price(const void *a, const void *b)
{
    const Petstore__Record__Pet *const *one = a;
    const Petstore__Record__Pet *const *two = b;
    int order = number_order((*one)->price, (*two)->price);

    return order == 0 ? id_order(*one, *two) : order;
}

static int
compare_price_down(const void *a, const void *b)
{
    return compare_price(b, a);
}

static int
compare_newest(const void *a, const void *b)
{
    const Petstore__Record__Pet *const *one = a;
    const Petstore__Record__Pet *const *two = b;
    int order = number_order((*two)->added_at_ms, (*one)->added_at_ms);

    return order == 0 ? id_order(*two, *one) : order;
}

static int
compare_name(const void *a, const void *b)
{
    const Petstore__Record__Pet *const *one = a;
    const Petstore__Record__Pet *const *two = b;
    char names[2][128];
    int order;

    (void)strcpy(names[0], (*one)->name);
    (void)strcpy(names[1], (*two)->name);
    shop_text_lower(names[0]);
    shop_text_lower(names[1]);
    order = strncmp(names[0], names[1], NAME_BYTES);
    return order == 0 ? id_order(*one, *two) : order;
}

static bool
has(const char *text, const char *part)
{
    return strcasestr(text, part) != NULL;
}

static bool
wanted(const Petstore__Record__Pet *pet,
       const Petstore__V1__ListPetsRequest *request)
{
    return (request->with_unavailable ||
            pet->status == PETSTORE__V1__PET_STATUS__AVAILABLE) &&
           (request->species[0] == '\0' ||
            strcmp(request->species, pet->species) == 0) &&
           pet->price >= request->price_min &&
           (request->price_max == 0 || pet->price <= request->price_max) &&
           (has(pet->name, request->text) ||
            has(pet->description, request->text));
}

static size_t
expected_make(struct stock *stock, const Petstore__V1__ListPetsRequest *request,
              const Petstore__Record__Pet **ret)
{
    static int (*const orders[])(const void *, const void *) = {
        compare_price, compare_price_down, compare_name, compare_newest};
    size_t n = 0;
    size_t i;

    for (i = 0; i < PETS; i++) {
        if (wanted(&stock->pets[i], request)) {
            ret[n++] = &stock->pets[i];
        }
    }
    qsort(ret, n, sizeof(ret[0]), orders[request->sort]);
    return n;
}

/* -- what it is ------------------------------------------------------------ */

/* Read all pages and compare them. */
static void
list_check(struct rpcrt_call *call, struct stock *stock,
           const Petstore__V1__ListPetsRequest *asked)
{
    Petstore__V1__ListPetsRequest request = *asked;
    const Petstore__V1__ListPetsReply *reply;
    const Petstore__Record__Pet *expected[PETS];
    size_t n_expected = expected_make(stock, asked, expected);
    char token[512] = "";
    size_t n = 0;
    size_t i;

    do {
        request.page_token = token;
        expect_ok(call, petstore_list_pets(call, &request, &reply));
        cr_assert_leq(reply->n_pets, request.page_size);
        for (i = 0; i < reply->n_pets; i++) {
            const Petstore__V1__Pet *pet = reply->pets[i];

            cr_assert_lt(n, n_expected);
            cr_assert_str_eq(pet->id, expected[n]->id, "sort %d at %zu",
                             (int)request.sort, n);
            cr_assert_str_eq(pet->name, expected[n]->name);
            cr_assert_eq(pet->price->minor, expected[n]->price);
            cr_assert_eq((unsigned)pet->status, expected[n]->status);
            n++;
        }
        (void)snprintf(token, sizeof(token), "%s", reply->next_page_token);
        /* So few pets are all looked at, but for species that an index has cut
         * off. */
        cr_assert(token[0] == '\0' || reply->n_pets == request.page_size ||
                  strlen(request.species) > SPECIES_BYTES);
    } while (token[0] != '\0');
    cr_assert_eq(n, n_expected, "%zu pets instead of %zu", n, n_expected);
}

Test(list, is_what_sorting_all_pets_gives, .timeout = 120)
{
    static const int64_t prices[][2] = {{0, 0},  {10, 20}, {0, 15},
                                        {30, 0}, {20, 10}, {INT64_MAX, 0}};
    static const char *const texts[] = {"", "FisH", "da"};
    static struct stock stock;
    struct town town;
    struct shop shop;
    struct rpcrt_call *call;
    unsigned i;

    town_open(&town);
    shop_open(&shop, &town, "red");
    stock_make(&stock, &shop);
    call = shop_call(&shop, TOWN_CUSTOMER);
    for (i = 0; i < 4 * 6 * 3 * 2 * (N_SPECIES + 1); i++) {
        Petstore__V1__ListPetsRequest request =
            PETSTORE__V1__LIST_PETS_REQUEST__INIT;
        unsigned rest = i;

        request.sort = (Petstore__V1__ListPetsRequest__Sort)(rest % 4);
        rest /= 4;
        request.price_min = prices[rest % 6][0];
        request.price_max = prices[rest % 6][1];
        rest /= 6;
        request.text = texts[rest % 3];
        rest /= 3;
        request.with_unavailable = rest % 2 == 1;
        rest /= 2;
        request.species = rest == 0 ? "" : species[rest - 1];
        request.page_size = 1 + random_below(30);
        list_check(call, &stock, &request);
    }
    shop_check_index(&shop);
    rpcrt_call_free(call);
    shop_close(&shop);
    town_close(&town);
}

/* -- the work of a page ---------------------------------------------------- */

#define CROWD 2100u
#define AT_ONCE 9u /* each takes 13 of the operations of one commit */

/* Many pets, of which one in a thousand has the text "rare". */
static void
crowd_make(struct shop *shop)
{
    struct common_work *work = common_work_new(shop->service.store, NULL, NULL);
    unsigned i;

    for (i = 0; i < CROWD; i++) {
        Petstore__Record__Pet pet = PETSTORE__RECORD__PET__INIT;
        char id[16];

        (void)snprintf(id, sizeof(id), "c%04u", i);
        pet.id = id;
        pet.name = "common";
        pet.species = "ant";
        pet.price = 100 + i;
        pet.description = i % 1000 == 999 ? "rare" : "";
        pet.status = PETSTORE__V1__PET_STATUS__AVAILABLE;
        common_expect_nothing(work, common_work_format(work, "pet/%s", id));
        shop_pet_put(work, NULL, &pet);
        if (i % AT_ONCE == AT_ONCE - 1 || i == CROWD - 1) {
            cr_assert_eq(common_commit(work), RPCRT_OK, "%s",
                         common_work_message(work));
        }
    }
    common_work_free(work);
}

Test(list, a_page_looks_at_a_thousand_pets_and_no_more, .timeout = 60)
{
    static const size_t found[] = {1, 1, 0};
    Petstore__V1__ListPetsRequest request =
        PETSTORE__V1__LIST_PETS_REQUEST__INIT;
    const Petstore__V1__ListPetsReply *reply;
    struct town town;
    struct shop shop;
    struct rpcrt_call *call;
    char token[512] = "";
    size_t i;

    town_open(&town);
    shop_open(&shop, &town, "red");
    crowd_make(&shop);
    call = shop_call(&shop, TOWN_CUSTOMER);
    request.text = "rare";
    for (i = 0; i < 3; i++) {
        uint64_t before = shop_requests(&shop);

        request.page_token = token;
        expect_ok(call, petstore_list_pets(call, &request, &reply));
        cr_assert_eq(reply->n_pets, found[i], "page %zu", i);
        cr_assert_eq(reply->next_page_token[0] == '\0', i == 2);
        /* Session, index, and the records in eight reads. */
        cr_assert_leq(shop_requests(&shop) - before, 10);
        (void)snprintf(token, sizeof(token), "%s", reply->next_page_token);
    }
    rpcrt_call_free(call);
    shop_close(&shop);
    town_close(&town);
}

Test(list, a_page_without_text_takes_three_round_trips, .timeout = 60)
{
    Petstore__V1__ListPetsRequest request =
        PETSTORE__V1__LIST_PETS_REQUEST__INIT;
    const Petstore__V1__ListPetsReply *reply;
    struct town town;
    struct shop shop;
    struct rpcrt_call *call;
    uint64_t before;

    town_open(&town);
    shop_open(&shop, &town, "red");
    crowd_make(&shop);
    call = shop_call(&shop, TOWN_CUSTOMER);
    request.page_size = 100;
    request.price_min = 1500;
    request.species = "ANT";
    before = shop_requests(&shop);
    expect_ok(call, petstore_list_pets(call, &request, &reply));
    cr_assert_eq(reply->n_pets, 100);
    cr_assert_eq(reply->pets[0]->price->minor, 1500);
    cr_assert_eq(shop_requests(&shop) - before, 3);
    rpcrt_call_free(call);
    shop_close(&shop);
    town_close(&town);
}

/* -- what is refused ------------------------------------------------------- */

Test(list, takes_its_own_page_tokens_alone, .timeout = 30)
{
    static const char *const bad[] = {"x", "!", "AAAAAAAAAAAAAAAAAAAA"};
    Petstore__V1__ListPetsRequest request =
        PETSTORE__V1__LIST_PETS_REQUEST__INIT;
    const Petstore__V1__ListPetsReply *reply;
    Petstore__Record__Pet pet = PETSTORE__RECORD__PET__INIT;
    struct town town;
    struct shop shop;
    struct rpcrt_call *call;
    char token[512];
    size_t i;

    town_open(&town);
    shop_open(&shop, &town, "red");
    pet.species = "cat";
    pet.name = "x";
    pet.price = 1;
    pet.status = PETSTORE__V1__PET_STATUS__AVAILABLE;
    pet.id = "one";
    shop_put(&shop, &pet);
    pet.id = "two";
    shop_put(&shop, &pet);
    call = shop_call(&shop, TOWN_CUSTOMER);
    request.page_size = 1;
    expect_ok(call, petstore_list_pets(call, &request, &reply));
    (void)snprintf(token, sizeof(token), "%s", reply->next_page_token);
    cr_assert_neq(token[0], '\0');
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        request.page_token = bad[i];
        expect_refusal(call, RPCRT_INVALID_ARGUMENT, "PAGE_TOKEN_INVALID",
                       petstore_list_pets(call, &request, &reply));
    }
    request.page_token = token;
    request.sort = PETSTORE__V1__LIST_PETS_REQUEST__SORT__PRICE_DESCENDING;
    expect_refusal(call, RPCRT_INVALID_ARGUMENT, "PAGE_TOKEN_INVALID",
                   petstore_list_pets(call, &request, &reply));
    request.sort = PETSTORE__V1__LIST_PETS_REQUEST__SORT__PRICE;
    request.page_size = 5;
    expect_ok(call, petstore_list_pets(call, &request, &reply));
    cr_assert_eq(reply->n_pets, 1);
    token[strlen(token) - 2] = '\0';
    expect_refusal(call, RPCRT_INVALID_ARGUMENT, "PAGE_TOKEN_INVALID",
                   petstore_list_pets(call, &request, &reply));
    rpcrt_call_free(call);
    shop_close(&shop);
    town_close(&town);
}
