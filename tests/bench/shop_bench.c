/*
 * Starts stacks of daemons and clients, and collects what they tell.
 */
#include "bench/shop_bench.h"

#include "bench/figures.h"
#include "bench/results.h"
#include "bench/shop_count.h"
#include "bench/shop_stack.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PETS_MANY "100000"
#define LOAD_TIMEOUT_S 1800u
#define STRACE "/usr/bin/strace"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const unsigned customers[] = {1, 8, 64};
static const char *const engines[] = {"memory", "lmdb"};

/* A kind of page, and the name of its figure. */
static const struct kind {
    const char *name;
    const char *metric;
} kinds[] = {
    {"first", "first_p50_us"},
    {"deep", "deep_p50_us"},
    {"filtered", "filtered_p50_us"},
    {"nothing", "nothing_p50_us"},
};

struct bench {
    const char *programs;
    const char *servers;
    double seconds;
    unsigned rounds;
    struct shop_stack stack;
};

/* -- programs -------------------------------------------------------------- */

static struct shop_stack_options
options_of(const struct bench *bench, const char *engine)
{
    return (struct shop_stack_options){.name = "shop.d",
                                       .programs = bench->programs,
                                       .servers = bench->servers,
                                       .engine = engine};
}

static void
stack_start(struct bench *bench, const char *engine)
{
    struct shop_stack_options options = options_of(bench, engine);

    shop_stack_start(&bench->stack, &options);
}

/* Start a client: command, number, and what the command wants besides. */
static struct process
client_start(const struct bench *bench, const struct shop_stack *stack,
             const char *command, unsigned number, const char *more,
             const char *last)
{
    static char path[SHOP_PATH_SIZE];
    char text[16];
    const char *argv[] = {path, command, stack->folder, text, more, last, NULL};

    snprintf(path, sizeof(path), "%s/shop", bench->programs);
    snprintf(text, sizeof(text), "%u", number);
    return process_start(path, argv);
}

static void
client_end(struct process *client, unsigned timeout_s, char *output,
           size_t size)
{
    process_read_all(client, timeout_s, output, size);
    process_end(client, 0);
}

/* -- purchases ------------------------------------------------------------- */

static void
buy_run(const struct bench *bench, const char *engine, unsigned n_customers)
{
    struct figures figures;
    struct process client;
    char seconds[32];
    char output[1024];

    snprintf(seconds, sizeof(seconds), "%.3f", bench->seconds);
    client =
        client_start(bench, &bench->stack, "buy", n_customers, seconds, NULL);
    client_end(&client, 120 + 3 * (unsigned)bench->seconds, output,
               sizeof(output));
    figures = figures_parse(output, "shop");
    results_add("shop", "purchases_per_s", n_customers, engine,
                figures.calls_per_s);
    results_add("shop", "checkout_p50_us", n_customers, engine, figures.p50_us);
    results_add("shop", "checkout_p99_us", n_customers, engine, figures.p99_us);
}

static void
buy_bench(struct bench *bench)
{
    for (unsigned round = 0; round < bench->rounds; round++) {
        for (size_t e = 0; e < COUNT(engines); e++) {
            stack_start(bench, engines[e]);
            for (size_t c = 0; c < COUNT(customers); c++) {
                buy_run(bench, engines[e], customers[c]);
            }
            shop_stack_stop(&bench->stack);
            shop_stack_remove(&bench->stack);
        }
        fprintf(stderr, "shop: round %u of %u\n", round + 1, bench->rounds);
    }
}

/* -- what a purchase costs ------------------------------------------------- */

static void
counts_add(const struct shop_stack *stack, unsigned n_customers)
{
    struct shop_counts counts;
    double calls;

    shop_count_calls(stack, SHOP_CHECKOUT_CALL_ID, &counts);
    calls = counts.calls;
    results_add("shop-cost", "shop_trips", n_customers, "checkout",
                counts.shop_trips / calls);
    results_add("shop-cost", "payment_trips", n_customers, "checkout",
                counts.payment_trips / calls);
    results_add("shop-cost", "trips", n_customers, "checkout",
                (counts.shop_trips + counts.payment_trips) / calls);
    results_add("shop-cost", "payments", n_customers, "checkout",
                counts.payments / calls);
    shop_count_calls(stack, SHOP_CART_CALL_ID, &counts);
    results_add("shop-cost", "trips", n_customers, "cart",
                counts.shop_trips / (double)counts.calls);
}

/* Start so many purchases, once what they need is there. */
static struct process
purchases_prepare(const struct bench *bench, unsigned n_customers,
                  unsigned purchases)
{
    struct process client;
    char text[16];
    char line[16];

    snprintf(text, sizeof(text), "%u", purchases);
    client =
        client_start(bench, &bench->stack, "count", n_customers, text, NULL);
    process_read_line(&client, line, sizeof(line));
    return client;
}

static void
purchases_run(struct process *client, char *output, size_t size)
{
    fputs("\n", client->to);
    fflush(client->to);
    client_end(client, 120, output, size);
}

/* Counting slows down, so nothing is timed meanwhile. */
static void
cost_run(struct bench *bench, unsigned n_customers)
{
    struct shop_stack_options options = options_of(bench, "lmdb");
    unsigned purchases = 100 + 20 * n_customers;
    unsigned syncs = 0;
    struct process client;
    char output[1024];

    options.log_calls = true;
    options.strace = access(STRACE, X_OK) == 0 ? STRACE : NULL;
    shop_stack_start(&bench->stack, &options);
    client = purchases_prepare(bench, n_customers, purchases);
    if (options.strace != NULL) {
        syncs = shop_count_syncs(&bench->stack);
    }
    purchases_run(&client, output, sizeof(output));
    if (options.strace != NULL) {
        syncs = shop_count_syncs(&bench->stack) - syncs;
        results_add("shop-cost", "syncs", n_customers, "purchase",
                    syncs / (double)purchases);
    }
    results_add("shop-cost", "revisions", n_customers, "purchase",
                figure_parse(output, "revisions", "shop") / purchases);
    shop_stack_stop(&bench->stack);
    counts_add(&bench->stack, n_customers);
    shop_stack_remove(&bench->stack);
}

/* Processor time of all four, a purchase. */
static void
time_run(const struct bench *bench, const char *engine, unsigned n_customers)
{
    static const char *const metrics[] = {"kvd_us", "paymentd_us",
                                          "petstored_us"};
    const struct process *daemons[] = {
        &bench->stack.kvd, &bench->stack.paymentd, &bench->stack.petstored};
    unsigned purchases = 300 + 20 * n_customers;
    double us = 1e6 / purchases;
    double cpu_s[COUNT(daemons)];
    struct process client;
    char output[1024];

    client = purchases_prepare(bench, n_customers, purchases);
    for (size_t i = 0; i < COUNT(daemons); i++) {
        cpu_s[i] = shop_count_cpu_s(daemons[i]);
    }
    purchases_run(&client, output, sizeof(output));
    for (size_t i = 0; i < COUNT(daemons); i++) {
        results_add("shop-time", metrics[i], n_customers, engine,
                    us * (shop_count_cpu_s(daemons[i]) - cpu_s[i]));
    }
    results_add("shop-time", "client_us", n_customers, engine,
                us * figure_parse(output, "cpu_seconds", "shop"));
    results_add("shop-time", "wall_us", n_customers, engine,
                us * figure_parse(output, "seconds", "shop"));
}

static void
cost_bench(struct bench *bench)
{
    for (size_t c = 0; c < COUNT(customers); c++) {
        cost_run(bench, customers[c]);
    }
    for (size_t e = 0; e < COUNT(engines); e++) {
        stack_start(bench, engines[e]);
        for (size_t c = 0; c < COUNT(customers); c++) {
            time_run(bench, engines[e], customers[c]);
        }
        shop_stack_stop(&bench->stack);
        shop_stack_remove(&bench->stack);
    }
}

/* -- lists ----------------------------------------------------------------- */

unsigned
shop_pets_many(void)
{
    const char *text = getenv("BENCH_PETS");
    unsigned long n = strtoul(text != NULL ? text : PETS_MANY, NULL, 10);

    if (n < SHOP_PETS_FEW || n > 10000000) {
        bench_fail("BENCH_PETS: not %u to 10000000", SHOP_PETS_FEW);
    }
    return (unsigned)n;
}

/* A shop with so many pets. */
struct catalogue {
    unsigned n_pets;
    struct shop_stack stack;
};

static void
catalogue_start(const struct bench *bench, const char *engine, const char *name,
                struct catalogue *catalogue)
{
    struct shop_stack_options options = options_of(bench, engine);
    struct process client;
    char output[1024];

    options.name = name;
    shop_stack_start(&catalogue->stack, &options);
    fprintf(stderr, "shop: adding %u pets, engine %s\n", catalogue->n_pets,
            engine);
    client = client_start(bench, &catalogue->stack, "load", catalogue->n_pets,
                          NULL, NULL);
    client_end(&client, LOAD_TIMEOUT_S, output, sizeof(output));
    results_add("shop-list", "added_per_s", catalogue->n_pets, engine,
                figure_parse(output, "calls_per_s", "shop"));
}

static void
list_run(const struct bench *bench, const char *engine,
         const struct catalogue *catalogue, const struct kind *kind)
{
    struct process client;
    char seconds[32];
    char output[1024];

    snprintf(seconds, sizeof(seconds), "%.3f", bench->seconds);
    client = client_start(bench, &catalogue->stack, "list", catalogue->n_pets,
                          seconds, kind->name);
    client_end(&client, 120 + 3 * (unsigned)bench->seconds, output,
               sizeof(output));
    results_add("shop-list", kind->metric, catalogue->n_pets, engine,
                figure_parse(output, "p50_us", "shop"));
    if (strcmp(kind->name, "nothing") == 0) {
        results_add("shop-list", "looked_at", catalogue->n_pets, engine,
                    figure_parse(output, "looked_at", "shop"));
    }
}

/* Both catalogues in turns, so that both are measured on the same machine. */
static void
list_bench(const struct bench *bench, const char *engine)
{
    struct catalogue few = {.n_pets = SHOP_PETS_FEW};
    struct catalogue many = {.n_pets = shop_pets_many()};

    catalogue_start(bench, engine, "shop.few", &few);
    catalogue_start(bench, engine, "shop.many", &many);
    for (unsigned round = 0; round < bench->rounds; round++) {
        for (size_t k = 0; k < COUNT(kinds); k++) {
            list_run(bench, engine, &few, &kinds[k]);
            list_run(bench, engine, &many, &kinds[k]);
        }
    }
    shop_stack_stop(&many.stack);
    shop_stack_stop(&few.stack);
    shop_stack_remove(&many.stack);
    shop_stack_remove(&few.stack);
}

void
shop_bench(const char *programs, const char *servers, double seconds,
           unsigned rounds)
{
    struct bench bench = {.programs = programs,
                          .servers = servers,
                          .seconds = seconds,
                          .rounds = rounds};

    (void)shop_pets_many(); /* a mistake there shows now, not in minutes */
    buy_bench(&bench);
    cost_bench(&bench);
    for (size_t e = 0; e < COUNT(engines); e++) {
        list_bench(&bench, engines[e]);
    }
}
