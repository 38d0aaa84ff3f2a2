/*
 * Reads and writes worked out over a view: see plan.h.
 */
#include "kv/plan.h"
#include "kv/space.h"

/* -- reading --------------------------------------------------------------- */

/* One page being filled. */
struct page {
    const struct kvs_range *range;
    const struct kvs_memory *memory;
    size_t space_size;
    size_t limit;
    size_t bytes;
    struct kvs_entry **tail;
    struct kvs_result *result;
    bool no_memory;
};

static bool
page_add(struct page *page, const struct kvs_entry *entry)
{
    const struct kvs_memory *memory = page->memory;
    struct kvs_slice key = kvs_space_strip(entry->key, page->space_size);
    struct kvs_entry *copy = memory->alloc(memory->arg, sizeof(*copy));

    if (copy == NULL) {
        return false;
    }
    *copy = *entry;
    copy->next = NULL;
    copy->key.size = key.size;
    copy->key.data = memory->copy(memory->arg, key.data, key.size);
    if (page->range->keys_only || entry->value.size == 0) {
        copy->value = (struct kvs_slice){NULL, 0};
    } else {
        copy->value.data =
            memory->copy(memory->arg, entry->value.data, entry->value.size);
        if (copy->value.data == NULL) {
            return false;
        }
    }
    if (copy->key.data == NULL) {
        return false;
    }
    *page->tail = copy;
    page->tail = &copy->next;
    page->bytes += copy->key.size + copy->value.size;
    page->result->n_entries++;
    return true;
}

static bool
page_visit(void *arg, const struct kvs_entry *entry)
{
    struct page *page = arg;
    size_t bytes = entry->key.size - page->space_size - 1;

    bytes += page->range->keys_only ? 0 : entry->value.size;
    if (page->result->n_entries == page->limit ||
        (page->result->n_entries > 0 &&
         page->bytes + bytes > KVS_PAGE_BYTES_MAX)) {
        page->result->more = true;
        return false;
    }
    page->no_memory = !page_add(page, entry);
    return !page->no_memory;
}

static enum rpcrt_code
check_store(const struct kvs_view *view, const char *store_id,
            struct common_error *ret_error)
{
    if (store_id == NULL || store_id[0] == '\0' ||
        strcmp(store_id, view->header.store_id) == 0) {
        return RPCRT_OK;
    }
    return common_error_set(ret_error, RPCRT_OUT_OF_RANGE,
                            "this is store %s, not %.64s",
                            view->header.store_id, store_id);
}

/* Read one page of a space into a result; *bytes grows by its size. */
static enum rpcrt_code
read_page(struct kvs_view *view, const struct kvs_range *range,
          size_t space_size, const struct kvs_memory *memory,
          struct common_error *ret_error, struct kvs_result *ret_result,
          size_t *bytes)
{
    uint64_t latest = view->header.revision;
    uint64_t revision = range->revision == 0 ? latest : range->revision;
    struct page page = {.range = range,
                        .memory = memory,
                        .space_size = space_size,
                        .tail = &ret_result->entries,
                        .result = ret_result};

    *ret_result = (struct kvs_result){0};
    page.limit = range->limit == 0 || range->limit > KVS_PAGE_ENTRIES_MAX
                     ? KVS_PAGE_ENTRIES_MAX
                     : range->limit;
    if (check_store(view, range->store_id, ret_error) != RPCRT_OK) {
        return ret_error->code;
    }
    if (revision > latest) {
        return common_error_set(
            ret_error, RPCRT_OUT_OF_RANGE,
            "revision %llu has not been made yet, the latest is %llu",
            (unsigned long long)revision, (unsigned long long)latest);
    }
    if (revision < view->oldest_revision) {
        return common_error_set(
            ret_error, RPCRT_OUT_OF_RANGE,
            "revision %llu is no longer kept, the oldest is %llu",
            (unsigned long long)revision,
            (unsigned long long)view->oldest_revision);
    }
    if (view->scan(view, &range->span, revision, range->reverse,
                   range->keys_only, page_visit, &page,
                   ret_error) != RPCRT_OK) {
        return ret_error->code;
    }
    if (page.no_memory) {
        return common_error_no_memory(ret_error);
    }
    *bytes += page.bytes;
    return RPCRT_OK;
}

void
kvs_plan_read(struct kvs_view *view, struct kvs_read *read)
{
    size_t bytes = 0;

    read->header = view->header;
    read->error.code = RPCRT_OK;
    (void)read_page(view, &read->range, read->space.size, &read->memory,
                    &read->error, &read->result, &bytes);
}

/* -- comparing ------------------------------------------------------------- */

struct compared {
    const struct kvs_compare *compare;
    bool holds;
};

static bool
relation_holds(enum kvs_relation relation, int order)
{
    switch (relation) {
    case KVS_EQUAL:
        return order == 0;
    case KVS_NOT_EQUAL:
        return order != 0;
    case KVS_LESS:
        return order < 0;
    case KVS_GREATER:
        return order > 0;
    }
    return false;
}

static int
number_compare(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b ? 1 : 0;
}

/* What is stored against what is given. */
static bool
compare_holds(const struct kvs_compare *compare, const struct kvs_entry *entry)
{
    int order = 0;

    switch (compare->target) {
    case KVS_TARGET_VALUE:
        if (entry->version == 0) {
            return false;
        }
        order = kvs_slice_compare(entry->value, compare->value);
        break;
    case KVS_TARGET_VERSION:
        order = number_compare(entry->version, compare->number);
        break;
    case KVS_TARGET_CREATE_REVISION:
        order = number_compare(entry->create_revision, compare->number);
        break;
    case KVS_TARGET_MOD_REVISION:
        order = number_compare(entry->mod_revision, compare->number);
        break;
    }
    return relation_holds(compare->relation, order);
}

static bool
compare_visit(void *arg, const struct kvs_entry *entry)
{
    struct compared *compared = arg;

    compared->holds = compare_holds(compared->compare, entry);
    return false;
}

static enum rpcrt_code
compare_all(struct kvs_view *view, const struct kvs_write *write,
            struct common_error *ret_error, bool *ret_hold)
{
    static const struct kvs_entry absent;
    size_t i;

    for (i = 0; i < write->n_compares; i++) {
        const struct kvs_compare *compare = &write->compares[i];
        struct kvs_span span = {compare->key, {NULL, 0}, true};
        struct compared compared = {compare, compare_holds(compare, &absent)};

        if (view->scan(view, &span, view->header.revision, false,
                       compare->target != KVS_TARGET_VALUE, compare_visit,
                       &compared, ret_error) != RPCRT_OK) {
            return ret_error->code;
        }
        if (!compared.holds) {
            *ret_hold = false;
            return RPCRT_OK;
        }
    }
    *ret_hold = true;
    return RPCRT_OK;
}

/* -- changing -------------------------------------------------------------- */

static struct kvs_change *
plan_add(struct kvs_plan *plan, const struct kvs_memory *memory)
{
    struct kvs_change *change = memory->alloc(memory->arg, sizeof(*change));

    if (change != NULL) {
        *plan->tail = change;
        plan->tail = &change->next;
        plan->n_changes++;
    }
    return change;
}

static bool
put_visit(void *arg, const struct kvs_entry *entry)
{
    struct kvs_change *change = arg;

    change->create_revision = entry->create_revision;
    change->version = entry->version + 1;
    return false;
}

static enum rpcrt_code
plan_put(struct kvs_view *view, struct kvs_write *write,
         const struct kvs_op *op, struct kvs_plan *plan)
{
    struct kvs_change *change = plan_add(plan, &write->memory);
    struct kvs_span span = {op->key, {NULL, 0}, true};

    if (change == NULL) {
        return common_error_no_memory(&write->error);
    }
    change->key = op->key;
    change->value = op->value;
    change->create_revision = view->header.revision + 1;
    change->version = 1;
    plan->bytes += op->key.size + op->value.size;
    plan->grows = true;
    return view->scan(view, &span, view->header.revision, false, true,
                      put_visit, change, &write->error);
}

struct deleting {
    struct kvs_plan *plan;
    const struct kvs_memory *memory;
    uint64_t deleted;
    bool no_memory;
    bool too_many;
};

static bool
delete_visit(void *arg, const struct kvs_entry *entry)
{
    struct deleting *deleting = arg;
    const struct kvs_memory *memory = deleting->memory;
    struct kvs_change *change;

    if (deleting->plan->n_deletes == KVS_DELETES_MAX) {
        deleting->too_many = true;
        return false;
    }
    change = plan_add(deleting->plan, memory);
    if (change != NULL) {
        change->key.data =
            memory->copy(memory->arg, entry->key.data, entry->key.size);
        change->key.size = entry->key.size;
    }
    if (change == NULL || change->key.data == NULL) {
        deleting->no_memory = true;
        return false;
    }
    deleting->plan->n_deletes++;
    deleting->plan->bytes += entry->key.size;
    deleting->deleted++;
    return true;
}

static enum rpcrt_code
plan_delete(struct kvs_view *view, struct kvs_write *write,
            const struct kvs_op *op, struct kvs_plan *plan,
            struct kvs_result *result)
{
    struct deleting deleting = {.plan = plan, .memory = &write->memory};

    if (view->scan(view, &op->range.span, view->header.revision, false, true,
                   delete_visit, &deleting, &write->error) != RPCRT_OK) {
        return write->error.code;
    }
    if (deleting.no_memory) {
        return common_error_no_memory(&write->error);
    }
    if (deleting.too_many) {
        return common_error_set(&write->error, RPCRT_RESOURCE_EXHAUSTED,
                                "more than %u keys to delete at once",
                                KVS_DELETES_MAX);
    }
    result->deleted = deleting.deleted;
    plan->n_spans++;
    return RPCRT_OK;
}

static enum rpcrt_code
plan_ops(struct kvs_view *view, struct kvs_write *write,
         const struct kvs_ops *ops, struct kvs_plan *plan)
{
    const struct kvs_memory *memory = &write->memory;
    struct kvs_result *results = NULL;
    size_t bytes = 0;
    size_t i;

    if (ops->n_items > 0) {
        results = memory->alloc(memory->arg, ops->n_items * sizeof(*results));
        if (results == NULL) {
            return common_error_no_memory(&write->error);
        }
    }
    for (i = 0; i < ops->n_items; i++) {
        const struct kvs_op *op = &ops->items[i];
        enum rpcrt_code code =
            op->kind == KVS_OP_PUT ? plan_put(view, write, op, plan)
            : op->kind == KVS_OP_DELETE
                ? plan_delete(view, write, op, plan, &results[i])
                : read_page(view, &op->range, write->space.size, memory,
                            &write->error, &results[i], &bytes);

        if (code != RPCRT_OK) {
            return code;
        }
        if (bytes > KVS_TXN_BYTES_MAX) {
            return common_error_set(
                &write->error, RPCRT_RESOURCE_EXHAUSTED,
                "the transaction would return more than %u bytes",
                KVS_TXN_BYTES_MAX);
        }
    }
    write->results = results;
    write->n_results = ops->n_items;
    return RPCRT_OK;
}

static bool
only_ranges(const struct kvs_ops *ops)
{
    size_t i;

    for (i = 0; i < ops->n_items; i++) {
        if (ops->items[i].kind != KVS_OP_RANGE) {
            return false;
        }
    }
    return true;
}

bool
kvs_plan_only_reads(const struct kvs_write *write)
{
    return only_ranges(&write->then) && only_ranges(&write->otherwise);
}

enum rpcrt_code
kvs_plan_write(struct kvs_view *view, struct kvs_write *write,
               struct kvs_plan *ret_plan)
{
    struct kvs_plan *plan = ret_plan;
    bool hold = false;

    *plan = (struct kvs_plan){.tail = &plan->changes};
    write->header = view->header;
    write->error.code = RPCRT_OK;
    write->results = NULL;
    write->n_results = 0;
    if (check_store(view, write->store_id, &write->error) != RPCRT_OK ||
        compare_all(view, write, &write->error, &hold) != RPCRT_OK ||
        plan_ops(view, write, hold ? &write->then : &write->otherwise, plan) !=
            RPCRT_OK) {
        return write->error.code;
    }
    write->succeeded = hold;
    if (plan->n_changes > 0) {
        write->header.revision++;
    }
    return RPCRT_OK;
}
