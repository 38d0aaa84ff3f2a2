/*
 * Why a call failed, for people: code, message and details. These are a
 * serialized google.rpc.Status, whose ordinary kinds are read here by the
 * numbers of their fields.
 */
#include "rpcctl.h"

#include <string.h>

/* -- reading --------------------------------------------------------------- */

struct bytes {
    const uint8_t *at;
    const uint8_t *end;
};

static bool
varint_read(struct bytes *bytes, uint64_t *ret_value)
{
    unsigned shift;

    *ret_value = 0;
    for (shift = 0; shift < 64 && bytes->at < bytes->end; shift += 7) {
        uint8_t byte = *bytes->at++;

        *ret_value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

/* The next field that is a number or has a length; others end it. */
static bool
field_read(struct bytes *bytes, unsigned *ret_number, uint64_t *ret_value,
           struct bytes *ret_content)
{
    uint64_t tag = 0;

    *ret_content = (struct bytes){bytes->end, bytes->end};
    if (bytes->at >= bytes->end || !varint_read(bytes, &tag) ||
        (tag & 7) % 2 != 0 || (tag & 7) > 2 || !varint_read(bytes, ret_value)) {
        return false;
    }
    *ret_number = (unsigned)(tag >> 3);
    if ((tag & 7) == 2) {
        if (*ret_value > (uint64_t)(bytes->end - bytes->at)) {
            return false;
        }
        *ret_content = (struct bytes){bytes->at, bytes->at + *ret_value};
        bytes->at += *ret_value;
    }
    return true;
}

/* The content of the first field with a number; empty if it is absent. */
static struct bytes
field_find(struct bytes bytes, unsigned wanted)
{
    struct bytes content = {bytes.end, bytes.end};
    unsigned number;
    uint64_t value;

    while (field_read(&bytes, &number, &value, &content)) {
        if (number == wanted) {
            return content;
        }
    }
    return (struct bytes){bytes.end, bytes.end};
}

static uint64_t
number_find(struct bytes bytes, unsigned wanted)
{
    struct bytes content;
    unsigned number;
    uint64_t value;

    while (field_read(&bytes, &number, &value, &content)) {
        if (number == wanted) {
            return value;
        }
    }
    return 0;
}

/* -- writing --------------------------------------------------------------- */

/* Text from elsewhere, without what moves a terminal's cursor. */
static void
put_text(const char *before, struct bytes text)
{
    (void)fputs(before, stderr);
    for (; text.at < text.end; text.at++) {
        (void)fputc(*text.at < 0x20 || *text.at == 0x7f ? '?' : *text.at,
                    stderr);
    }
}

static void
put_error_info(struct bytes info)
{
    struct bytes content;
    unsigned number;
    uint64_t value;

    put_text("  ErrorInfo: ", field_find(info, 1));
    put_text(" of ", field_find(info, 2));
    (void)fputc('\n', stderr);
    while (field_read(&info, &number, &value, &content)) {
        if (number == 3) {
            put_text("    ", field_find(content, 1));
            put_text(": ", field_find(content, 2));
            (void)fputc('\n', stderr);
        }
    }
}

static void
put_retry_info(struct bytes info)
{
    struct bytes delay = field_find(info, 1);

    (void)fprintf(stderr, "  RetryInfo: again after %.3f s\n",
                  (double)(int64_t)number_find(delay, 1) +
                      (double)(int64_t)number_find(delay, 2) / 1e9);
}

static void
put_bad_request(struct bytes request)
{
    struct bytes content;
    unsigned number;
    uint64_t value;

    (void)fputs("  BadRequest:\n", stderr);
    while (field_read(&request, &number, &value, &content)) {
        if (number == 1) {
            put_text("    ", field_find(content, 1));
            put_text(": ", field_find(content, 2));
            (void)fputc('\n', stderr);
        }
    }
}

static void
put_detail(struct bytes any)
{
    static const struct {
        const char *name;
        void (*put)(struct bytes value);
    } known[] = {{"google.rpc.ErrorInfo", put_error_info},
                 {"google.rpc.RetryInfo", put_retry_info},
                 {"google.rpc.BadRequest", put_bad_request}};
    struct bytes name = field_find(any, 1);
    struct bytes value = field_find(any, 2);
    const uint8_t *at;
    size_t i;

    for (at = name.at; at < name.end; at++) {
        name.at = *at == '/' ? at + 1 : name.at;
    }
    for (i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t size = (size_t)(name.end - name.at);

        if (strlen(known[i].name) == size &&
            memcmp(known[i].name, name.at, size) == 0) {
            known[i].put(value);
            return;
        }
    }
    put_text("  ", name);
    (void)fprintf(stderr, " (%zu bytes)\n", (size_t)(value.end - value.at));
}

int
rpcctl_failed(const struct cli *cli, const struct rpcrt_call *call)
{
    size_t size = 0;
    const uint8_t *details = rpcrt_call_details(call, &size);
    const char *message = rpcrt_call_message(call);
    struct bytes status = {details, details != NULL ? details + size : NULL};
    struct bytes text = {(const uint8_t *)message,
                         (const uint8_t *)message + strlen(message)};
    struct bytes content;
    unsigned number;
    uint64_t value;

    (void)fflush(stdout);
    rpcctl_colour(stderr, RPCCTL_BAD);
    (void)fprintf(stderr, "%s: %s: %s", cli->program, cli->command->name,
                  rpcrt_code_name(rpcrt_call_code(call)));
    rpcctl_colour(stderr, RPCCTL_PLAIN);
    put_text(": ", text);
    (void)fputc('\n', stderr);
    while (details != NULL && field_read(&status, &number, &value, &content)) {
        if (number == 3) {
            put_detail(content);
        }
    }
    return CLI_EXIT_STATUS + (int)rpcrt_call_code(call);
}
