/*
 * A server, descriptors and the program: see desk.h.
 */
#define _GNU_SOURCE /* pipe2() */

#include "rpcctl/desk.h"

#include <fcntl.h>
#include <rpcrt/gen.h>
#include <rpcrt/reflection.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 48u

/* Add a file and its imports, each one as often as it is imported. */
static void
write_file(FILE *out, const struct rpcrt_file *file)
{
    size_t size = file->descriptor_size;
    size_t i;

    for (i = 0; i < file->n_imports; i++) {
        write_file(out, file->imports[i]);
    }
    (void)fputc(1 << 3 | 2, out);
    for (; size >= 0x80; size >>= 7) {
        (void)fputc((int)(size & 0x7f) | 0x80, out);
    }
    (void)fputc((int)size, out);
    (void)fwrite(file->descriptor, 1, file->descriptor_size, out);
}

static enum rpcrt_code
serve_admin(struct rpcrt_server *server, void *self)
{
    struct desk *desk = self;

    cr_assert_eq(rpcrt_health_new(&desk->health), RPCRT_OK);
    cr_assert_eq(rpcrt_health_serve(server, desk->health), RPCRT_OK);
    return rpcrt_reflection_serve(server);
}

void
desk_open(struct desk *desk, const char *transport)
{
    FILE *out;

    memset(desk, 0, sizeof *desk);
    daemon_folder_make(desk->folder);
    (void)snprintf(desk->set, sizeof desk->set, "%s/probe.set", desk->folder);
    out = fopen(desk->set, "wb");
    cr_assert_not_null(out);
    write_file(out, &support_probe_proto);
    cr_assert_eq(fclose(out), 0);
    if (transport != NULL) {
        bed_open_with(&desk->bed, transport, serve_admin, desk);
    }
}

void
desk_close(struct desk *desk)
{
    if (desk->bed.server != NULL) {
        bed_close(&desk->bed);
        rpcrt_health_free(desk->health);
    }
    daemon_folder_remove(desk->folder);
}

const char *
desk_write(const struct desk *desk, const char *name, const char *text,
           char ret_path[160])
{
    FILE *out;

    (void)snprintf(ret_path, 160, "%s/%s", desk->folder, name);
    out = fopen(ret_path, "wb");
    cr_assert_not_null(out);
    (void)fputs(text, out);
    cr_assert_eq(fclose(out), 0);
    return ret_path;
}

int
desk_run_bare(struct desk *desk, const char *input, const char *const *words)
{
    daemon_run("RPCCTL", words, input != NULL ? input : "", &desk->result);
    return desk->result.exit_code;
}

/* Put the address and what it needs before the words. */
static void
words_make(const struct desk *desk, bool reflected, const char *const *words,
           const char *all[WORDS_MAX + 1])
{
    size_t n = 0;

    if (desk->bed.address != NULL) {
        all[n++] = desk->bed.address;
        if (strncmp(desk->bed.address, "tls+", 4) == 0) {
            all[n++] = "--tls-ca";
            all[n++] = bed_cert("ca.pem");
            all[n++] = "--tls-cert";
            all[n++] = bed_cert("client.pem");
            all[n++] = "--tls-key";
            all[n++] = bed_cert("client.key");
            all[n++] = "--tls-name";
            all[n++] = "localhost";
        }
    }
    if (!reflected) {
        all[n++] = "--descriptors";
        all[n++] = desk->set;
    }
    for (; *words != NULL; words++) {
        cr_assert_lt(n, WORDS_MAX);
        all[n++] = *words;
    }
    all[n] = NULL;
}

int
desk_run(struct desk *desk, const char *input, const char *const *words)
{
    const char *all[WORDS_MAX + 1];

    words_make(desk, false, words, all);
    return desk_run_bare(desk, input, all);
}

int
desk_run_reflected(struct desk *desk, const char *input,
                   const char *const *words)
{
    const char *all[WORDS_MAX + 1];

    words_make(desk, true, words, all);
    return desk_run_bare(desk, input, all);
}

/* -- runs that go on ------------------------------------------------------- */

void
desk_start(struct desk *desk, struct desk_run *run, const char *const *words)
{
    union {
        const char *in[WORDS_MAX + 2];
        char *out[WORDS_MAX + 2];
    } argv;
    const char *program = getenv("RPCCTL");
    int in[2];
    int out[2];

    cr_assert_not_null(program);
    argv.in[0] = program;
    words_make(desk, true, words, argv.in + 1);
    cr_assert_eq(pipe2(in, O_CLOEXEC), 0);
    cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
    run->pid = fork();
    cr_assert_geq(run->pid, 0);
    if (run->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(in[0], STDIN_FILENO);
        (void)dup2(out[1], STDOUT_FILENO);
        (void)execv(program, argv.out);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    run->in = in[1];
    run->out = out[0];
}

void
desk_expect_line(struct desk_run *run, const char *line)
{
    char text[1024];
    size_t n = 0;

    while (n < sizeof text - 1 && read(run->out, &text[n], 1) == 1 &&
           text[n] != '\n') {
        n++;
    }
    text[n] = '\0';
    cr_assert_str_eq(text, line);
}

int
desk_end(struct desk_run *run, int signal_number)
{
    int status = 0;

    if (signal_number != 0) {
        cr_assert_eq(kill(run->pid, signal_number), 0);
    } else {
        (void)close(run->in);
    }
    cr_assert_eq(waitpid(run->pid, &status, 0), run->pid);
    (void)close(run->out);
    cr_assert(WIFEXITED(status), "signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}
