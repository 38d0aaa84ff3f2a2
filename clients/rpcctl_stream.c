/*
 * rpcctl call of a method with a stream: messages are lines of JSON, in and
 * out. A thread sends what it reads while this one prints what comes; the end
 * of the call ends the reading.
 */
#include "rpcctl.h"
#include "rpcctl_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stream {
    struct cli *cli;
    const struct rpcctl_method *what;
    struct rpcctl_lines lines;
    const char *input; /* for people */
    pthread_t sender;
    bool has_sender;
    int exit_code; /* of what could not be sent */
};

/* -- sending --------------------------------------------------------------- */

/* False: that was the last one. */
static bool
send_text(struct stream *stream, const char *where, const char *text,
          size_t size)
{
    ProtobufCMessage *message = NULL;
    bool sent;

    if (!rpcctl_body_parse(stream->cli, stream->what->method->request,
                           stream->what->file, where, text, size, &message,
                           &stream->exit_code)) {
        rpcrt_call_cancel(stream->cli->call);
        return false;
    }
    rpcctl_tell_message(stream->what, '>', message);
    sent = rpcrt_call_send(stream->cli->call, message);
    protobuf_c_message_free_unpacked(message, NULL);
    return sent;
}

static void *
send_lines(void *arg)
{
    struct stream *stream = arg;
    const char *text = NULL;
    size_t size = 0;
    char where[300];
    bool going = true;

    while (going && rpcctl_lines_next(&stream->lines, &text, &size)) {
        (void)snprintf(where, sizeof where, "%s, line %zu", stream->input,
                       stream->lines.number);
        going = send_text(stream, where, text, size);
    }
    if (stream->lines.problem != NULL) {
        stream->exit_code = cli_fail(stream->cli, "%s: %s", stream->input,
                                     stream->lines.problem);
        rpcrt_call_cancel(stream->cli->call);
    }
    rpcrt_call_close_send(stream->cli->call);
    return NULL;
}

/* Where the lines come from, -1: the arguments are the one message; -2: that
 * can't be, which has been printed. */
static int
input_open(struct stream *stream, int argc, char **argv)
{
    int fd;

    stream->input = "standard input";
    if (argc == 0 || (argc == 1 && (strcmp(argv[0], "@-") == 0 ||
                                    strcmp(argv[0], "-") == 0))) {
        if (isatty(STDIN_FILENO) == 1) {
            (void)fputs("One JSON value a line; Ctrl-D ends.\n", stderr);
        }
        return STDIN_FILENO;
    }
    if (argc > 1 || argv[0][0] != '@') {
        return -1;
    }
    stream->input = argv[0] + 1;
    fd = open(stream->input, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        (void)cli_fail(stream->cli, "%s: %s", stream->input, strerror(errno));
        return -2;
    }
    return fd;
}

/* Send the one message that stands on the command line. */
static bool
send_arguments(struct stream *stream, int argc, char **argv)
{
    struct cli_bytes text = {NULL, 0};
    int exit_code = 0;

    if (!rpcctl_body_read(stream->cli, argc, argv, &text, &exit_code)) {
        stream->exit_code = exit_code;
        return false;
    }
    (void)send_text(stream, "request", (const char *)text.data, text.size);
    rpcrt_call_close_send(stream->cli->call);
    free(text.data);
    return true;
}

static bool
sender_start(struct stream *stream, int fd)
{
    if (!rpcctl_lines_init(&stream->lines, fd, RPCCTL_REQUEST_SIZE_MAX)) {
        (void)cli_fail(stream->cli, "%s", strerror(errno));
        return false;
    }
    stream->has_sender =
        pthread_create(&stream->sender, NULL, send_lines, stream) == 0;
    if (!stream->has_sender) {
        rpcctl_lines_fini(&stream->lines);
        (void)cli_fail(stream->cli, "no thread can be made");
    }
    return stream->has_sender;
}

static void
sender_end(struct stream *stream)
{
    if (stream->has_sender) {
        rpcctl_lines_stop(&stream->lines);
        (void)pthread_join(stream->sender, NULL);
        if (stream->lines.fd != STDIN_FILENO) {
            (void)close(stream->lines.fd);
        }
        rpcctl_lines_fini(&stream->lines);
    }
}

/* -- receiving ------------------------------------------------------------- */

/* Print what comes until the call is over; false: it can't be printed. */
static bool
receive(struct stream *stream)
{
    struct rpcrt_call *call = stream->cli->call;
    const ProtobufCMessage *message = NULL;

    if ((stream->what->method->flags & RPCRT_METHOD_SERVER_STREAMING) == 0) {
        return rpcrt_call_wait_next(call, -1) == RPCRT_OK;
    }
    while (rpcrt_call_next(call, &message)) {
        rpcctl_tell_message(stream->what, '<', message);
        if (!rpcctl_print(stream->cli, message, stream->what->file, true)) {
            rpcrt_call_cancel(call);
            return false;
        }
    }
    return true;
}

/* Wait for the end; the exit code. */
static int
finish(struct stream *stream, bool printed)
{
    struct cli *cli = stream->cli;
    bool is_one =
        (stream->what->method->flags & RPCRT_METHOD_SERVER_STREAMING) == 0;
    const ProtobufCMessage *reply = NULL;
    enum rpcrt_code code = rpcrt_call_finish(cli->call, is_one ? &reply : NULL);

    if (code == RPCRT_OK && is_one) {
        rpcctl_tell_message(stream->what, '<', reply);
    }
    rpcctl_tell_end(cli->call);
    if (stream->exit_code != 0 || !printed) {
        return stream->exit_code != 0 ? stream->exit_code : CLI_EXIT_FAILED;
    }
    if (code != RPCRT_OK) {
        return rpcctl_failed(cli, cli->call);
    }
    return !is_one || rpcctl_print(cli, reply, stream->what->file, false)
               ? 0
               : CLI_EXIT_FAILED;
}

/* -- both ------------------------------------------------------------------ */

static int
run_from_client(struct stream *stream, int argc, char **argv)
{
    int fd = input_open(stream, argc, argv);
    bool printed = false;

    if (fd == -2) {
        return CLI_EXIT_FAILED;
    }
    rpcrt_call_open(stream->cli->call, stream->what->method, NULL);
    if (fd >= 0 ? sender_start(stream, fd)
                : send_arguments(stream, argc, argv)) {
        printed = receive(stream);
    } else {
        rpcrt_call_cancel(stream->cli->call);
    }
    sender_end(stream);
    return finish(stream, printed);
}

static int
run_from_server(struct stream *stream, int argc, char **argv)
{
    struct cli_bytes text = {NULL, 0};
    ProtobufCMessage *request = NULL;
    int exit_code = CLI_EXIT_FAILED;
    bool read;

    if (!rpcctl_body_read(stream->cli, argc, argv, &text, &exit_code)) {
        return exit_code;
    }
    read = rpcctl_body_parse(
        stream->cli, stream->what->method->request, stream->what->file,
        "request", (const char *)text.data, text.size, &request, &exit_code);
    free(text.data);
    if (!read) {
        return exit_code;
    }
    rpcctl_tell_message(stream->what, '>', request);
    rpcrt_call_open(stream->cli->call, stream->what->method, request);
    protobuf_c_message_free_unpacked(request, NULL);
    return finish(stream, receive(stream));
}

int
rpcctl_stream(struct cli *cli, const struct rpcctl_method *what, int argc,
              char **argv)
{
    struct stream stream = {.cli = cli, .what = what};
    bool from_client =
        (what->method->flags & RPCRT_METHOD_CLIENT_STREAMING) != 0;
    int exit_code = CLI_EXIT_FAILED;

    if (!rpcctl_connect(cli, &exit_code)) {
        return exit_code;
    }
    rpcrt_call_set_timeout(cli->call, (uint32_t)rpcctl_options.deadline_ms);
    rpcctl_tell_start(cli, what);
    rpcctl_interrupt_cancels(cli->call);
    exit_code = from_client ? run_from_client(&stream, argc, argv)
                            : run_from_server(&stream, argc, argv);
    rpcctl_interrupt_cancels(NULL);
    return exit_code;
}
