/*
 * What the files of rpcctl share: the flags of its command line, the types of
 * the server, requests from the command line, and what is printed of a call.
 * rpcctl knows no service: types come from the server's reflection or from a
 * file of descriptors.
 */
#ifndef CLIENTS_RPCCTL_H
#define CLIENTS_RPCCTL_H

#include "cli.h"

#include <protobuf-c/protobuf-c.h>
#include <rpcrt/gen.h>
#include <rpcrt/types.h>
#include <stdio.h>

struct rpcctl_options {
    const char *descriptors; /* file; NULL: reflection */
    struct cli_list headers; /* "key: value" */
    uint64_t deadline_ms;    /* 0: --timeout, but none for streams */
    bool verbose;
    bool long_list;
    bool defaults;
    bool watch;
    const char *format;
    uint64_t concurrency;
    uint64_t rate;
    uint64_t count;
    uint64_t duration_ms;
};

extern struct rpcctl_options rpcctl_options;

#define RPCCTL_REQUEST_SIZE_MAX (64u << 20)

/* -- commands: the exit code ----------------------------------------------- */

int rpcctl_ls(struct cli *cli, int argc, char **argv);
int rpcctl_describe(struct cli *cli, int argc, char **argv);
int rpcctl_template(struct cli *cli, int argc, char **argv);
int rpcctl_call(struct cli *cli, int argc, char **argv);
int rpcctl_health(struct cli *cli, int argc, char **argv);
int rpcctl_load(struct cli *cli, int argc, char **argv);
int rpcctl_completion(struct cli *cli, int argc, char **argv);

/* -- connection: rpcctl_connect.c ------------------------------------------ */

/* Connect, if that has not been done, with the metadata of -H on cli->call.
 * False: the reason has been printed. */
bool rpcctl_connect(struct cli *cli, int *ret_exit);

/* One more call, with that metadata. */
bool rpcctl_call_new(struct cli *cli, struct rpcrt_call **ret_call);

/* Let Ctrl-C, on a thread of its own, cancel a call; NULL: end the program. To
 * be begun before anything has made a thread. */
void rpcctl_interrupt_begin(void);
void rpcctl_interrupt_cancels(struct rpcrt_call *call);

/* Let Ctrl-C be asked for only. */
void rpcctl_interrupt_asks(void);
bool rpcctl_interrupted(void);

/* Ask for the server's health, to see that it is there at all: 0, or the exit
 * code if there is no answer. */
int rpcctl_health_try(struct cli *cli);

/* -- types: rpcctl_types.c, rpcctl_reflect.c ------------------------------- */

/* The types behind a symbol, a service for one, or of all services if it is
 * NULL; the caller's to free. A symbol that is not there is no failure, but may
 * yield the types of all services. False: as above. */
bool rpcctl_types_load(struct cli *cli, const char *symbol,
                       struct rpcrt_types **ret_types, int *ret_exit);

/* Ask the server for them; it must be connected. */
bool rpcctl_reflect(struct cli *cli, const char *symbol,
                    struct rpcrt_types *types, int *ret_exit);

struct rpcctl_method {
    struct rpcrt_types *types; /* rpcrt_types_free() */
    const struct rpcrt_method *method;
    const struct rpcrt_file *file;
};

/* The method that a name means: "kv.v1.Kv/Put", with a dot for the slash, or
 * the end of that if only one has it: "Put". False: as above. */
bool rpcctl_method_load(struct cli *cli, const char *name,
                        struct rpcctl_method *ret_method, int *ret_exit);

/* Whether a full name, "kv.v1.Kv" or "/kv.v1.Kv/Put", has that at its end, and
 * more in front: whole words. */
bool rpcctl_ends_with(const char *full, const char *name);

/* -- requests: rpcctl_body.c ----------------------------------------------- */

/* The JSON of a request: one argument that is JSON or @FILE or @-, or any
 * number of items NAME=TEXT, NAME:=JSON; nothing is {}. Memory by malloc().
 * False: as above. */
bool rpcctl_body_read(const struct cli *cli, int argc, char **argv,
                      struct cli_bytes *ret_text, int *ret_exit);

/* The message of a JSON text; `where` is put before what is wrong with it. */
bool rpcctl_body_parse(const struct cli *cli,
                       const ProtobufCMessageDescriptor *type,
                       const struct rpcrt_file *file, const char *where,
                       const char *text, size_t size,
                       ProtobufCMessage **ret_message, int *ret_exit);

/* -- printing: rpcctl_print.c, rpcctl_failure.c ---------------------------- */

enum rpcctl_colour {
    RPCCTL_PLAIN,
    RPCCTL_NAME,
    RPCCTL_TEXT,
    RPCCTL_NUMBER,
    RPCCTL_DIM,
    RPCCTL_BAD
};

/* Change the colour of what follows, if there is a terminal that wants it. */
void rpcctl_colour(FILE *out, enum rpcctl_colour colour);

/* Print a message to standard output, on one line if so. False: the reason has
 * been printed. */
bool rpcctl_print(const struct cli *cli, const ProtobufCMessage *message,
                  const struct rpcrt_file *file, bool one_line);

/* With -v: tell on standard error what is sent, secrets left out; and how a
 * call went. */
void rpcctl_tell_start(const struct cli *cli, const struct rpcctl_method *what);
void rpcctl_tell_message(const struct rpcctl_method *what, char direction,
                         const ProtobufCMessage *message);
void rpcctl_tell_end(const struct rpcrt_call *call);

/* Print why a call failed, with its details; returns the exit code. */
int rpcctl_failed(const struct cli *cli, const struct rpcrt_call *call);

/* -- calls with streams: rpcctl_stream.c ----------------------------------- */

int rpcctl_stream(struct cli *cli, const struct rpcctl_method *what, int argc,
                  char **argv);

#endif
