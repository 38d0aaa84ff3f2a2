/*
 * Token files, command lines, and who listens where.
 */
#include "bench/shop_stack.h"

#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KV_TOKEN_PAYMENT "kv-token-of-the-payments"
#define MERCHANT_TOKEN "token-of-the-merchant"
#define ARGUMENTS_MAX 60u

struct arguments {
    const char *items[ARGUMENTS_MAX + 1];
    size_t n_items;
    char text[4096];
    size_t used;
};

/* -- files ----------------------------------------------------------------- */

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
file_write(const struct shop_stack *stack, const char *name, const char *format,
           ...)
{
    char path[SHOP_PATH_SIZE];
    va_list args;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", stack->folder, name);
    file = fopen(path, "w");
    if (file == NULL) {
        bench_fail("%s: %s", path, strerror(errno));
    }
    va_start(args, format);
    vfprintf(file, format, args);
    va_end(args);
    if (fclose(file) != 0) {
        bench_fail("%s: %s", path, strerror(errno));
    }
}

/* How token files know a token; good until the next but one. */
static const char *
hash_of(const char *token)
{
    static char digits[2][2 * crypto_hash_sha256_BYTES + 1];
    static unsigned next;
    unsigned char hash[crypto_hash_sha256_BYTES];

    next = (next + 1) % 2;
    crypto_hash_sha256(hash, (const unsigned char *)token, strlen(token));
    return sodium_bin2hex(digits[next], sizeof(digits[next]), hash,
                          sizeof(hash));
}

static void
files_write(const struct shop_stack *stack)
{
    file_write(stack, "kv.tokens", "payment %s\npetstore %s\n",
               hash_of(KV_TOKEN_PAYMENT), hash_of(SHOP_KV_TOKEN));
    file_write(stack, "payment.tokens",
               "operator operator %s\nmerchant petshop %s\n",
               hash_of(SHOP_OPERATOR_TOKEN), hash_of(MERCHANT_TOKEN));
    file_write(stack, "payment-kv.token", "%s\n", KV_TOKEN_PAYMENT);
    file_write(stack, "shop-kv.token", "%s\n", SHOP_KV_TOKEN);
    file_write(stack, "shop-payment.token", "%s\n", MERCHANT_TOKEN);
    file_write(stack, "payment.secrets", "first %s\n", hash_of("any digits"));
    file_write(stack, "staff", "%s %s\n", SHOP_STAFF, SHOP_PASSWORD);
}

void
shop_stack_remove(const struct shop_stack *stack)
{
    const char *argv[] = {"rm", "-rf", stack->folder, NULL};
    struct process rm = process_start("/bin/rm", argv);

    process_end(&rm, 0);
}

static void
folder_make(struct shop_stack *stack, const struct shop_stack_options *options)
{
    char certs[PATH_MAX];
    char path[SHOP_PATH_SIZE];

    if (snprintf(stack->folder, sizeof(stack->folder), "%s/%s",
                 options->programs,
                 options->name) >= (int)sizeof(stack->folder)) {
        bench_fail("%s: too long", options->programs);
    }
    shop_stack_remove(stack);
    snprintf(path, sizeof(path), "%s/certs", options->programs);
    if (mkdir(stack->folder, 0700) != 0 || realpath(path, certs) == NULL) {
        bench_fail("%s, %s: %s", stack->folder, path, strerror(errno));
    }
    snprintf(path, sizeof(path), "%s/certs", stack->folder);
    if (symlink(certs, path) != 0) {
        bench_fail("%s: %s", path, strerror(errno));
    }
    files_write(stack);
}

/* -- command lines --------------------------------------------------------- */

static void
add(struct arguments *args, const char *item)
{
    if (args->n_items == ARGUMENTS_MAX) {
        bench_fail("more than %u arguments", ARGUMENTS_MAX);
    }
    args->items[args->n_items++] = item;
}

/* Folder and name as one argument, behind a flag. */
static void
add_file(struct arguments *args, const char *flag, const char *folder,
         const char *name)
{
    char *path = args->text + args->used;
    size_t left = sizeof(args->text) - args->used;
    int n = snprintf(path, left, "%s/%s", folder, name);

    if (n < 0 || (size_t)n >= left) {
        bench_fail("%s: too long", folder);
    }
    args->used += (size_t)n + 1;
    if (flag != NULL) {
        add(args, flag);
    }
    add(args, path);
}

static void
add_flag(struct arguments *args, const char *flag, const char *value)
{
    add(args, flag);
    add(args, value);
}

static void
add_common(struct arguments *args, const struct shop_stack_options *options,
           const char *listen)
{
    add_flag(args, "--listen", listen);
    add_flag(args, "--log-level", options->log_calls ? "info" : "error");
    if (options->log_calls) {
        add(args, "--log-calls");
    }
}

/* -- daemons --------------------------------------------------------------- */

/* Start it and write where it listens into a file. */
static struct process
daemon_start(const struct shop_stack *stack, const struct arguments *args,
             const char *log, const char *file)
{
    struct process process;
    char path[SHOP_PATH_SIZE];
    char line[512];
    const char *address;

    snprintf(path, sizeof(path), "%s/%s", stack->folder, log);
    process = process_start_logged(args->items[0], args->items, path);
    process.name = log;
    process_read_line(&process, line, sizeof(line));
    address = strrchr(line, ' ');
    if (address == NULL || strstr(line, " listening on ") == NULL) {
        bench_fail("%s printed: %s", args->items[0], line);
    }
    file_write(stack, file, "%s\n", address + 1);
    return process;
}

/* Borrowed until the next call but three; "" while it does not listen. */
static const char *
address_of(const struct shop_stack *stack, const char *file)
{
    static char addresses[4][256];
    static unsigned next;
    char path[SHOP_PATH_SIZE];
    char *address = addresses[next++ % 4];
    FILE *input;

    snprintf(path, sizeof(path), "%s/%s", stack->folder, file);
    input = fopen(path, "r");
    if (input == NULL || fgets(address, sizeof(addresses[0]), input) == NULL) {
        bench_fail("%s: %s", path, strerror(errno));
    }
    fclose(input);
    address[strcspn(address, "\n")] = 0;
    return address;
}

static void
kvd_start(struct shop_stack *stack, const struct shop_stack_options *options)
{
    struct arguments args = {.n_items = 0};

    if (options->strace != NULL) {
        /* As a grandchild, so that the child is kvd; and only told of these
         * calls, so that all others are as fast as ever. */
        add(&args, options->strace);
        add(&args, "-D");
        add(&args, "-f");
        add(&args, "--seccomp-bpf");
        add_flag(&args, "-e", "trace=openat,fsync,fdatasync,msync,pwrite64");
        add_file(&args, "-o", stack->folder, "strace.log");
    }
    add_file(&args, NULL, options->servers, "kvd");
    add_common(&args, options, "tcp://127.0.0.1:0");
    add_flag(&args, "--engine", options->engine);
    add_file(&args, "--data", stack->folder, "data");
    add_file(&args, "--tokens", stack->folder, "kv.tokens");
    stack->kvd = daemon_start(stack, &args, "kvd.log", "kv.address");
}

static void
paymentd_start(struct shop_stack *stack,
               const struct shop_stack_options *options)
{
    struct arguments args = {.n_items = 0};

    add_file(&args, NULL, options->servers, "paymentd");
    add_common(&args, options, "tls+tcp://127.0.0.1:0");
    add_file(&args, "--tls-ca", stack->folder, "certs/ca.pem");
    add_file(&args, "--tls-cert", stack->folder, "certs/server.pem");
    add_file(&args, "--tls-key", stack->folder, "certs/server.key");
    add_flag(&args, "--kv", address_of(stack, "kv.address"));
    add_file(&args, "--kv-token-file", stack->folder, "payment-kv.token");
    add_file(&args, "--tokens", stack->folder, "payment.tokens");
    add_file(&args, "--secrets", stack->folder, "payment.secrets");
    stack->paymentd =
        daemon_start(stack, &args, "paymentd.log", "payment.address");
}

static void
petstored_start(struct shop_stack *stack,
                const struct shop_stack_options *options)
{
    struct arguments args = {.n_items = 0};

    add_file(&args, NULL, options->servers, "petstored");
    add_common(&args, options, "tcp://127.0.0.1:0");
    add_flag(&args, "--kv", address_of(stack, "kv.address"));
    add_file(&args, "--kv-token-file", stack->folder, "shop-kv.token");
    add_flag(&args, "--payment", address_of(stack, "payment.address"));
    add_file(&args, "--payment-token-file", stack->folder,
             "shop-payment.token");
    add_file(&args, "--payment-tls-ca", stack->folder, "certs/ca.pem");
    add_file(&args, "--payment-tls-cert", stack->folder, "certs/client.pem");
    add_file(&args, "--payment-tls-key", stack->folder, "certs/client.key");
    add_file(&args, "--staff", stack->folder, "staff");
    /* Passwords are not what is measured. */
    add_flag(&args, "--hash-memory", "8K");
    add_flag(&args, "--hash-passes", "1");
    stack->petstored =
        daemon_start(stack, &args, "petstored.log", "shop.address");
}

void
shop_stack_start(struct shop_stack *stack,
                 const struct shop_stack_options *options)
{
    if (sodium_init() < 0) {
        bench_fail("libsodium can't start");
    }
    folder_make(stack, options);
    kvd_start(stack, options);
    paymentd_start(stack, options);
    petstored_start(stack, options);
}

void
shop_stack_stop(struct shop_stack *stack)
{
    process_end(&stack->petstored, 1);
    process_end(&stack->paymentd, 1);
    process_end(&stack->kvd, 1);
}
