/*
 * Drawing progress: see progress.h.
 */
#include "progress.h"
#include "cli.h"

#include <stdio.h>
#include <unistd.h>

#define BAR_WIDTH 30u
#define DRAW_EACH_MS 50u
#define TELL_EACH_PERCENT 10u

void
progress_begin(struct progress *progress, const char *program, size_t n_all)
{
    *progress = (struct progress){.program = program,
                                  .n_all = n_all,
                                  .started_ms = cli_now_ms(),
                                  .terminal = isatty(STDERR_FILENO) == 1};
}

static unsigned
percent_of(const struct progress *progress)
{
    return progress->n_all == 0
               ? 100
               : (unsigned)(progress->n_done * 100 / progress->n_all);
}

static unsigned long long
rate_of(const struct progress *progress, uint64_t at_ms)
{
    uint64_t taken_ms = at_ms - progress->started_ms;

    return progress->n_done * 1000ull / (taken_ms > 0 ? taken_ms : 1);
}

static void
draw(struct progress *progress, uint64_t at_ms)
{
    static const char full[BAR_WIDTH + 1] = "##############################";
    static const char empty[BAR_WIDTH + 1] = "..............................";
    size_t n = progress->n_all == 0
                   ? BAR_WIDTH
                   : progress->n_done * BAR_WIDTH / progress->n_all;

    progress->drawn_ms = at_ms;
    (void)fprintf(stderr, "\r  [%.*s%.*s] %zu/%zu %3u %% %6llu/s ", (int)n,
                  full, (int)(BAR_WIDTH - n), empty, progress->n_done,
                  progress->n_all, percent_of(progress),
                  rate_of(progress, at_ms));
    (void)fflush(stderr);
}

void
progress_step(struct progress *progress)
{
    uint64_t at_ms = cli_now_ms();

    progress->n_done++;
    if (progress->terminal) {
        if (at_ms - progress->drawn_ms >= DRAW_EACH_MS) {
            draw(progress, at_ms);
        }
    } else if (percent_of(progress) >=
               progress->told_percent + TELL_EACH_PERCENT) {
        progress->told_percent =
            percent_of(progress) / TELL_EACH_PERCENT * TELL_EACH_PERCENT;
        (void)fprintf(stderr, "%s: %u %%, %zu of %zu, %llu a second\n",
                      progress->program, progress->told_percent,
                      progress->n_done, progress->n_all,
                      rate_of(progress, at_ms));
    }
}

void
progress_clear(const struct progress *progress)
{
    if (progress->terminal) {
        (void)fprintf(stderr, "\r%*s\r", (int)BAR_WIDTH + 40, "");
    }
}

void
progress_end(struct progress *progress)
{
    if (progress->terminal) {
        draw(progress, cli_now_ms());
        (void)fputc('\n', stderr);
    }
}
