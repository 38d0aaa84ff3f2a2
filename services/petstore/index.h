/*
 * The indexes of pets: keys that lead from an order of a list to pets. Pure.
 *
 *   list/<scope>/<order>/<species>/<sort key>/<id>
 *
 *   scope     all    every pet: these do not change with a pet's status
 *             free   those that are AVAILABLE
 *   order     price  16 hexadecimal digits
 *             name   as below, the first 64 bytes
 *             newest when it was added, 16 hexadecimal digits
 *   species   as below, the first 20 bytes; "*": a list of all of them
 *
 * In names and species ASCII letters are lower case, and the bytes up to '0',
 * '/' among them, are written as '0' and a letter. So the keys have the order
 * of the names' bytes, and a name stands before those that it begins. What is
 * cut off does not count for the order, and must be checked on the record.
 */
#ifndef PETSTORE_INDEX_H
#define PETSTORE_INDEX_H

#include "petstore/record.pb-c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a key at the most, and its end. */
#define SHOP_INDEX_KEY_SIZE 257u
/* Keys of a pet in one scope. */
#define SHOP_INDEX_KEYS 6u

enum shop_scope { SHOP_SCOPE_ALL, SHOP_SCOPE_FREE };
enum shop_order { SHOP_ORDER_PRICE, SHOP_ORDER_NAME, SHOP_ORDER_NEWEST };

/* All keys of a pet in a scope, in the same places for every pet. Its fields
 * keep the rules of petstore.proto. */
void shop_index_keys(const Petstore__Record__Pet *pet, enum shop_scope scope,
                     char ret_keys[SHOP_INDEX_KEYS][SHOP_INDEX_KEY_SIZE]);

/* What all keys of a list begin with. species: in lower case; NULL: all. */
void shop_index_prefix(enum shop_scope scope, enum shop_order order,
                       const char *species,
                       char ret_prefix[SHOP_INDEX_KEY_SIZE]);

/* The first key of a list by price (its prefix) with at least this price. */
void shop_index_price(const char *prefix, int64_t price,
                      char ret_key[SHOP_INDEX_KEY_SIZE]);

/* The pet's id at the end of a key. */
const char *shop_index_id(const char *key);

#endif
