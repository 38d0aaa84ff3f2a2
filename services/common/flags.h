/*
 * Flags of a daemon: "--listen ADDRESS", each with a twin in the environment
 * (KVD_LISTEN), which the flag overrides. Secrets are never flags: a flag
 * names the file that has them.
 */
#ifndef SERVICES_COMMON_FLAGS_H
#define SERVICES_COMMON_FLAGS_H

#include "common/error.h"
#include <stdbool.h>
#include <stdint.h>

#define COMMON_LIST_MAX 32u
#define COMMON_LIST_WORDS_SIZE 2048u

/* Texts given by a flag that may come several times, or separated by spaces in
 * the environment. They are borrowed from the arguments, or stand in words. */
struct common_list {
    const char *items[COMMON_LIST_MAX];
    size_t n_items;
    char words[COMMON_LIST_WORDS_SIZE];
};

enum common_flag_kind {
    COMMON_FLAG_SWITCH, /* target: bool */
    COMMON_FLAG_TEXT,   /* const char * */
    COMMON_FLAG_LIST,   /* struct common_list */
    COMMON_FLAG_NUMBER, /* uint64_t, from min to max */
    COMMON_FLAG_BYTES   /* the same, with K, M, G or T behind */
};

struct common_flag {
    const char *name;  /* "listen" */
    const char *value; /* "ADDRESS"; NULL for a switch */
    const char *help;  /* may have several lines */
    enum common_flag_kind kind;
    void *target; /* left alone if the flag is not given */
    uint64_t min;
    uint64_t max;
};

/* A flag with a text, for a table. */
#define COMMON_TEXT_FLAG(flag, words, text, variable)                          \
    {                                                                          \
        .name = (flag), .value = (words), .help = (text),                      \
        .kind = COMMON_FLAG_TEXT, .target = (variable)                         \
    }

/* What a program says about itself. */
struct common_program {
    const char *name;    /* "kvd" */
    const char *summary; /* one line */
    const struct common_flag *flags;
    size_t n_flags;
};

enum common_go_on {
    COMMON_GO_ON,
    COMMON_HELP,   /* --help was given */
    COMMON_VERSION /* --version was given */
};

/**
 * Read the environment, then the arguments. For main(): once, before there are
 * threads; texts are borrowed from both.
 *
 * Returns  OK, or INVALID_ARGUMENT with a text that names the flag or variable.
 */
RPCRT_MUST_CHECK enum rpcrt_code
common_flags_read(const struct common_program *program, int argc, char **argv,
                  struct common_error *ret_error, enum common_go_on *ret_go_on);

/* Write the text of --help; at most size bytes, as snprintf(). */
size_t common_flags_help(const struct common_program *program, char *text,
                         size_t size);

#endif
