/*
 * The indexes of pets: see index.h.
 */
#include "petstore/index.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES 64u
#define SPECIES_BYTES 20u
#define EVERY_SPECIES "*"
#define DIGITS_SIZE 17u
#define SORT_SIZE (2u * NAME_BYTES + 1u)
#define SPECIES_SIZE (2u * SPECIES_BYTES + 1u)

static const char *const scopes[] = {"all", "free"};
static const char *const orders[] = {"price", "name", "newest"};

#define N_ORDERS (sizeof(orders) / sizeof(orders[0]))

/* Write at most `max` bytes of text as the head of index.h says; what is
 * written has room for two bytes each. */
static void
escape(const char *text, size_t max, char *ret)
{
    size_t i;

    for (i = 0; i < max && text[i] != '\0'; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte >= 'A' && byte <= 'Z') {
            byte = (unsigned char)(byte - 'A' + 'a');
        }
        if (byte >= ' ' && byte <= '0') {
            *ret++ = '0';
            byte = (unsigned char)(byte - ' ' + 'A');
        }
        *ret++ = (char)byte;
    }
    *ret = '\0';
}

static void
digits(int64_t number, char ret[DIGITS_SIZE])
{
    (void)snprintf(ret, DIGITS_SIZE, "%016" PRIx64,
                   number < 0 ? UINT64_C(0) : (uint64_t)number);
}

static void
sort_key(const Petstore__Record__Pet *pet, enum shop_order order,
         char ret[SORT_SIZE])
{
    switch (order) {
    case SHOP_ORDER_PRICE:
        digits(pet->price, ret);
        break;
    case SHOP_ORDER_NAME:
        escape(pet->name, NAME_BYTES, ret);
        break;
    case SHOP_ORDER_NEWEST:
        digits(pet->added_at_ms, ret);
        break;
    }
}

void
shop_index_prefix(enum shop_scope scope, enum shop_order order,
                  const char *species, char ret_prefix[SHOP_INDEX_KEY_SIZE])
{
    char group[SPECIES_SIZE] = EVERY_SPECIES;

    if (species != NULL) {
        escape(species, SPECIES_BYTES, group);
    }
    (void)snprintf(ret_prefix, SHOP_INDEX_KEY_SIZE, "list/%s/%s/%s/",
                   scopes[scope], orders[order], group);
}

void
shop_index_keys(const Petstore__Record__Pet *pet, enum shop_scope scope,
                char ret_keys[SHOP_INDEX_KEYS][SHOP_INDEX_KEY_SIZE])
{
    char sort[SORT_SIZE];
    size_t i;

    for (i = 0; i < SHOP_INDEX_KEYS; i++) {
        enum shop_order order = (enum shop_order)(i % N_ORDERS);
        size_t size;

        shop_index_prefix(scope, order, i < N_ORDERS ? NULL : pet->species,
                          ret_keys[i]);
        sort_key(pet, order, sort);
        size = strlen(ret_keys[i]);
        (void)snprintf(ret_keys[i] + size, SHOP_INDEX_KEY_SIZE - size, "%s/%s",
                       sort, pet->id);
    }
}

void
shop_index_price(const char *prefix, int64_t price,
                 char ret_key[SHOP_INDEX_KEY_SIZE])
{
    char number[DIGITS_SIZE];

    digits(price, number);
    (void)snprintf(ret_key, SHOP_INDEX_KEY_SIZE, "%s%s", prefix, number);
}

const char *
shop_index_id(const char *key)
{
    const char *slash = strrchr(key, '/');

    return slash == NULL ? key : slash + 1;
}
