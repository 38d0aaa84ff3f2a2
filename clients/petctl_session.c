/*
 * Who a customer is: registering, and the session that login opens and logout
 * ends. Its token is kept in a file that only its owner can read.
 */
#include "petctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define PASSWORD_SIZE 512u
#define PATH_SIZE 1024u

/* -- passwords ------------------------------------------------------------- */

/* The first line of a stream, without its end. */
static bool
line_read(FILE *file, char ret_line[PASSWORD_SIZE])
{
    if (fgets(ret_line, PASSWORD_SIZE, file) == NULL) {
        return false;
    }
    ret_line[strcspn(ret_line, "\r\n")] = '\0';
    return ret_line[0] != '\0';
}

/* Ask for it, without showing what is typed. */
static bool
line_ask(const char *question, char ret_line[PASSWORD_SIZE])
{
    struct termios shown;
    struct termios hidden;
    bool ok;

    if (tcgetattr(STDIN_FILENO, &shown) != 0) {
        return false;
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) != 0) {
        return false;
    }
    (void)fprintf(stderr, "%s: ", question);
    (void)fflush(stderr);
    ok = line_read(stdin, ret_line);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    (void)fputc('\n', stderr);
    return ok;
}

/* From --password-file, else from standard input: asked for at a terminal,
 * where a new one is typed twice. 0 or the exit code. */
static int
password_read(const struct cli *cli, bool is_new,
              char ret_password[PASSWORD_SIZE])
{
    const char *path = petctl_options.password_file;
    char again[PASSWORD_SIZE] = "";
    bool ok;

    if (path != NULL && strcmp(path, "-") != 0) {
        FILE *file = fopen(path, "re");

        if (file == NULL) {
            return cli_fail(cli, "password file %s: %s", path, strerror(errno));
        }
        ok = line_read(file, ret_password);
        (void)fclose(file);
    } else if (path == NULL && isatty(STDIN_FILENO) == 1) {
        ok = line_ask("Password", ret_password);
        if (ok && is_new) {
            bool same = line_ask("Once more", again) &&
                        strcmp(again, ret_password) == 0;

            explicit_bzero(again, sizeof(again));
            if (!same) {
                return cli_fail(cli, "the two are not the same");
            }
        }
    } else {
        ok = line_read(stdin, ret_password);
    }
    return ok ? 0 : cli_fail(cli, "no password");
}

/* -- the file of the session ----------------------------------------------- */

const char *
petctl_session_default(void)
{
    static char path[PATH_SIZE];
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int length;

    if (state != NULL && state[0] == '/') {
        length = snprintf(path, sizeof(path), "%s/rpcrt/petctl.session", state);
    } else if (home != NULL && home[0] == '/') {
        length = snprintf(path, sizeof(path),
                          "%s/.local/state/rpcrt/petctl.session", home);
    } else {
        return NULL;
    }
    return length > 0 && (size_t)length < sizeof(path) ? path : NULL;
}

/* Make the folders that a path leads through. */
static void
folders_make(char *path)
{
    char *slash;

    for (slash = strchr(path + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700); /* what is missing shows when writing */
        *slash = '/';
    }
}

/* Write the token beside the file and move it there, so that it is never half
 * a token, and nobody's to read in between. */
static int
session_write(const struct cli *cli, const char *token)
{
    char path[PATH_SIZE];
    int length = snprintf(path, sizeof(path), "%s.new", cli->token_file);
    size_t size = strlen(token);
    bool ok;
    int fd;

    if (length < 0 || (size_t)length >= sizeof(path)) {
        return cli_fail(cli, "session file %s: the path is too long",
                        cli->token_file);
    }
    folders_make(path);
    (void)unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return cli_fail(cli, "session file %s: %s", path, strerror(errno));
    }
    ok = write(fd, token, size) == (ssize_t)size && write(fd, "\n", 1) == 1;
    ok = close(fd) == 0 && ok;
    if (!ok || rename(path, cli->token_file) != 0) {
        int problem = errno;

        (void)unlink(path);
        return cli_fail(cli, "session file %s: %s", cli->token_file,
                        strerror(problem));
    }
    return 0;
}

/* -- commands -------------------------------------------------------------- */

int
petctl_register(struct cli *cli, int argc, char **argv)
{
    Petstore__V1__RegisterRequest request =
        PETSTORE__V1__REGISTER_REQUEST__INIT;
    const Petstore__V1__RegisterReply *reply = NULL;
    char password[PASSWORD_SIZE] = "";
    struct output_json json;
    int exit_code = password_read(cli, true, password);

    (void)argc;
    request.user = argv[0];
    request.password = password;
    cli->token_file = NULL;
    if (exit_code == 0 && cli_connect(cli, &exit_code)) {
        exit_code = 0;
        if (petstore_register(cli->call, &request, &reply) != RPCRT_OK) {
            exit_code = cli_call_failed(cli);
        } else if (cli->json) {
            output_json_begin(&json);
            output_json_text(&json, "user", argv[0]);
            output_json_end(&json);
            (void)putchar('\n');
        } else {
            (void)printf("%s is registered\n", argv[0]);
        }
    }
    explicit_bzero(password, sizeof(password));
    return exit_code;
}

static void
print_login(const struct cli *cli, const char *user,
            const Petstore__V1__LoginReply *reply)
{
    struct output_json json;
    char until[OUTPUT_TIME_SIZE];

    if (cli->json) {
        output_json_begin(&json);
        output_json_text(&json, "user", user);
        output_json_bool(&json, "staff", reply->staff != 0);
        output_json_signed(&json, "expires_at_ms", reply->expires_at_ms);
        output_json_text(&json, "session_file", cli->token_file);
        output_json_end(&json);
        (void)putchar('\n');
    } else {
        output_time(reply->expires_at_ms, until);
        (void)printf("%s%s is logged in until %s\n", user,
                     reply->staff ? " (staff)" : "", until);
    }
}

int
petctl_login(struct cli *cli, int argc, char **argv)
{
    Petstore__V1__LoginRequest request = PETSTORE__V1__LOGIN_REQUEST__INIT;
    const Petstore__V1__LoginReply *reply = NULL;
    const char *session_file = cli->token_file;
    char password[PASSWORD_SIZE] = "";
    int exit_code;

    (void)argc;
    if (session_file == NULL) {
        return cli_usage(cli, "where to keep the session? Give --session-file");
    }
    exit_code = password_read(cli, false, password);
    request.user = argv[0];
    request.password = password;
    cli->token_file = NULL;
    if (exit_code == 0 && cli_connect(cli, &exit_code)) {
        cli->token_file = session_file;
        if (petstore_login(cli->call, &request, &reply) != RPCRT_OK) {
            exit_code = cli_call_failed(cli);
        } else {
            exit_code = session_write(cli, reply->token);
        }
        if (exit_code == 0) {
            print_login(cli, argv[0], reply);
        }
    }
    explicit_bzero(password, sizeof(password));
    return exit_code;
}

int
petctl_logout(struct cli *cli, int argc, char **argv)
{
    Petstore__V1__LogoutRequest request = PETSTORE__V1__LOGOUT_REQUEST__INIT;
    const Petstore__V1__LogoutReply *reply = NULL;
    int exit_code = 0;

    (void)argc;
    (void)argv;
    if (!cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    if (petstore_logout(cli->call, &request, &reply) != RPCRT_OK) {
        exit_code = cli_call_failed(cli);
    }
    /* A token that the shop does not know any more is of no use either. */
    if (exit_code == 0 ||
        exit_code == CLI_EXIT_STATUS + RPCRT_UNAUTHENTICATED) {
        if (cli->token_file != NULL && unlink(cli->token_file) != 0) {
            exit_code = cli_fail(cli, "session file %s: %s", cli->token_file,
                                 strerror(errno));
        }
    }
    if (exit_code == 0) {
        (void)puts(cli->json ? "{}" : "logged out");
    }
    return exit_code;
}
