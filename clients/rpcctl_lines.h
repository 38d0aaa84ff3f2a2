/*
 * Lines from a file, a pipe or a terminal, as they come; another thread can put
 * an end to the waiting.
 */
#ifndef CLIENTS_RPCCTL_LINES_H
#define CLIENTS_RPCCTL_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct rpcctl_lines {
    int fd;
    int stop[2]; /* a pipe: what comes there ends it */
    char *data;
    size_t start; /* of what was not handed out yet */
    size_t size;
    size_t capacity;
    size_t size_max; /* of a line */
    size_t number;   /* of the line that was handed out last, from 1 */
    bool at_end;
    const char *problem; /* why it ended before its time; or NULL */
};

/* Begin; false without a pipe. */
bool rpcctl_lines_init(struct rpcctl_lines *lines, int fd, size_t size_max);
void rpcctl_lines_fini(struct rpcctl_lines *lines);

/* Wait for the next line that is not blank, which lasts until the next call.
 * False: there is none. */
bool rpcctl_lines_next(struct rpcctl_lines *lines, const char **ret_text,
                       size_t *ret_size);

/* Let rpcctl_lines_next() return false. Any thread. */
void rpcctl_lines_stop(struct rpcctl_lines *lines);

#endif
