/*
 * Line by line through the logs.
 */
#include "bench/shop_count.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 4096u
#define PEER_SIZE 128u
#define FILES_MAX 1024u

static FILE *
log_open(const struct shop_stack *stack, const char *name)
{
    char path[SHOP_PATH_SIZE];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", stack->folder, name);
    file = fopen(path, "r");
    if (file == NULL) {
        bench_fail("%s: %s", path, strerror(errno));
    }
    return file;
}

/* -- calls ----------------------------------------------------------------- */

static bool
has_call_id(const char *line, const char *call_id)
{
    char field[64];

    snprintf(field, sizeof(field), " call_id=\"%s\" ", call_id);
    return strstr(line, field) != NULL;
}

/* Lines with a call id; if a peer is given, only those from it. */
static unsigned
lines_count(const struct shop_stack *stack, const char *log,
            const char *call_id, const char *peer)
{
    FILE *file = log_open(stack, log);
    char line[LINE_SIZE];
    unsigned n = 0;

    while (fgets(line, sizeof(line), file) != NULL) {
        if (has_call_id(line, call_id) &&
            (peer == NULL || strstr(line, peer) != NULL)) {
            n++;
        }
    }
    fclose(file);
    return n;
}

/* Where petstored calls kvd from: ' peer="..."'. */
static void
shop_peer(const struct shop_stack *stack, char ret_peer[PEER_SIZE])
{
    FILE *file = log_open(stack, "kvd.log");
    char line[LINE_SIZE];
    const char *peer = NULL;

    while (peer == NULL && fgets(line, sizeof(line), file) != NULL) {
        if (has_call_id(line, SHOP_CART_CALL_ID)) {
            peer = strstr(line, " peer=\"");
        }
    }
    fclose(file);
    if (peer == NULL) {
        bench_fail("kvd.log: no call for a cart");
    }
    snprintf(ret_peer, PEER_SIZE, "%.*s ", (int)strcspn(peer + 1, " ") + 1,
             peer);
}

void
shop_count_calls(const struct shop_stack *stack, const char *call_id,
                 struct shop_counts *ret_counts)
{
    char peer[PEER_SIZE];
    unsigned all = lines_count(stack, "kvd.log", call_id, NULL);

    shop_peer(stack, peer);
    ret_counts->calls = lines_count(stack, "petstored.log", call_id, NULL);
    ret_counts->shop_trips = lines_count(stack, "kvd.log", call_id, peer);
    ret_counts->payment_trips = all - ret_counts->shop_trips;
    ret_counts->payments = lines_count(stack, "paymentd.log", call_id, NULL);
    if (ret_counts->calls == 0) {
        bench_fail("petstored.log: no call with the id %s", call_id);
    }
}

/* -- the disk -------------------------------------------------------------- */

static bool
is_sync(const char *line, const bool *durable)
{
    const char *write = strstr(line, " pwrite64(");

    if (strstr(line, " fsync(") != NULL || strstr(line, "fdatasync(") != NULL ||
        strstr(line, " msync(") != NULL) {
        return true;
    }
    if (write != NULL) {
        unsigned long fd = strtoul(write + strlen(" pwrite64("), NULL, 10);

        return fd < FILES_MAX && durable[fd];
    }
    return false;
}

/* Remember which files are opened how. */
static void
open_note(const char *line, bool *durable)
{
    const char *opened = strstr(line, " openat(");
    const char *result = opened == NULL ? NULL : strrchr(opened, '=');
    unsigned long fd;

    if (result == NULL) {
        return;
    }
    fd = strtoul(result + 1, NULL, 10);
    if (fd < FILES_MAX) {
        durable[fd] = strstr(opened, "O_DSYNC") != NULL ||
                      strstr(opened, "O_SYNC") != NULL;
    }
}

unsigned
shop_count_syncs(const struct shop_stack *stack)
{
    FILE *file = log_open(stack, "strace.log");
    bool durable[FILES_MAX] = {false};
    char line[LINE_SIZE];
    unsigned n = 0;

    while (fgets(line, sizeof(line), file) != NULL) {
        /* The second half of a line that another thread interrupted. */
        if (strstr(line, " resumed>") != NULL) {
            continue;
        }
        open_note(line, durable);
        n += is_sync(line, durable) ? 1 : 0;
    }
    fclose(file);
    return n;
}

/* -- processors ------------------------------------------------------------ */

double
shop_count_cpu_s(const struct process *process)
{
    char path[64];
    char line[LINE_SIZE];
    const char *name_end;
    unsigned long user;
    unsigned long system;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)process->pid);
    file = fopen(path, "r");
    if (file == NULL || fgets(line, sizeof(line), file) == NULL) {
        bench_fail("%s: %s", path, strerror(errno));
    }
    fclose(file);
    /* Fields 14 and 15; the second is the name, in parentheses. */
    name_end = strrchr(line, ')');
    if (name_end == NULL ||
        sscanf(name_end,
               ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
               &system) != 2) {
        bench_fail("%s: %s", path, line);
    }
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}
