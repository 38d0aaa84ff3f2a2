/*
 * What rpcctl load prints: how far it is, and at the end rate, codes,
 * percentiles and a histogram.
 */
#include "rpcctl_load.h"

#include "output.h"

#include <string.h>
#include <unistd.h>

#define BAR_WIDTH 40u

static const struct {
    const char *name;
    unsigned permille;
} percentiles[] = {
    {"p50", 500}, {"p90", 900}, {"p99", 990}, {"p99.9", 999}, {"max", 1000}};
#define N_PERCENTILES (sizeof percentiles / sizeof percentiles[0])

static double
ms_of(uint64_t ns)
{
    return (double)ns / 1e6;
}

static double
rate_of(const struct rpcctl_load *load)
{
    return load->taken_ns > 0
               ? (double)load->n_ended * 1e9 / (double)load->taken_ns
               : 0;
}

static double
mean_ms(const struct rpcctl_load *load)
{
    const struct rpcctl_histogram *times = &load->times_ns;

    return times->n > 0 ? times->sum / (double)times->n / 1e6 : 0;
}

void
rpcctl_load_progress(const struct rpcctl_load *load)
{
    if (isatty(STDERR_FILENO) == 1) {
        (void)fprintf(
            stderr,
            "\r  %6.1f s  %10llu calls  %9.0f/s  p50 %.3f ms  p99 %.3f ms  "
            "%llu failed ",
            (double)load->taken_ns / 1e9, (unsigned long long)load->n_ended,
            rate_of(load), ms_of(rpcctl_histogram_at(&load->times_ns, 500)),
            ms_of(rpcctl_histogram_at(&load->times_ns, 990)),
            (unsigned long long)(load->n_ended - load->n_codes[RPCRT_OK]));
        (void)fflush(stderr);
    }
}

/* -- the histogram: a line for each power of two --------------------------- */

struct step {
    uint64_t from;
    uint64_t to;
    uint64_t n;
};
#define STEPS_MAX 64u

static size_t
steps_of(const struct rpcctl_histogram *times, struct step steps[STEPS_MAX])
{
    uint64_t from = 1000; /* 1 us */
    size_t n_steps = 0;

    if (times->n == 0) {
        return 0;
    }
    while (rpcctl_histogram_below(times, 2 * from) == 0) {
        from *= 2;
    }
    for (; n_steps < STEPS_MAX; from *= 2) {
        uint64_t before = n_steps > 0 ? rpcctl_histogram_below(times, from) : 0;

        steps[n_steps++] = (struct step){
            from, 2 * from, rpcctl_histogram_below(times, 2 * from) - before};
        if (2 * from > times->max) {
            steps[n_steps - 1].n = times->n - before;
            break;
        }
    }
    return n_steps;
}

static void
print_histogram(const struct rpcctl_histogram *times)
{
    static const char bar[BAR_WIDTH + 1] =
        "########################################";
    struct step steps[STEPS_MAX];
    size_t n = steps_of(times, steps);
    uint64_t most = 1;
    size_t i;

    for (i = 0; i < n; i++) {
        most = steps[i].n > most ? steps[i].n : most;
    }
    for (i = 0; i < n; i++) {
        (void)printf("  %10.3f ms  %6.2f %%  %.*s\n", ms_of(steps[i].to),
                     (double)steps[i].n * 100 / (double)times->n,
                     (int)(steps[i].n * BAR_WIDTH / most), bar);
    }
}

/* -- reports --------------------------------------------------------------- */

static void
print_text(const struct cli *cli, const struct rpcctl_load *load)
{
    size_t i;

    (void)printf("%s at %s\n", load->what->method->path + 1, cli->address);
    if (load->rate > 0) {
        (void)printf("open loop, %llu calls a second; %llu began late\n",
                     (unsigned long long)load->rate,
                     (unsigned long long)load->n_late);
    } else {
        (void)printf("closed loop, %llu calls at a time\n",
                     (unsigned long long)load->concurrency);
    }
    (void)printf("%llu calls in %.2f s, %.0f a second\n\n",
                 (unsigned long long)load->n_ended,
                 (double)load->taken_ns / 1e9, rate_of(load));
    for (i = 0; i < RPCCTL_CODES; i++) {
        if (load->n_codes[i] > 0) {
            (void)printf("  %-20s %10llu\n",
                         rpcrt_code_name((enum rpcrt_code)i),
                         (unsigned long long)load->n_codes[i]);
        }
    }
    if (load->times_ns.n > 0) {
        (void)printf("\n  mean  %10.3f ms\n", mean_ms(load));
        for (i = 0; i < N_PERCENTILES; i++) {
            (void)printf("  %-5s %10.3f ms\n", percentiles[i].name,
                         ms_of(rpcctl_histogram_at(&load->times_ns,
                                                   percentiles[i].permille)));
        }
        (void)printf("\n  below\n");
        print_histogram(&load->times_ns);
    }
}

static void
json_real(struct output_json *json, const char *name, double value)
{
    output_json_name(json, name);
    (void)printf("%.6g", value);
}

static void
json_times(struct output_json *json, const struct rpcctl_load *load)
{
    struct step steps[STEPS_MAX];
    size_t n = steps_of(&load->times_ns, steps);
    struct output_json inner;
    size_t i;

    output_json_name(json, "latency_ms");
    output_json_begin(&inner);
    json_real(&inner, "mean", mean_ms(load));
    for (i = 0; i < N_PERCENTILES; i++) {
        json_real(&inner, percentiles[i].name,
                  ms_of(rpcctl_histogram_at(&load->times_ns,
                                            percentiles[i].permille)));
    }
    output_json_end(&inner);
    output_json_name(json, "histogram");
    (void)putchar('[');
    for (i = 0; i < n; i++) {
        (void)fputs(i > 0 ? "," : "", stdout);
        output_json_begin(&inner);
        json_real(&inner, "below_ms", ms_of(steps[i].to));
        output_json_number(&inner, "calls", steps[i].n);
        output_json_end(&inner);
    }
    (void)putchar(']');
}

static void
print_json(const struct cli *cli, const struct rpcctl_load *load)
{
    struct output_json json;
    struct output_json codes;
    size_t i;

    output_json_begin(&json);
    output_json_text(&json, "method", load->what->method->path + 1);
    output_json_text(&json, "address", cli->address);
    output_json_text(&json, "loop", load->rate > 0 ? "open" : "closed");
    output_json_number(&json, "concurrency", load->concurrency);
    if (load->rate > 0) {
        output_json_number(&json, "rate_wanted", load->rate);
        output_json_number(&json, "late", load->n_late);
    }
    output_json_number(&json, "calls", load->n_ended);
    json_real(&json, "seconds", (double)load->taken_ns / 1e9);
    json_real(&json, "rate", rate_of(load));
    output_json_name(&json, "codes");
    output_json_begin(&codes);
    for (i = 0; i < RPCCTL_CODES; i++) {
        if (load->n_codes[i] > 0) {
            output_json_number(&codes, rpcrt_code_name((enum rpcrt_code)i),
                               load->n_codes[i]);
        }
    }
    output_json_end(&codes);
    json_times(&json, load);
    output_json_end(&json);
    (void)putchar('\n');
}

void
rpcctl_load_report(const struct cli *cli, const struct rpcctl_load *load)
{
    if (isatty(STDERR_FILENO) == 1) {
        (void)fprintf(stderr, "\r%*s\r", 100, "");
    }
    if (load->failure[0] != '\0') {
        (void)cli_fail(cli, "the first that failed: %s", load->failure);
    }
    if (cli->json) {
        print_json(cli, load);
    } else {
        print_text(cli, load);
    }
}
