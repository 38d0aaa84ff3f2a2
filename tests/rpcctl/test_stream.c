/*
 * rpcctl with streams, by reflection: lines in and out as they come, ends of
 * all kinds, and Ctrl-C; reflection and health themselves.
 */
#include "rpcctl/desk.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define START(desk, run, ...)                                                  \
    desk_start(desk, run, (const char *const[]){__VA_ARGS__, NULL})

static void
write_text(const struct desk_run *run, const char *text)
{
    cr_assert_eq(write(run->in, text, strlen(text)), (ssize_t)strlen(text));
}

/* Run rpcctl with another file (NULL: none) for a standard one; the exit code.
 */
static int
run_with(const struct desk *desk, int fd, const char *path,
         const char *const *words)
{
    const char *program = getenv("RPCCTL");
    union {
        const char *in[8];
        char *out[8];
    } argv = {.in = {program, desk->bed.address}};
    int status = 0;
    pid_t pid;

    cr_assert_not_null(program);
    for (size_t i = 0; words[i] != NULL; i++) {
        argv.in[2 + i] = words[i];
    }
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)close(fd);
        if (path != NULL) {
            (void)open(path, O_RDWR); /* takes the lowest number */
        }
        (void)execv(program, argv.out);
        _exit(127);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

#define RUN_WITH(desk, fd, path, ...)                                          \
    run_with(desk, fd, path, (const char *const[]){__VA_ARGS__, NULL})

/* -- reflection ------------------------------------------------------------ */

static void
reflected_on(const char *transport)
{
    struct desk desk;

    desk_open(&desk, transport);
    EXPECT_EXIT(&desk, 0, RPCCTL_REFLECTED(&desk, "ls"));
    EXPECT_OUT(&desk, "grpc.health.v1.Health\n"
                      "grpc.reflection.v1.ServerReflection\n"
                      "grpc.reflection.v1alpha.ServerReflection\n"
                      "probe.v1.Probe\n");
    EXPECT_EXIT(&desk, 0,
                RPCCTL_REFLECTED(&desk, "ls", "-l", "probe.v1.Probe"));
    EXPECT_IN(desk.result.out, "probe.v1.Probe/Chat\tstream probe.v1.Step\t"
                               "stream probe.v1.EchoReply\n");
    EXPECT_EXIT(&desk, 0,
                RPCCTL_REFLECTED(&desk, "describe", "probe.v1.SumReply"));
    EXPECT_IN(desk.result.out, "message SumReply {\n");
    EXPECT_EXIT(&desk, 0,
                RPCCTL_REFLECTED(&desk, "describe", "probe.v1.Probe.Chat"));
    EXPECT_IN(desk.result.out,
              "rpc Chat(stream Step) returns (stream EchoReply);\n");
    EXPECT_EXIT(
        &desk, 0,
        RPCCTL_REFLECTED(&desk, "call", "Echo", "payload=aGk=", "--json"));
    EXPECT_OUT(&desk, "{\"payload\":\"aGk=\"}\n");
    EXPECT_EXIT(&desk, 2, RPCCTL_REFLECTED(&desk, "call", "a.b.C/D"));
    EXPECT_IN(desk.result.err, "no method 'a.b.C/D'");
    desk_close(&desk);
}

Test(reflected, types_come_over_ipc, .timeout = 60)
{
    reflected_on("ipc");
}

Test(reflected, types_come_over_tcp, .timeout = 60)
{
    reflected_on("tcp");
}

Test(reflected, types_come_over_tls, .timeout = 60)
{
    reflected_on("tls");
}

Test(reflected, a_server_without_it_is_told_of, .timeout = 60)
{
    struct desk desk;

    memset(&desk, 0, sizeof desk);
    bed_open(&desk.bed, "ipc", NULL, NULL);
    EXPECT_EXIT(&desk, 64 + RPCRT_UNIMPLEMENTED, RPCCTL_REFLECTED(&desk, "ls"));
    EXPECT_IN(desk.result.err, "has no reflection; give --descriptors FILE");
    bed_close(&desk.bed);
}

/* -- streams --------------------------------------------------------------- */

Test(streams, of_a_server_are_lines, .timeout = 60)
{
    struct desk desk;

    desk_open(&desk, "ipc");
    EXPECT_EXIT(
        &desk, 0,
        RPCCTL_REFLECTED(&desk, "call", "Pour", "steps:=[{\"nReplies\":3}]"));
    EXPECT_OUT(&desk, "{}\n{}\n{}\n");
    EXPECT_EXIT(&desk, 64 + RPCRT_DATA_LOSS,
                RPCCTL_REFLECTED(&desk, "call", "Pour",
                                 "steps:=[{\"nReplies\":1,\"stop\":true,"
                                 "\"code\":15,\"text\":\"spilt\"}]"));
    EXPECT_OUT(&desk, "{}\n");
    EXPECT_IN(desk.result.err, "DATA_LOSS: spilt");
    EXPECT_EXIT(&desk, 64 + RPCRT_UNIMPLEMENTED,
                RPCCTL_REFLECTED(&desk, "call", "MissingPour"));
    desk_close(&desk);
}

Test(streams, of_a_client_are_lines_too, .timeout = 60)
{
    static const char steps[] = "{\"payload\":\"AA==\"}\n\n  {}  \n{}";
    struct desk desk;
    char path[160];
    char at[161];

    desk_open(&desk, "ipc");
    EXPECT_EXIT(&desk, 0, RPCCTL_IN(&desk, steps, "call", "Sum", "--json"));
    EXPECT_IN(desk.result.out, "{\"count\":\"3\",\"bytes\":\"1\"");
    (void)snprintf(at, sizeof at, "@%s",
                   desk_write(&desk, "steps", steps, path));
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "call", "Sum", at, "--json"));
    EXPECT_IN(desk.result.out, "{\"count\":\"3\"");
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "call", "Sum", "{}", "--json"));
    EXPECT_IN(desk.result.out, "{\"count\":\"1\"");
    EXPECT_EXIT(&desk, 0, RPCCTL_IN(&desk, "", "call", "Sum", "--json"));
    EXPECT_OUT(&desk, "{}\n");
    desk_close(&desk);
}

Test(streams, end_at_a_line_that_is_no_message, .timeout = 60)
{
    struct desk desk;

    desk_open(&desk, "ipc");
    EXPECT_EXIT(&desk, 2, RPCCTL_IN(&desk, "{}\n{\"x\":1}\n{}", "call", "Sum"));
    EXPECT_IN(desk.result.err, "standard input, line 2: ");
    EXPECT_IN(desk.result.err, "unknown field \"x\"");
    EXPECT_OUT(&desk, "");
    EXPECT_EXIT(&desk, 2, RPCCTL(&desk, "call", "Sum", "x=1"));
    EXPECT_EXIT(&desk, 1, RPCCTL(&desk, "call", "Sum", "@/nowhere"));
    desk_close(&desk);
}

Test(streams, answer_each_line_as_it_comes, .timeout = 60)
{
    struct desk_run run;
    struct desk desk;

    desk_open(&desk, "tcp");
    START(&desk, &run, "call", "Chat");
    write_text(&run, "{\"payload\":\"YQ==\"}\n");
    desk_expect_line(&run, "{\"payload\":\"YQ==\"}");
    write_text(&run, "{\"payload\":\"Yg==\"}\n");
    desk_expect_line(&run, "{\"payload\":\"Yg==\"}");
    cr_assert_eq(desk_end(&run, 0), 0);
    desk_close(&desk);
}

/* Nothing comes from standard input any more, and it is not waited for. */
Test(streams, end_when_the_server_ends_them, .timeout = 60)
{
    struct desk_run run;
    struct desk desk;
    int status = 0;

    desk_open(&desk, "ipc");
    START(&desk, &run, "call", "Chat");
    write_text(&run, "{\"stop\":true,\"code\":10,\"text\":\"enough\"}\n");
    cr_assert_eq(waitpid(run.pid, &status, 0), run.pid);
    cr_assert_eq(WEXITSTATUS(status), 64 + RPCRT_ABORTED);
    START(&desk, &run, "call", "Sum");
    write_text(&run, "{\"stop\":true,\"code\":10,\"text\":\"enough\"}\n");
    cr_assert_eq(waitpid(run.pid, &status, 0), run.pid);
    cr_assert_eq(WEXITSTATUS(status), 64 + RPCRT_ABORTED);
    desk_close(&desk);
}

Test(streams, end_with_ctrl_c, .timeout = 60)
{
    struct desk_run run;
    struct desk desk;

    desk_open(&desk, "ipc");
    START(&desk, &run, "call", "Chat");
    write_text(&run, "{\"payload\":\"YQ==\"}\n");
    desk_expect_line(&run, "{\"payload\":\"YQ==\"}");
    cr_assert_eq(desk_end(&run, SIGINT), 64 + RPCRT_CANCELLED);
    bed_await(&desk.bed.probe.n_lost, 1);
    START(&desk, &run, "call", "Hang");
    bed_await(&desk.bed.probe.n_hanging, 1);
    cr_assert_eq(desk_end(&run, SIGINT), 64 + RPCRT_CANCELLED);
    bed_await(&desk.bed.probe.n_cancelled, 1);
    desk_close(&desk);
}

Test(streams, end_at_their_deadline, .timeout = 60)
{
    struct desk desk;

    desk_open(&desk, "ipc");
    EXPECT_EXIT(&desk, 64 + RPCRT_DEADLINE_EXCEEDED,
                RPCCTL_REFLECTED(&desk, "call", "Pour", "--deadline", "200ms",
                                 "steps:=[{\"nReplies\":1},{\"stand\":true}]"));
    EXPECT_OUT(&desk, "{}\n");
    desk_close(&desk);
}

Test(streams, show_headers_and_trailers_with_v, .timeout = 60)
{
    struct desk desk;

    desk_open(&desk, "ipc");
    EXPECT_EXIT(&desk, 0,
                RPCCTL_REFLECTED(&desk, "call", "Pour", "-v", "-H",
                                 "probe-header: seen",
                                 "steps:=[{\"nReplies\":2,\"replySize\":5}]"));
    EXPECT_IN(desk.result.err, "> /probe.v1.Probe/Pour at ipc://");
    EXPECT_IN(desk.result.err, "> {\"steps\":[{\"nReplies\":2,");
    EXPECT_IN(desk.result.err, "< 7 bytes\n< 7 bytes\n");
    EXPECT_IN(desk.result.err, "< probe-header: seen\n");
    EXPECT_IN(desk.result.err, "< trailer probe-trailer: seen\n");
    EXPECT_IN(desk.result.err, "< OK from ipc://");
    EXPECT_IN(desk.result.err, " by the handler, attempt 1\n");
    desk_close(&desk);
}

/* No socket may take the number of a file that is closed. */
Test(streams, end_without_standard_files, .timeout = 60)
{
    struct desk desk;

    desk_open(&desk, "ipc");
    cr_assert_eq(RUN_WITH(&desk, STDIN_FILENO, NULL, "call", "Chat"), 1);
    cr_assert_eq(RUN_WITH(&desk, STDIN_FILENO, NULL, "call", "Echo", "{}"), 0);
    cr_assert_eq(RUN_WITH(&desk, STDOUT_FILENO, NULL, "ls"), 1);
    cr_assert_eq(RUN_WITH(&desk, STDERR_FILENO, NULL, "ls"), 0);
    desk_close(&desk);
}

/* -- health ---------------------------------------------------------------- */

Test(health, is_told_with_an_exit_code, .timeout = 60)
{
    struct desk desk;

    desk_open(&desk, "ipc");
    EXPECT_EXIT(&desk, 0, RPCCTL_REFLECTED(&desk, "health"));
    EXPECT_OUT(&desk, "SERVING\n");
    EXPECT_EXIT(&desk, 69, RPCCTL_REFLECTED(&desk, "health", "no.Such"));
    cr_assert_eq(rpcrt_health_set(desk.health, "probe.v1.Probe",
                                  RPCRT_HEALTH_NOT_SERVING),
                 RPCRT_OK);
    EXPECT_EXIT(&desk, 1,
                RPCCTL_REFLECTED(&desk, "health", "probe.v1.Probe", "--json"));
    EXPECT_OUT(&desk, "{\"service\":\"probe.v1.Probe\",\"status\":"
                      "\"NOT_SERVING\"}\n");
    desk_close(&desk);
}

Test(health, is_watched_until_ctrl_c, .timeout = 60)
{
    struct desk_run run;
    struct desk desk;

    desk_open(&desk, "ipc");
    START(&desk, &run, "health", "--watch");
    desk_expect_line(&run, "SERVING");
    cr_assert_eq(rpcrt_health_set(desk.health, "", RPCRT_HEALTH_NOT_SERVING),
                 RPCRT_OK);
    desk_expect_line(&run, "NOT_SERVING");
    cr_assert_eq(rpcrt_health_set(desk.health, "", RPCRT_HEALTH_SERVING),
                 RPCRT_OK);
    desk_expect_line(&run, "SERVING");
    cr_assert_eq(desk_end(&run, SIGINT), 0);
    desk_close(&desk);
}

Test(health, fails_when_it_can_not_be_told, .timeout = 60)
{
    struct desk desk;

    desk_open(&desk, "ipc");
    cr_assert_eq(RUN_WITH(&desk, STDOUT_FILENO, "/dev/full", "health"), 1);
    cr_assert_eq(
        RUN_WITH(&desk, STDOUT_FILENO, "/dev/full", "health", "--watch"), 1);
    desk_close(&desk);
}
