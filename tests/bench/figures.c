/*
 * Looking for names in a short text.
 */
#include "bench/figures.h"

#include "bench/process.h"

#include <stdlib.h>
#include <string.h>

double
figure_parse(const char *text, const char *name, const char *program)
{
    char start[32];
    const char *found;

    snprintf(start, sizeof(start), "%s ", name);
    found = strstr(text, start);
    if (found == NULL) {
        bench_fail("%s printed no %s: %s", program, name, text);
    }
    return strtod(found + strlen(start), NULL);
}

struct figures
figures_parse(const char *text, const char *program)
{
    struct figures figures;

    figures.calls = figure_parse(text, "calls", program);
    figures.calls_per_s = figure_parse(text, "calls_per_s", program);
    figures.p50_us = figure_parse(text, "p50_us", program);
    figures.p99_us = figure_parse(text, "p99_us", program);
    figures.allocs_per_call = figure_parse(text, "allocs_per_call", program);
    return figures;
}
