/*
 * Starting and ending programs: see daemon.h.
 */
#include "support/daemon.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 64u

/* Between fork() and exec(): only what is safe there. */
static void
child_run(const char *program, const char *const *arguments,
          const struct daemon_options *options)
{
    union {
        const char *in;
        char *out;
    } argv[ARGUMENTS_MAX + 2];
    struct rlimit limit;
    size_t n = 0;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (options != NULL && options->file_size_max > 0) {
        limit.rlim_cur = limit.rlim_max = options->file_size_max;
        (void)setrlimit(RLIMIT_FSIZE, &limit);
    }
    argv[n++].in = program;
    while (*arguments != NULL && n <= ARGUMENTS_MAX) {
        argv[n++].in = *arguments++;
    }
    argv[n].in = NULL;
    (void)execv(program, &argv[0].out);
    _exit(127);
}

static const char *
program_of(const char *variable)
{
    const char *program = getenv(variable);

    cr_assert_not_null(program, "%s names no program", variable);
    cr_assert_eq(access(program, X_OK), 0, "%s: %s can't be run", variable,
                 program);
    return program;
}

bool
daemon_start(struct daemon *daemon, const char *variable,
             const char *const *arguments, const struct daemon_options *options)
{
    static const char mark[] = "listening on ";
    const char *log =
        options != NULL && options->log != NULL ? options->log : "/dev/null";
    const char *program = program_of(variable);
    char line[512] = "";
    const char *address;
    int out[2];
    FILE *file;

    cr_assert_eq(pipe(out), 0);
    daemon->pid = fork();
    cr_assert_geq(daemon->pid, 0);
    if (daemon->pid == 0) {
        int err = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

        (void)dup2(out[1], STDOUT_FILENO);
        (void)dup2(err, STDERR_FILENO);
        (void)close(out[0]);
        (void)close(out[1]);
        child_run(program, arguments, options);
    }
    (void)close(out[1]);
    file = fdopen(out[0], "r");
    cr_assert_not_null(file);
    address =
        fgets(line, sizeof(line), file) == NULL ? NULL : strstr(line, mark);
    if (address != NULL) {
        address += strlen(mark);
        (void)snprintf(daemon->address, sizeof(daemon->address), "%.*s",
                       (int)strcspn(address, "\n"), address);
    } else {
        (void)daemon_end(daemon, SIGKILL);
    }
    (void)fclose(file);
    return address != NULL;
}

int
daemon_end(struct daemon *daemon, int signal_number)
{
    int status = 0;

    cr_assert_eq(kill(daemon->pid, signal_number), 0);
    cr_assert_eq(waitpid(daemon->pid, &status, 0), daemon->pid);
    return status;
}

void
daemon_allow_cores(void)
{
    struct rlimit limit;

    cr_assert_eq(getrlimit(RLIMIT_CORE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_CORE, &limit), 0);
    cr_assert_eq(setenv("ASAN_OPTIONS", "disable_coredump=0", 1), 0);
    cr_assert_eq(setenv("TSAN_OPTIONS", "disable_coredump=0", 1), 0);
}

void
daemon_expect_no_core(struct daemon *daemon)
{
    unsigned long long soft = 1;
    unsigned long long hard = 1;
    char path[64];
    char line[256];
    FILE *limits;
    int status;

    (void)snprintf(path, sizeof(path), "/proc/%d/limits", (int)daemon->pid);
    limits = fopen(path, "r");
    cr_assert_not_null(limits);
    while (fgets(line, sizeof(line), limits) != NULL) {
        (void)sscanf(line, "Max core file size %llu %llu", &soft, &hard);
    }
    (void)fclose(limits);
    cr_assert(soft == 0 && hard == 0, "%llu %llu", soft, hard);
    status = daemon_end(daemon, SIGABRT);
    cr_assert(WIFSIGNALED(status) && !WCOREDUMP(status), "%d", status);
}

/* Everything that a temporary file has. */
static void
file_take(FILE *file, char *ret_text, size_t size)
{
    size_t n;

    rewind(file);
    n = fread(ret_text, 1, size - 1, file);
    ret_text[n] = '\0';
    (void)fclose(file);
}

void
daemon_run(const char *variable, const char *const *arguments,
           const char *input, struct daemon_result *ret_result)
{
    const char *program = program_of(variable);
    FILE *in = tmpfile();
    FILE *out = tmpfile();
    FILE *err = tmpfile();
    int status = 0;
    pid_t pid;

    cr_assert(in != NULL && out != NULL && err != NULL);
    if (input != NULL) {
        cr_assert_geq(fputs(input, in), 0);
        rewind(in);
    }
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        (void)dup2(fileno(in), STDIN_FILENO);
        (void)dup2(fileno(out), STDOUT_FILENO);
        (void)dup2(fileno(err), STDERR_FILENO);
        child_run(program, arguments, NULL);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    ret_result->exit_code =
        WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    file_take(out, ret_result->out, sizeof(ret_result->out));
    file_take(err, ret_result->err, sizeof(ret_result->err));
    (void)fclose(in);
}

void
daemon_folder_make(char ret_folder[64])
{
    (void)snprintf(ret_folder, 64, "/tmp/rpcrt-test-XXXXXX");
    cr_assert_not_null(mkdtemp(ret_folder));
}

void
daemon_folder_remove(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    char path[512];

    cr_assert_not_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 ||
            strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (unlink(path) != 0) {
            daemon_folder_remove(path);
        }
    }
    (void)closedir(dir);
    cr_assert_eq(rmdir(folder), 0);
}
