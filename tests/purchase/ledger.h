/*
 * Records of one kind, all read into memory and found by name.
 */
#ifndef TESTS_PURCHASE_LEDGER_H
#define TESTS_PURCHASE_LEDGER_H

#include "common/store.h"

/* Records in the order of their keys; they live as long as the work. */
struct ledger {
    const struct common_record **items;
    size_t n_items;
};

/* Read all whose key begins with a prefix. The test fails if it can't. */
void ledger_read(struct common_work *work, const char *prefix,
                 const ProtobufCMessageDescriptor *type, struct ledger *ledger);
void ledger_free(struct ledger *ledger);

/* The record whose key is prefix and name; NULL if there is none. */
const struct common_record *ledger_find(const struct ledger *ledger,
                                        const char *prefix, const char *name);

#endif
