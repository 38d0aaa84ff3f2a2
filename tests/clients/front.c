/*
 * Starting the daemons behind the tools: see front.h.
 */
#include "clients/front.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const char *
path_write(const char *before, const struct front *front, const char *name,
           char ret_path[FRONT_PATH_SIZE])
{
    int length = snprintf(ret_path, FRONT_PATH_SIZE, "%s%s/%s", before,
                          front->folder, name);

    cr_assert(length > 0 && (size_t)length < FRONT_PATH_SIZE);
    return ret_path;
}

const char *
front_path(const struct front *front, const char *name,
           char ret_path[FRONT_PATH_SIZE])
{
    return path_write("", front, name, ret_path);
}

const char *
front_at(const struct front *front, const char *name,
         char ret_path[FRONT_PATH_SIZE])
{
    return path_write("@", front, name, ret_path);
}

void
front_write(const struct front *front, const char *name, const char *text)
{
    char path[FRONT_PATH_SIZE];
    FILE *file = fopen(front_path(front, name, path), "w");

    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

int
front_run(struct front *front, const char *variable, const char *input,
          const char *const *words)
{
    daemon_run(variable, words, input, &front->result);
    return front->result.exit_code;
}

void
front_member(const char *json, const char *name, char *ret_value, size_t size)
{
    char mark[64];
    const char *begin;
    size_t length;

    (void)snprintf(mark, sizeof(mark), "\"%s\":\"", name);
    begin = strstr(json, mark);
    cr_assert_not_null(begin, "no %s in %s", mark, json);
    begin += strlen(mark);
    length = strcspn(begin, "\"");
    cr_assert_lt(length, size);
    memcpy(ret_value, begin, length);
    ret_value[length] = '\0';
}

void
front_folder(struct front *front)
{
    char path[FRONT_PATH_SIZE];

    *front = (struct front){.has_shop = false};
    daemon_folder_make(front->folder);
    (void)setenv("PETCTL_SESSION_FILE", front_path(front, "session", path), 1);
}

/* The token that was printed last goes into one file, and its line to others.
 */
static void
token_keep(struct front *front, const char *name, char lines[600])
{
    char token[64];
    char line[256];
    size_t length = strlen(lines);

    cr_assert_eq(sscanf(front->result.out, "%63s %255[^\n]", token, line), 2);
    front_write(front, name, token);
    cr_assert_lt((size_t)snprintf(lines + length, 600 - length, "%s\n", line),
                 600 - length);
}

/* Tokens of the key-value store, one a service. */
static void
kv_tokens_make(struct front *front)
{
    static const char *const services[] = {"payment", "petstore"};
    char lines[600] = "";
    char name[32];
    size_t i;

    for (i = 0; i < 2; i++) {
        const char *const words[] = {"token", "new", services[i], NULL};

        EXPECT_EXIT(front, 0, front_run(front, "KVCTL", NULL, words));
        (void)snprintf(name, sizeof(name), "kv-%s", services[i]);
        token_keep(front, name, lines);
    }
    front_write(front, "kv-tokens", lines);
}

/* Tokens and secrets as the tools make them. */
static void
files_make(struct front *front)
{
    char lines[600] = "";

    kv_tokens_make(front);
    EXPECT_EXIT(front, 0, PAYCTL(front, "token", "new", "operator", "owner"));
    token_keep(front, "operator", lines);
    EXPECT_EXIT(front, 0,
                PAYCTL(front, "token", "new", "merchant", "shop", "--until",
                       "2099-12-31"));
    token_keep(front, "merchant", lines);
    front_write(front, "tokens", lines);
    EXPECT_EXIT(front, 0, PAYCTL(front, "secret", "new", "first"));
    front_write(front, "secrets", front->result.out);
    front_write(front, "staff", "sam keeper-of-the-keys\n");
    front_write(front, "sam", "keeper-of-the-keys\n");
    front_write(front, "good.card", FRONT_GOOD_CARD "\n");
    front_write(front, "poor.card", FRONT_POOR_CARD "\n");
    front_write(front, "wrong.card", FRONT_WRONG_CARD "\n");
}

static void
shop_start(struct front *front)
{
    char listen[FRONT_PATH_SIZE];
    char staff[FRONT_PATH_SIZE];
    char token[FRONT_PATH_SIZE];
    char kv_token[FRONT_PATH_SIZE];
    const char *const arguments[] = {"--listen",
                                     listen,
                                     "--kv",
                                     front->kvd.address,
                                     "--kv-token-file",
                                     front_path(front, "kv-petstore", kv_token),
                                     "--payment",
                                     front->paymentd.address,
                                     "--payment-token-file",
                                     front_path(front, "merchant", token),
                                     "--staff",
                                     front_path(front, "staff", staff),
                                     "--hash-memory",
                                     "8192",
                                     "--hash-passes",
                                     "1",
                                     NULL};

    (void)path_write("ipc://", front, "shop.socket", listen);
    cr_assert(daemon_start(&front->petstored, "PETSTORED", arguments, NULL));
    (void)setenv("PETCTL_ADDRESS", front->petstored.address, 1);
}

void
front_open(struct front *front, bool with_shop)
{
    char kv_listen[FRONT_PATH_SIZE];
    char kv_tokens[FRONT_PATH_SIZE];
    char kv_token[FRONT_PATH_SIZE];
    char pay_listen[FRONT_PATH_SIZE];
    char tokens[FRONT_PATH_SIZE];
    char secrets[FRONT_PATH_SIZE];
    char token[FRONT_PATH_SIZE];
    const char *const kv[] = {"--engine", "memory",  "--tokens", kv_tokens,
                              "--listen", kv_listen, NULL};
    const char *const pay[] = {"--listen",
                               pay_listen,
                               "--insecure-plaintext",
                               "--kv",
                               front->kvd.address,
                               "--kv-token-file",
                               kv_token,
                               "--tokens",
                               tokens,
                               "--secrets",
                               secrets,
                               NULL};

    front_folder(front);
    files_make(front);
    (void)path_write("ipc://", front, "kv.socket", kv_listen);
    (void)path_write("ipc://", front, "pay.socket", pay_listen);
    (void)front_path(front, "kv-tokens", kv_tokens);
    (void)front_path(front, "kv-payment", kv_token);
    (void)front_path(front, "tokens", tokens);
    (void)front_path(front, "secrets", secrets);
    cr_assert(daemon_start(&front->kvd, "KVD", kv, NULL));
    cr_assert(daemon_start(&front->paymentd, "PAYMENTD", pay, NULL));
    (void)setenv("PAYCTL_ADDRESS", front->paymentd.address, 1);
    (void)setenv("PAYCTL_TOKEN_FILE", front_path(front, "operator", token), 1);
    front->has_shop = with_shop;
    if (with_shop) {
        shop_start(front);
    }
}

void
front_close(struct front *front)
{
    if (front->has_shop) {
        cr_assert_eq(daemon_end(&front->petstored, SIGTERM), 0);
    }
    if (front->paymentd.pid != 0) {
        cr_assert_eq(daemon_end(&front->paymentd, SIGTERM), 0);
        cr_assert_eq(daemon_end(&front->kvd, SIGTERM), 0);
    }
    daemon_folder_remove(front->folder);
}
