/*
 * Lines as they come: see rpcctl_lines.h.
 */
#include "rpcctl_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK ((size_t)64 << 10)

bool
rpcctl_lines_init(struct rpcctl_lines *lines, int fd, size_t size_max)
{
    *lines = (struct rpcctl_lines){.fd = fd, .size_max = size_max};
    if (pipe(lines->stop) != 0) {
        return false;
    }
    (void)fcntl(lines->stop[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(lines->stop[1], F_SETFD, FD_CLOEXEC);
    return true;
}

void
rpcctl_lines_fini(struct rpcctl_lines *lines)
{
    (void)close(lines->stop[0]);
    (void)close(lines->stop[1]);
    free(lines->data);
}

void
rpcctl_lines_stop(struct rpcctl_lines *lines)
{
    (void)!write(lines->stop[1], "", 1);
}

/* Room for a chunk behind what is there. */
static bool
make_room(struct rpcctl_lines *lines)
{
    size_t left = lines->size - lines->start;
    char *grown;

    if (lines->start > 0) {
        memmove(lines->data, lines->data + lines->start, left);
        lines->start = 0;
        lines->size = left;
    }
    if (left > lines->size_max) {
        lines->problem = "a line that is too long";
        return false;
    }
    if (lines->capacity - lines->size < CHUNK) {
        grown = realloc(lines->data, 2 * lines->capacity + CHUNK);
        if (grown == NULL) {
            lines->problem = "out of memory";
            return false;
        }
        lines->data = grown;
        lines->capacity = 2 * lines->capacity + CHUNK;
    }
    return true;
}

/* Wait for more; false at the end. */
static bool
read_more(struct rpcctl_lines *lines)
{
    struct pollfd files[] = {{lines->fd, POLLIN, 0},
                             {lines->stop[0], POLLIN, 0}};
    ssize_t size;

    if (!make_room(lines)) {
        return false;
    }
    do {
        if (poll(files, 2, -1) > 0 && files[1].revents != 0) {
            return false;
        }
        size = read(lines->fd, lines->data + lines->size, CHUNK);
    } while (size < 0 && (errno == EINTR || errno == EAGAIN));
    if (size < 0) {
        lines->problem = strerror(errno);
    }
    if (size > 0) {
        lines->size += (size_t)size;
    }
    return size > 0;
}

static bool
is_blank(const char *text, size_t size)
{
    size_t i;

    for (i = 0; i < size; i++) {
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r') {
            return false;
        }
    }
    return true;
}

bool
rpcctl_lines_next(struct rpcctl_lines *lines, const char **ret_text,
                  size_t *ret_size)
{
    size_t searched = 0;

    for (;;) {
        char *text = lines->data + lines->start;
        size_t left = lines->size - lines->start;
        char *end = left > searched
                        ? memchr(text + searched, '\n', left - searched)
                        : NULL;
        size_t size = end != NULL ? (size_t)(end - text) : left;

        if (end == NULL && !lines->at_end) {
            searched = left;
            lines->at_end = !read_more(lines);
            continue;
        }
        if (lines->problem != NULL || (end == NULL && left == 0)) {
            return false;
        }
        lines->start += size + (end != NULL ? 1 : 0);
        lines->number++;
        if (!is_blank(text, size)) {
            *ret_text = text;
            *ret_size = size;
            return true;
        }
        searched = 0;
    }
}
