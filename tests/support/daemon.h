/*
 * Programs of the project as processes of their own: kvd, and what is run to
 * its end. Where they are is told by the environment (KVD, KVCTL); a program
 * that is missing fails the test. Processes end with the test.
 */
#ifndef TESTS_SUPPORT_DAEMON_H
#define TESTS_SUPPORT_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DAEMON_ADDRESS_SIZE 256u

struct daemon {
    pid_t pid;
    char address[DAEMON_ADDRESS_SIZE]; /* the first it listens on */
};

struct daemon_options {
    uint64_t
        file_size_max; /* bytes a file may grow to; 0: as many as it likes */
    const char *log;   /* file for its standard error; NULL: none */
};

/* Start the program that a variable of the environment names, with arguments
 * that end with NULL, and wait until it says where it listens. False: it ended
 * instead. Options may be NULL. */
bool daemon_start(struct daemon *daemon, const char *variable,
                  const char *const *arguments,
                  const struct daemon_options *options);

/* Send a signal and wait for the end; returns what waitpid() tells. */
int daemon_end(struct daemon *daemon, int signal_number);

/* Let programs that are started from now on leave core files, as far as this
 * process may say so; sanitizers forbid it by themselves. */
void daemon_allow_cores(void);

/* Fail the test if the process could leave a core file; ends it with SIGABRT.
 */
void daemon_expect_no_core(struct daemon *daemon);

/* What a program that ran to its end has left. */
struct daemon_result {
    int exit_code; /* 128 + signal if one ended it */
    char out[8192];
    char err[4096];
};

/* Run a program to its end; `input` (may be NULL) is its standard input. */
void daemon_run(const char *variable, const char *const *arguments,
                const char *input, struct daemon_result *ret_result);

/* A new folder below /tmp, and its removal with the files in it. */
void daemon_folder_make(char ret_folder[64]);
void daemon_folder_remove(const char *folder);

#endif
