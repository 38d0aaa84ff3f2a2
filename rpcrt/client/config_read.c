/*
 * The scanner does not build anything: each member's function is called when
 * its value stands at the reading point.
 */
#include "client/config_read.h"

#include "core/alloc.h"
#include "core/real.h"

#include <inttypes.h>
#include <rpcrt/status.h>
#include <stdio.h>
#include <string.h>

/* Of values that are passed over. */
#define SKIP_DEPTH_MAX 64u

static void *
heap_alloc(void *arg, size_t size)
{
    (void)arg;
    return rpcrt__alloc(size);
}

static void
heap_free(void *arg, void *block)
{
    (void)arg;
    rpcrt__free(block);
}

void
rpcrt__config_read_init(struct rpcrt__config_read *read, const char *json)
{
    static ProtobufCAllocator heap = {heap_alloc, heap_free, NULL};

    memset(read, 0, sizeof *read);
    read->scan.start = (const uint8_t *)json;
    read->scan.at = read->scan.start;
    read->scan.end = read->scan.start + strlen(json);
    rpcrt__json_buffer_init(&read->decoded, &heap);
}

void
rpcrt__config_read_fini(struct rpcrt__config_read *read)
{
    rpcrt__json_buffer_fini(&read->decoded);
}

/* -- problems -------------------------------------------------------------- */

bool
rpcrt__config_refuse(struct rpcrt__config_read *read, const char *problem)
{
    return rpcrt__json_refuse(&read->scan, read->scan.at, problem);
}

bool
rpcrt__config_out_of_memory(struct rpcrt__config_read *read)
{
    read->no_memory = true;
    return rpcrt__config_refuse(read, "no memory");
}

static void
write_path(const struct rpcrt__config_read *read, char *path, size_t size)
{
    size_t at = 0;

    path[0] = '\0';
    for (unsigned i = 0; i < read->n_places && at < size; i++) {
        const char *field = read->places[i].field;
        int n = field == NULL ? snprintf(path + at, size - at, "[%zu]",
                                         read->places[i].index)
                              : snprintf(path + at, size - at, "%s%s",
                                         at > 0 ? "." : "", field);

        at += n > 0 ? (size_t)n : 0;
    }
}

enum rpcrt_code
rpcrt__config_describe(const struct rpcrt__config_read *read,
                       struct rpcrt__error *ret_error)
{
    char path[128];
    unsigned line = 1;
    unsigned column = 1;

    if (read->no_memory || read->decoded.failed) {
        return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "service config: no memory");
    }
    for (const uint8_t *at = read->scan.start; at < read->scan.problem_at;
         at++) {
        line += *at == '\n';
        column = *at == '\n' ? 1 : column + ((*at & 0xc0) != 0x80);
    }
    write_path(read, path, sizeof path);
    return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                            "service config: line %u, column %u: %s%s%s", line,
                            column, path, path[0] == '\0' ? "" : ": ",
                            read->scan.problem);
}

/* -- objects and arrays ---------------------------------------------------- */

/* Read a value as a place of its own. Null is as if it were not there. */
static bool
read_at(struct rpcrt__config_read *read, const char *field, size_t index,
        rpcrt__config_read_fn *fn, void *to, bool *ret_there)
{
    char kind = rpcrt__json_peek(&read->scan);

    *ret_there = kind != 'n';
    if (kind == '\0') {
        return false;
    }
    if (read->n_places == RPCRT__CONFIG_DEPTH_MAX) {
        return rpcrt__config_refuse(read, "nested too deep");
    }
    read->places[read->n_places].field = field;
    read->places[read->n_places].index = index;
    read->n_places++;
    if (kind == 'n' ? !rpcrt__json_literal(&read->scan) : !fn(read, to)) {
        return false;
    }
    read->n_places--;
    return true;
}

static const struct rpcrt__config_member *
find_member(const struct rpcrt__config_member *members, size_t n_members,
            struct rpcrt__json_slice name)
{
    for (size_t i = 0; i < n_members; i++) {
        if (strlen(members[i].name) == name.size &&
            memcmp(members[i].name, name.data, name.size) == 0) {
            return &members[i];
        }
    }
    return NULL;
}

static bool
read_member(struct rpcrt__config_read *read,
            const struct rpcrt__config_member *members, size_t n_members,
            void *to, uint32_t *seen)
{
    const struct rpcrt__config_member *member;
    struct rpcrt__json_slice name;
    struct rpcrt__json_slice raw;
    uint32_t bit;
    bool there;

    if (!rpcrt__json_name(&read->scan, &read->decoded, &name, &raw)) {
        return false;
    }
    member = find_member(members, n_members, name);
    if (member == NULL) {
        return rpcrt__json_skip(&read->scan, SKIP_DEPTH_MAX);
    }
    bit = UINT32_C(1) << (member - members);
    if ((*seen & bit) != 0) {
        read->scan.at = (const uint8_t *)raw.data - 1;
        return rpcrt__config_refuse(read, "the member is there twice");
    }
    if (!read_at(read, member->name, 0, member->fn, (char *)to + member->offset,
                 &there)) {
        return false;
    }
    *seen |= there ? bit : 0;
    return true;
}

bool
rpcrt__config_object(struct rpcrt__config_read *read,
                     const struct rpcrt__config_member *members,
                     size_t n_members, void *to, uint32_t *ret_seen)
{
    bool first = true;

    *ret_seen = 0;
    if (rpcrt__json_peek(&read->scan) != '{') {
        return rpcrt__config_refuse(read, "not an object");
    }
    rpcrt__json_open(&read->scan);
    while (rpcrt__json_next(&read->scan, '}', &first)) {
        if (!read_member(read, members, n_members, to, ret_seen)) {
            return false;
        }
    }
    return read->scan.problem == NULL;
}

bool
rpcrt__config_array(struct rpcrt__config_read *read, rpcrt__config_read_fn *fn,
                    void *to)
{
    bool first = true;
    bool there;

    if (rpcrt__json_peek(&read->scan) != '[') {
        return rpcrt__config_refuse(read, "not an array");
    }
    rpcrt__json_open(&read->scan);
    for (size_t i = 0; rpcrt__json_next(&read->scan, ']', &first); i++) {
        if (!read_at(read, NULL, i, fn, to, &there)) {
            return false;
        }
    }
    return read->scan.problem == NULL;
}

/* -- values ---------------------------------------------------------------- */

bool
rpcrt__config_string(struct rpcrt__config_read *read,
                     struct rpcrt__json_slice *ret_string)
{
    if (rpcrt__json_peek(&read->scan) != '"') {
        return rpcrt__config_refuse(read, "not a string");
    }
    return rpcrt__json_string(&read->scan, &read->decoded, ret_string);
}

bool
rpcrt__config_bool(struct rpcrt__config_read *read, void *to)
{
    char kind = rpcrt__json_peek(&read->scan);

    if (kind != 't' && kind != 'f') {
        return rpcrt__config_refuse(read, "neither true nor false");
    }
    *(bool *)to = kind == 't';
    return rpcrt__json_literal(&read->scan);
}

bool
rpcrt__config_double(struct rpcrt__config_read *read, void *to)
{
    const uint8_t *start = read->scan.at;
    struct rpcrt__json_slice number;

    if (rpcrt__json_peek(&read->scan) != '0') {
        return rpcrt__config_refuse(read, "not a number");
    }
    if (!rpcrt__json_number(&read->scan, &number)) {
        return false;
    }
    if (!rpcrt__real_parse(number.data, number.size, false, to)) {
        read->scan.at = start;
        return rpcrt__config_refuse(read, "number out of range");
    }
    return true;
}

bool
rpcrt__config_uint32(struct rpcrt__config_read *read, void *to)
{
    char kind = rpcrt__json_peek(&read->scan);
    const uint8_t *start = read->scan.at;
    struct rpcrt__json_slice text = {"", 0};
    uint64_t value = 0;
    bool ok;

    ok = kind == '"'   ? rpcrt__json_string(&read->scan, &read->decoded, &text)
         : kind == '0' ? rpcrt__json_number(&read->scan, &text)
                       : rpcrt__config_refuse(read, "not a number");
    for (size_t i = 0; ok && i < text.size; i++) {
        ok = text.data[i] >= '0' && text.data[i] <= '9' && value <= UINT32_MAX;
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    }
    if (!ok || text.size == 0 || value > UINT32_MAX) {
        return rpcrt__json_refuse(&read->scan, start,
                                  "not a whole number below 2^32");
    }
    *(uint32_t *)to = (uint32_t)value;
    return true;
}

/* Digits at *at, so many at the most; returns how many there were. */
static unsigned
read_digits(const char **at, const char *end, unsigned n_max,
            uint64_t *ret_value)
{
    unsigned n = 0;
    uint64_t value = 0;

    while (n < n_max && *at < end && **at >= '0' && **at <= '9') {
        value = value * 10 + (uint64_t)(**at - '0');
        (*at)++;
        n++;
    }
    *ret_value = value;
    return n;
}

bool
rpcrt__config_duration_ms(struct rpcrt__config_read *read, void *to)
{
    const uint8_t *start;
    struct rpcrt__json_slice text = {.data = NULL};
    const char *at;
    const char *end;
    uint64_t seconds = 0;
    uint64_t fraction = 0;
    uint64_t ms;
    unsigned n_digits = 9;
    bool ok;

    (void)rpcrt__json_peek(&read->scan);
    start = read->scan.at;
    if (!rpcrt__config_string(read, &text)) {
        return false;
    }
    at = text.data;
    end = text.data + text.size;
    ok = read_digits(&at, end, 10, &seconds) > 0;
    if (ok && at < end && *at == '.') {
        at++;
        n_digits = read_digits(&at, end, 9, &fraction);
        ok = n_digits > 0;
    }
    for (; n_digits < 9; n_digits++) {
        fraction *= 10;
    }
    ms = seconds * 1000 + (fraction + 999999) / 1000000;
    if (!ok || at != end - 1 || *at != 's' || ms > UINT32_MAX) {
        return rpcrt__json_refuse(&read->scan, start,
                                  "not a time like \"1.5s\" below 49 days");
    }
    *(uint32_t *)to = ms > 0 ? (uint32_t)ms : 1;
    return true;
}

static bool
read_code(struct rpcrt__config_read *read, void *to)
{
    uint32_t *bits = to;
    char kind = rpcrt__json_peek(&read->scan);
    const uint8_t *start = read->scan.at;
    struct rpcrt__json_slice name;
    uint32_t code = 0;

    if (kind == '0') {
        if (!rpcrt__config_uint32(read, &code)) {
            return false;
        }
    } else if (!rpcrt__config_string(read, &name)) {
        return false;
    } else {
        while (code <= RPCRT_UNAUTHENTICATED &&
               (strlen(rpcrt_code_name((enum rpcrt_code)code)) != name.size ||
                memcmp(rpcrt_code_name((enum rpcrt_code)code), name.data,
                       name.size) != 0)) {
            code++;
        }
    }
    if (code > RPCRT_UNAUTHENTICATED) {
        return rpcrt__json_refuse(&read->scan, start, "not a status code");
    }
    *bits |= UINT32_C(1) << code;
    return true;
}

bool
rpcrt__config_codes(struct rpcrt__config_read *read, void *to)
{
    *(uint32_t *)to = 0;
    return rpcrt__config_array(read, read_code, to);
}
