/*
 * The pages that are measured, found before by walking there.
 */
#include "bench/shop_list.h"

#include "bench/load.h"
#include "bench/shop_pets.h"
#include "bench/subject.h"

#include "petstore/v1/petstore.client.h"

#include <stdio.h>
#include <string.h>

#define PAGE_SIZE 20u
#define PAGE_TOKEN_SIZE 1024u

struct list {
    struct rpcrt_call *call;
    Petstore__V1__ListPetsRequest request;
    char page_token[PAGE_TOKEN_SIZE];
    size_t n_pets; /* on the last page */
};

/* Borrowed until the next call. */
static const Petstore__V1__ListPetsReply *
page_get(struct list *list)
{
    const Petstore__V1__ListPetsReply *reply = NULL;

    shop_must(petstore_list_pets(list->call, &list->request, &reply),
              list->call, "ListPets");
    list->n_pets = reply->n_pets;
    return reply;
}

/* False: there is no next page. */
static bool
page_next(struct list *list)
{
    const Petstore__V1__ListPetsReply *reply = page_get(list);

    if (reply->next_page_token[0] == 0) {
        return false;
    }
    if (strlen(reply->next_page_token) >= sizeof(list->page_token)) {
        subject_fail("ListPets: a page token of %zu bytes",
                     strlen(reply->next_page_token));
    }
    snprintf(list->page_token, sizeof(list->page_token), "%s",
             reply->next_page_token);
    list->request.page_token = list->page_token;
    return true;
}

static void
page_call(void *arg)
{
    (void)page_get(arg);
}

/* Pages of a search that finds nothing: how many pets each goes past. */
static double
looked_at(struct list *list, uint64_t n_pets)
{
    uint64_t pages = 1;

    while (page_next(list)) {
        pages++;
    }
    list->request.page_token = "";
    return (double)n_pets / (double)pages;
}

/* Set what is asked for; returns how many pets the page must show. */
static size_t
request_set(struct list *list, const char *kind, uint64_t n_pets)
{
    if (strcmp(kind, "first") == 0) {
        return PAGE_SIZE;
    }
    if (strcmp(kind, "deep") == 0) {
        for (uint64_t past = 0; past < n_pets / 2; past += PAGE_SIZE) {
            if (!page_next(list)) {
                subject_fail("ListPets: the list ended early");
            }
        }
        return PAGE_SIZE;
    }
    if (strcmp(kind, "filtered") == 0) {
        list->request.species = SHOP_PET_SPECIES;
        list->request.price_min = SHOP_PET_PRICE_MIN;
        list->request.price_max = SHOP_PET_PRICE_MAX;
        return PAGE_SIZE;
    }
    if (strcmp(kind, "nothing") != 0) {
        subject_fail("'%s' is no kind of list", kind);
    }
    list->request.text = "unicorn";
    printf("looked_at %.1f\n", looked_at(list, n_pets));
    return 0;
}

void
shop_list_measure(const struct shop_client *client, const char *kind,
                  uint64_t n_pets, double seconds)
{
    struct list list = {.request = PETSTORE__V1__LIST_PETS_REQUEST__INIT};
    struct load *load = load_new(1);
    size_t expected;

    list.call = shop_call_new(client->shop, client->staff);
    list.request.page_size = PAGE_SIZE;
    expected = request_set(&list, kind, n_pets);
    (void)page_get(&list);
    if (list.n_pets != expected) {
        subject_fail("ListPets: %zu pets on a page, expected %zu", list.n_pets,
                     expected);
    }
    load_run_blocking(load, seconds, page_call, &list);
    load_print(load);
    load_free(load);
    rpcrt_call_free(list.call);
}
