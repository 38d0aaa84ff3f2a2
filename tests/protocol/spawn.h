/*
 * Processes of their own for clients and servers that are to be killed. A
 * child is this very program, started anew: it runs one function instead of
 * the tests.
 */
#ifndef TESTS_PROTOCOL_SPAWN_H
#define TESTS_PROTOCOL_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

/* What a child does with its address and the memory that all children of a
 * nursery share with the test; its result is the child's exit code. */
typedef int child_fn(const char *address, void *shared);

/* Define a child's function:
 *
 *   CHILD(be_a_server) { return serve(address, shared); }
 */
#define CHILD(name)                                                            \
    static int name(const char *address, void *shared);                        \
    __attribute__((constructor)) static void name##_starts(void)               \
    {                                                                          \
        child_start(#name, name);                                              \
    }                                                                          \
    static int name(const char *address, void *shared)

/* Run the function and exit, if this process is that child. */
void child_start(const char *name, child_fn *fn);

/* Tell the test something, in a child. */
void child_say(const char *text);

struct nursery {
    const char *name;
    int shared_fd;
    void *shared; /* zero at first */
    size_t size;
    int said[2]; /* a pipe: what children say */
};

/* These fail the test when they can't do what they are to. */
void nursery_open(struct nursery *nursery, const char *name, size_t size);
void nursery_close(struct nursery *nursery);
pid_t nursery_spawn(struct nursery *nursery, const char *address);
/* What a child said, up to a newline. */
void nursery_hear(struct nursery *nursery, char *text, size_t size);
/* Wait for the end of a child: its exit code, or 128 and the number of the
 * signal that killed it. */
int child_reap(pid_t pid);

#endif
