/*
 * How far a long command is, on standard error: on a terminal a bar that is
 * drawn again and again, elsewhere a line every ten percent.
 */
#ifndef CLIENTS_PROGRESS_H
#define CLIENTS_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
    const char *program;
    size_t n_all;
    size_t n_done;
    uint64_t started_ms;
    uint64_t drawn_ms;
    unsigned told_percent;
    bool terminal;
};

/* Begin; nothing is drawn yet. */
void progress_begin(struct progress *progress, const char *program,
                    size_t n_all);

/* One more is done. */
void progress_step(struct progress *progress);

/* Take the bar away, so that something else can be printed. */
void progress_clear(const struct progress *progress);

/* Draw the last state, and end its line. */
void progress_end(struct progress *progress);

#endif
