/*
 * What kvctl prints of replies: see kvctl.h.
 */
#include "kvctl.h"

#include <stdio.h>

void
kvctl_json_header(struct output_json *json, const Kv__V1__Header *header)
{
    if (header != NULL) {
        output_json_text(json, "store_id", header->store_id);
        output_json_number(json, "epoch", header->epoch);
        output_json_number(json, "revision", header->revision);
    }
}

static void
json_entry(const Kv__V1__KeyValue *entry)
{
    struct output_json json;

    output_json_begin(&json);
    output_json_bytes(&json, "key", entry->key.data, entry->key.len);
    output_json_bytes(&json, "value", entry->value.data, entry->value.len);
    output_json_number(&json, "create_revision", entry->create_revision);
    output_json_number(&json, "mod_revision", entry->mod_revision);
    output_json_number(&json, "version", entry->version);
    output_json_end(&json);
}

void
kvctl_json_page(struct output_json *json, const Kv__V1__RangeReply *page)
{
    size_t i;

    output_json_name(json, "entries");
    (void)putchar('[');
    for (i = 0; i < page->n_entries; i++) {
        if (i > 0) {
            (void)putchar(',');
        }
        json_entry(page->entries[i]);
    }
    (void)putchar(']');
    output_json_bool(json, "more", page->more);
}

void
kvctl_table_init(struct output_table *table, bool keys_only)
{
    static const char *const all[] = {"KEY", "VALUE", "VERSION", "REVISION"};
    static const char *const keys[] = {"KEY", "VERSION", "REVISION"};

    output_table_init(table, keys_only ? keys : all, keys_only ? 3 : 4);
}

void
kvctl_table_add(struct output_table *table, bool keys_only,
                Kv__V1__KeyValue *const *entries, size_t n_entries)
{
    size_t i;

    for (i = 0; i < n_entries; i++) {
        const Kv__V1__KeyValue *entry = entries[i];

        output_table_bytes(table, entry->key.data, entry->key.len);
        if (!keys_only) {
            output_table_bytes(table, entry->value.data, entry->value.len);
        }
        output_table_number(table, entry->version);
        output_table_number(table, entry->mod_revision);
    }
}
