/*
 * Input is written while output is read, so that neither side waits for the
 * other for ever, whatever the program does first.
 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Something is wrong with what writes more than this. */
#define OUTPUT_SIZE_MAX ((size_t)256 << 20)

extern char **environ;

struct buffer {
    struct pool *pool;
    uint8_t *data;
    size_t size;
    size_t capacity;
};

/* Read once. 1: there may be more, 0: the end, -1: an error, in errno; EFBIG
 * above all that a program of this kind writes. */
static int
buffer_read(struct buffer *buffer, int fd)
{
    ssize_t n;

    if (buffer->size > OUTPUT_SIZE_MAX) {
        errno = EFBIG;
        return -1;
    }
    if (buffer->size == buffer->capacity) {
        size_t capacity = 2 * buffer->capacity + 65536;
        uint8_t *grown = pool_alloc(buffer->pool, capacity);

        if (buffer->size > 0) {
            memcpy(grown, buffer->data, buffer->size);
        }
        buffer->data = grown;
        buffer->capacity = capacity;
    }
    n = read(fd, buffer->data + buffer->size, buffer->capacity - buffer->size);
    if (n < 0) {
        return errno == EINTR || errno == EAGAIN ? 1 : -1;
    }
    buffer->size += (size_t)n;
    return n > 0;
}

const char *
process_read(struct pool *pool, int fd, struct bytes *ret_bytes)
{
    struct buffer buffer = {pool, NULL, 0, 0};
    int result;

    do {
        result = buffer_read(&buffer, fd);
    } while (result > 0);
    if (result < 0) {
        return pool_format(pool, "read: %s", strerror(errno));
    }
    ret_bytes->data = buffer.data;
    ret_bytes->size = buffer.size;
    return NULL;
}

/* Write what the program takes at the moment; false when nothing is left or it
 * takes no more, which only its exit status explains. */
static bool
write_some(int fd, struct bytes *input)
{
    ssize_t n = write(fd, input->data, input->size);

    if (n < 0) {
        return errno == EINTR || errno == EAGAIN;
    }
    input->data += n;
    input->size -= (size_t)n;
    return input->size > 0;
}

static void
close_end(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* Feed and read the program until it closes its output; errno, or 0. */
static int
exchange(int *to, int from, struct bytes input, struct buffer *output)
{
    if (input.size == 0) {
        close_end(to);
    }
    for (;;) {
        struct pollfd fds[2] = {{from, POLLIN, 0}, {*to, POLLOUT, 0}};

        if (poll(fds, 2, -1) < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno;
        }
        if (fds[1].revents != 0 && !write_some(*to, &input)) {
            close_end(to);
        }
        if (fds[0].revents != 0) {
            int result = buffer_read(output, from);

            if (result <= 0) {
                return result < 0 ? errno : 0;
            }
        }
    }
}

/* Two pipes that the program does not inherit but as stdin and stdout. */
static int
open_pipes(int to[2], int from[2])
{
    int i;

    if (pipe(to) < 0 || pipe(from) < 0) {
        return errno;
    }
    for (i = 0; i < 2; i++) {
        if (fcntl(to[i], F_SETFD, FD_CLOEXEC) < 0 ||
            fcntl(from[i], F_SETFD, FD_CLOEXEC) < 0) {
            return errno;
        }
    }
    return fcntl(to[1], F_SETFL, O_NONBLOCK) < 0 ? errno : 0;
}

static int
spawn(char *program, int in, int out, pid_t *ret_pid)
{
    char *const argv[] = {program, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t signals;
    int error;

    error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        return error;
    }
    error = posix_spawnattr_init(&attributes);
    if (error != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    if ((error = posix_spawn_file_actions_adddup2(&actions, in, 0)) == 0 &&
        (error = posix_spawn_file_actions_adddup2(&actions, out, 1)) == 0 &&
        (error = posix_spawnattr_setsigdefault(&attributes, &signals)) == 0 &&
        (error = posix_spawnattr_setflags(&attributes,
                                          POSIX_SPAWN_SETSIGDEF)) == 0) {
        error = posix_spawnp(ret_pid, program, &actions, &attributes, argv,
                             environ);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Wait for the program's end: NULL if it is content. */
static const char *
wait_for(struct pool *pool, const char *program, pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return pool_format(pool, "%s: %s", program, strerror(errno));
        }
    }
    if (WIFSIGNALED(status)) {
        return pool_format(pool, "%s: killed by signal %d", program,
                           WTERMSIG(status));
    }
    if (WEXITSTATUS(status) != 0) {
        return pool_format(pool, "%s: exited with status %d", program,
                           WEXITSTATUS(status));
    }
    return NULL;
}

const char *
process_run(struct pool *pool, const char *program, struct bytes input,
            struct bytes *ret_output)
{
    struct buffer output = {pool, NULL, 0, 0};
    int to[2] = {-1, -1}, from[2] = {-1, -1};
    const char *failure = NULL;
    pid_t pid = -1;
    int error;

    error = open_pipes(to, from);
    if (error == 0) {
        error = spawn(pool_copy(pool, program, strlen(program)), to[0], from[1],
                      &pid);
    }
    close_end(&to[0]);
    close_end(&from[1]);
    if (error == 0) {
        error = exchange(&to[1], from[0], input, &output);
    }
    close_end(&to[1]);
    close_end(&from[0]);
    if (pid > 0) {
        failure = wait_for(pool, program, pid);
    }
    if (error == EFBIG) {
        return pool_format(pool, "%s: wrote more than %zu bytes", program,
                           OUTPUT_SIZE_MAX);
    }
    if (error != 0) {
        return pool_format(pool, "%s: %s", program, strerror(error));
    }
    if (failure == NULL) {
        ret_output->data = output.data;
        ret_output->size = output.size;
    }
    return failure;
}
