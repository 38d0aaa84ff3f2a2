/*
 * What a client program of the benchmark prints: figures, one "name value" a
 * line.
 */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

/* What load_print() writes. */
struct figures {
    double calls_per_s;
    double p50_us;
    double p99_us;
    double allocs_per_call;
    double calls; /* all, the warm-up's too */
};

/** Read them; the program's name is for messages. */
struct figures figures_parse(const char *text, const char *program);

/** Read one; its absence ends the benchmark. */
double figure_parse(const char *text, const char *name, const char *program);

#endif
