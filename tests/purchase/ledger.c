/*
 * Reading all records of a kind: see ledger.h.
 */
#include "tests/purchase/ledger.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 1000u

void
ledger_read(struct common_work *work, const char *prefix,
            const ProtobufCMessageDescriptor *type, struct ledger *ledger)
{
    struct common_span span = {
        .first = prefix, .limit = PAGE, .keys_only = type == NULL};
    struct common_page page = {.more = true};

    *ledger = (struct ledger){NULL, 0};
    while (page.more) {
        cr_assert_eq(common_scan(work, &span, type, &page), RPCRT_OK, "%s",
                     common_work_message(work));
        ledger->items =
            realloc(ledger->items, (ledger->n_items + page.n_records + 1) *
                                       sizeof(struct common_record *));
        cr_assert_not_null(ledger->items);
        for (size_t i = 0; i < page.n_records; i++) {
            ledger->items[ledger->n_items++] = &page.records[i];
        }
        if (page.more) {
            span.after = page.records[page.n_records - 1].key;
            span.revision = page.revision;
        }
    }
}

void
ledger_free(struct ledger *ledger)
{
    free(ledger->items);
    *ledger = (struct ledger){NULL, 0};
}

const struct common_record *
ledger_find(const struct ledger *ledger, const char *prefix, const char *name)
{
    char key[257];
    size_t low = 0;
    size_t high = ledger->n_items;

    (void)snprintf(key, sizeof(key), "%s%s", prefix, name);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(ledger->items[middle]->key, key);

        if (order == 0) {
            return ledger->items[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}
