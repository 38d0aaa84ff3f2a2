/*
 * A list of figures, looked through from its start: there are a few hundred.
 */
#include "bench/results.h"

#include "bench/process.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define FIGURES_MAX 1024u

struct figure {
    const char *bench;
    const char *metric;
    unsigned depth;
    const char *subject;
    unsigned n_samples;
    double samples[RESULTS_ROUNDS_MAX];
};

static struct figure figures[FIGURES_MAX];
static size_t n_figures;

static struct figure *
find(const char *bench, const char *metric, unsigned depth, const char *subject)
{
    for (size_t i = 0; i < n_figures; i++) {
        struct figure *figure = &figures[i];

        if (figure->depth == depth && strcmp(figure->bench, bench) == 0 &&
            strcmp(figure->metric, metric) == 0 &&
            strcmp(figure->subject, subject) == 0) {
            return figure;
        }
    }
    return NULL;
}

void
results_add(const char *bench, const char *metric, unsigned depth,
            const char *subject, double value)
{
    struct figure *figure = find(bench, metric, depth, subject);

    if (figure == NULL) {
        if (n_figures == FIGURES_MAX) {
            bench_fail("more than %u figures", FIGURES_MAX);
        }
        figure = &figures[n_figures++];
        figure->bench = bench;
        figure->metric = metric;
        figure->depth = depth;
        figure->subject = subject;
    }
    if (figure->n_samples == RESULTS_ROUNDS_MAX) {
        bench_fail("more than %u rounds", RESULTS_ROUNDS_MAX);
    }
    figure->samples[figure->n_samples++] = value;
}

static int
compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

static double
median(const struct figure *figure)
{
    double sorted[RESULTS_ROUNDS_MAX];
    unsigned n = figure->n_samples;

    memcpy(sorted, figure->samples, n * sizeof(sorted[0]));
    qsort(sorted, n, sizeof(sorted[0]), compare);
    return n % 2 != 0 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

bool
results_get(const char *bench, const char *metric, unsigned depth,
            const char *subject, double *ret_value)
{
    const struct figure *figure = find(bench, metric, depth, subject);

    if (figure == NULL) {
        return false;
    }
    *ret_value = median(figure);
    return true;
}

static const char *
unit_of(const char *metric)
{
    size_t length = strlen(metric);

    if (strcmp(metric, "gb_per_s") == 0) {
        return "GB/s";
    }
    if (length > 3 && strcmp(metric + length - 3, "_us") == 0) {
        return "us";
    }
    if (length > 6 && strcmp(metric + length - 6, "_per_s") == 0) {
        return "1/s";
    }
    return "1";
}

bool
results_write(const char *path)
{
    FILE *file = fopen(path, "w");
    bool good;

    if (file == NULL) {
        return false;
    }
    fputs("[\n", file);
    for (size_t i = 0; i < n_figures; i++) {
        const struct figure *figure = &figures[i];

        fprintf(file,
                "  {\"bench\": \"%s\", \"metric\": \"%s\", \"depth\": %u, "
                "\"subject\": \"%s\", \"value\": %.3f, \"unit\": \"%s\"}%s\n",
                figure->bench, figure->metric, figure->depth, figure->subject,
                median(figure), unit_of(figure->metric),
                i + 1 < n_figures ? "," : "");
    }
    fputs("]\n", file);
    good = ferror(file) == 0;
    return fclose(file) == 0 && good;
}
