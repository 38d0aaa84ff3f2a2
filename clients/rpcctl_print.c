/*
 * What rpcctl prints of a call: messages as JSON on standard output, and with
 * -v on standard error what went over the wire. Colours are for terminals, and
 * never with NO_COLOR.
 */
#include "rpcctl.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- colours --------------------------------------------------------------- */

static bool
has_colours(FILE *out)
{
    const char *no = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    return isatty(fileno(out)) == 1 && (no == NULL || *no == '\0') &&
           terminal != NULL && strcmp(terminal, "dumb") != 0;
}

void
rpcctl_colour(FILE *out, enum rpcctl_colour colour)
{
    static const char *const codes[] = {
        [RPCCTL_PLAIN] = "0",   [RPCCTL_NAME] = "34;1", [RPCCTL_TEXT] = "32",
        [RPCCTL_NUMBER] = "36", [RPCCTL_DIM] = "2",     [RPCCTL_BAD] = "31;1"};

    if (has_colours(out)) {
        (void)fprintf(out, "\033[%sm", codes[colour]);
    }
}

/* -- JSON ------------------------------------------------------------------ */

/* The length of the string at the start, its quotes included. */
static size_t
string_size(const char *text)
{
    size_t i = 1;

    while (text[i] != '\0' && text[i] != '"') {
        i += text[i] == '\\' && text[i + 1] != '\0' ? 2 : 1;
    }
    return text[i] == '"' ? i + 1 : i;
}

static void
put_coloured(const char *text)
{
    while (*text != '\0') {
        size_t size = strcspn(text, "\"tfn-0123456789");
        enum rpcctl_colour colour = RPCCTL_NUMBER;

        (void)fwrite(text, 1, size, stdout);
        text += size;
        if (*text == '\0') {
            break;
        }
        if (*text == '"') {
            size = string_size(text);
            colour = text[size] == ':' ? RPCCTL_NAME : RPCCTL_TEXT;
        } else {
            size = strcspn(text, ",]} \n");
        }
        rpcctl_colour(stdout, colour);
        (void)fwrite(text, 1, size, stdout);
        rpcctl_colour(stdout, RPCCTL_PLAIN);
        text += size;
    }
}

bool
rpcctl_print(const struct cli *cli, const ProtobufCMessage *message,
             const struct rpcrt_file *file, bool one_line)
{
    struct rpcrt_json_options options = {.pretty = !one_line && !cli->json,
                                         .emit_defaults =
                                             rpcctl_options.defaults};
    struct rpcrt_json_error error;
    char *text = NULL;

    if (rpcrt_json_print(message, file, &options, &text, NULL, &error) !=
        RPCRT_OK) {
        (void)cli_fail(cli, "the reply can't be shown: %s", error.text);
        return false;
    }
    if (has_colours(stdout)) {
        put_coloured(text);
    } else {
        (void)fputs(text, stdout);
    }
    (void)putchar('\n');
    free(text);
    if (fflush(stdout) != 0) {
        (void)cli_fail(cli, "standard output can't be written");
        return false;
    }
    return true;
}

/* -- with -v --------------------------------------------------------------- */

/* Whether a value of metadata is shown: what gives access is not. */
static bool
is_secret(const char *key)
{
    return strcasecmp(key, "authorization") == 0 ||
           strcasecmp(key, "cookie") == 0 || strstr(key, "token") != NULL ||
           strstr(key, "password") != NULL;
}

/* One entry of metadata; `direction` is what stands before it. */
static void
tell_entry(void *direction, const char *name, const char *value, size_t size)
{
    size_t i;

    rpcctl_colour(stderr, RPCCTL_DIM);
    (void)fprintf(stderr, "%s%s: ", (const char *)direction, name);
    if (is_secret(name)) {
        (void)fputs("[redacted]", stderr);
    } else if (strlen(name) > 4 &&
               strcmp(name + strlen(name) - 4, "-bin") == 0) {
        for (i = 0; i < size; i++) {
            (void)fprintf(stderr, "%02x", (unsigned char)value[i]);
        }
    } else {
        (void)fwrite(value, 1, size, stderr);
    }
    rpcctl_colour(stderr, RPCCTL_PLAIN);
    (void)fputc('\n', stderr);
}

void
rpcctl_tell_start(const struct cli *cli, const struct rpcctl_method *what)
{
    char direction[] = "> ";
    char name[128];
    size_t i;

    if (!rpcctl_options.verbose) {
        return;
    }
    rpcctl_colour(stderr, RPCCTL_DIM);
    (void)fprintf(stderr, "> %s at %s\n", what->method->path, cli->address);
    rpcctl_colour(stderr, RPCCTL_PLAIN);
    for (i = 0; i < rpcctl_options.headers.n_items; i++) {
        const char *header = rpcctl_options.headers.items[i];
        size_t size = strcspn(header, ":");
        const char *value = header + size + 1;

        value += strspn(value, " ");
        (void)snprintf(name, sizeof name, "%.*s", (int)size, header);
        tell_entry(direction, name, value, strlen(value));
    }
}

void
rpcctl_tell_message(const struct rpcctl_method *what, char direction,
                    const ProtobufCMessage *message)
{
    static const struct rpcrt_json_options redacted = {.redact = true};
    char *text = NULL;

    if (!rpcctl_options.verbose) {
        return;
    }
    if (direction == '>' && rpcrt_json_print(message, what->file, &redacted,
                                             &text, NULL, NULL) != RPCRT_OK) {
        text = NULL;
    }
    rpcctl_colour(stderr, RPCCTL_DIM);
    (void)fprintf(stderr, "%c %s%s%zu bytes\n", direction,
                  text != NULL ? text : "", text != NULL ? ", " : "",
                  protobuf_c_message_get_packed_size(message));
    rpcctl_colour(stderr, RPCCTL_PLAIN);
    free(text);
}

void
rpcctl_tell_end(const struct rpcrt_call *call)
{
    char header[] = "< ";
    char trailer[] = "< trailer ";

    if (!rpcctl_options.verbose) {
        return;
    }
    rpcrt_call_each_header(call, tell_entry, header);
    rpcrt_call_each_trailer(call, tell_entry, trailer);
    rpcctl_colour(stderr, RPCCTL_DIM);
    (void)fprintf(stderr, "< %s from %s in %.3f ms, by the %s, attempt %u\n",
                  rpcrt_code_name(rpcrt_call_code(call)), rpcrt_call_peer(call),
                  (double)rpcrt_call_duration_us(call) / 1e3,
                  rpcrt_origin_text(rpcrt_call_origin(call)),
                  rpcrt_call_attempts(call));
    rpcctl_colour(stderr, RPCCTL_PLAIN);
}
