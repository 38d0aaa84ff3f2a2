/*
 * protoc-gen-rpcrt: protoc starts it, writes a request to its stdin and reads
 * the response from its stdout. What is wrong with the user's files stands in
 * the response; exit status 1 means that there is none.
 */
#include "generate.h"
#include "process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VERSION "0.1.0"

static const char usage[] =
    "usage: protoc --rpcrt_out=[protoc_gen_c=PATH:]DIRECTORY FILE.proto...\n"
    "\n"
    "protoc-gen-rpcrt is a plugin that protoc runs: it must be on PATH, or be\n"
    "named by --plugin=protoc-gen-rpcrt=PATH. For x.proto it writes into\n"
    "DIRECTORY:\n"
    "\n"
    "  x.pb-c.h x.pb-c.c      messages, by protoc-gen-c\n"
    "  x.rpc.h x.rpc.c        tables\n"
    "  x.client.h x.client.c  functions to call the services\n"
    "  x.server.h x.server.c  functions to serve them\n"
    "\n"
    "Parameters (--rpcrt_opt=):\n"
    "  comments               keep comments in the descriptors, for "
    "reflection\n"
    "  protoc_gen_c=PATH      the protoc-gen-c to run, if not the one on PATH\n"
    "\n"
    "Options, when run by hand:\n"
    "  --help                 print this\n"
    "  --version              print the version\n";

static int
print(const char *text)
{
    if (fputs(text, stdout) < 0 || fflush(stdout) != 0) {
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

static int
run_by_hand(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        return print(usage);
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        return print("protoc-gen-rpcrt " VERSION "\n");
    }
    fputs(usage, stderr);
    return 2;
}

/* Have protoc-gen-c write the messages. NULL, or what went wrong. */
static const char *
add_messages(struct output *output)
{
    struct bytes response;
    const char *failure;

    failure = process_run(output->pool, output->protoc_gen_c,
                          output->messages_request, &response);
    if (failure == NULL && !output_add_messages(output, response)) {
        failure = pool_format(output->pool, "%s: answered nonsense",
                              output->protoc_gen_c);
    }
    return failure;
}

/* NULL, or why there is no response. */
static const char *
answer(struct pool *pool)
{
    struct bytes bytes;
    struct output output;
    const char *failure;

    failure = process_read(pool, STDIN_FILENO, &bytes);
    if (failure != NULL) {
        return failure;
    }
    if (!generate(pool, bytes, &output)) {
        return "stdin is not a request of protoc";
    }
    if (output.error == NULL && output.messages_request.size > 0) {
        failure = add_messages(&output);
        if (failure != NULL) {
            output.error = pool_format(
                pool,
                "%s (it comes with protobuf-c; protoc_gen_c=PATH says "
                "which to run)",
                failure);
        }
    }
    bytes = output_serialize(&output);
    if (fwrite(bytes.data, 1, bytes.size, stdout) != bytes.size ||
        fflush(stdout) != 0) {
        return pool_format(pool, "write: %s", strerror(errno));
    }
    return NULL;
}

int
main(int argc, char **argv)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct pool *pool;
    const char *failure;

    if (argc > 1 || isatty(STDIN_FILENO)) {
        return run_by_hand(argc, argv);
    }
    /* Whoever stops reading shows up as an error of write(). */
    sigaction(SIGPIPE, &ignore, NULL);
    pool = pool_new();
    failure = answer(pool);
    if (failure != NULL) {
        fprintf(stderr, "protoc-gen-rpcrt: %s\n", failure);
    }
    pool_free(pool);
    return failure == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}
