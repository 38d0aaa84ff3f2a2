/*
 * Between the files of kvctl: printing what kv.proto's messages say.
 */
#ifndef CLIENTS_KVCTL_H
#define CLIENTS_KVCTL_H

#include "cli.h"
#include "kv/v1/kv.client.h"
#include "output.h"

#define KVCTL_VALUE_SIZE_MAX (1u << 20)

/* The members that every reply's JSON begins with. */
void kvctl_json_header(struct output_json *json, const Kv__V1__Header *header);

/* The members "entries" and "more". */
void kvctl_json_page(struct output_json *json, const Kv__V1__RangeReply *page);

/* A table of entries, and its rows. */
void kvctl_table_init(struct output_table *table, bool keys_only);
void kvctl_table_add(struct output_table *table, bool keys_only,
                     Kv__V1__KeyValue *const *entries, size_t n_entries);

/* The command txn. */
struct kvctl_txn {
    struct cli_list compares;  /* --if */
    struct cli_list then;      /* --then */
    struct cli_list otherwise; /* --else */
};
int kvctl_txn(struct cli *cli, const struct kvctl_txn *txn);

/* The commands status and token. */
int kvctl_status(struct cli *cli);
int kvctl_token_new(const struct cli *cli, const char *space, bool read_only);

#endif
