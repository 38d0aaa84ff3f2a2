/*
 * Processes of their own for clients and servers that are to be killed. A
 * process with threads can't fork well, so a test opens the nursery before it
 * uses the runtime: a process that forks when it is told to.
 */
#ifndef TESTS_PROTOCOL_SPAWN_H
#define TESTS_PROTOCOL_SPAWN_H

#include <sys/types.h>

/* What a child does; its result is the child's exit code. It may tell its
 * parent something with child_say(). */
typedef int child_fn(const char *address, void *shared);

struct nursery {
    pid_t pid;
    int to_fd;   /* orders */
    int from_fd; /* process ids, exit codes */
    int said_fd; /* what children say */
};

/* Fails the test. `shared` is memory that all children share with the test, of
 * `size` bytes, zero at first. */
void nursery_open(struct nursery *nursery, child_fn *fn, size_t size,
                  void **ret_shared);
void nursery_close(struct nursery *nursery);

/* Start a child; it gets the address. Fails the test. */
pid_t nursery_spawn(struct nursery *nursery, const char *address);

/* What the youngest child said, up to a newline. Fails the test. */
void nursery_hear(struct nursery *nursery, char *text, size_t size);
void child_say(const char *text);

/* Wait for the end of a child, the only one that ends now: its exit code, or
 * 128 and the number of the signal that killed it. Fails the test. */
int nursery_reap(struct nursery *nursery, pid_t pid);

#endif
