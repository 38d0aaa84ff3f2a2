/*
 * The limit of limiter.h, a window at a time.
 */
#include "server/limiter.h"

#include "core/clock.h"

#define WINDOW_NS (50 * RPCRT__MS)
/* A window with fewer calls goes on. */
#define SAMPLES_MIN 16u
#define PROBE_NS (5000 * RPCRT__MS)
/* Above what Little's law asks for: so much at a time the limit can grow. */
#define HEADROOM 1.3
/* To begin with: few, so that the first times are not those of a crowd. */
#define LIMIT_FIRST 4u
/* Weight of the past in the peak, a window. */
#define PEAK_DECAY 0.98

void
rpcrt__limiter_init(struct rpcrt__limiter *limiter, unsigned limit_max)
{
    *limiter = (struct rpcrt__limiter){
        .limit = limit_max < LIMIT_FIRST ? limit_max : LIMIT_FIRST,
        .limit_max = limit_max};
}

static unsigned
clamp(const struct rpcrt__limiter *limiter, double limit)
{
    unsigned whole;

    if (limit >= limiter->limit_max) {
        return limiter->limit_max;
    }
    whole = (unsigned)limit;
    return limit > whole ? whole + 1 : whole > 0 ? whole : 1;
}

/* Let fewer run for a window, so that the time of a call is its own. */
static void
probe_begin(struct rpcrt__limiter *limiter)
{
    limiter->limit_then = limiter->limit;
    limiter->limit = limiter->limit / 2 > 0 ? limiter->limit / 2 : 1;
}

/* What a window in which the limit was met says. */
static void
adjust(struct rpcrt__limiter *limiter, uint64_t now_ns, uint64_t mean_ns)
{
    double seconds = (double)(now_ns - limiter->window_ns) / 1e9;
    double per_s = (double)limiter->n_samples / seconds;
    double decayed =
        limiter->peak_per_s * PEAK_DECAY + per_s * (1 - PEAK_DECAY);
    bool probed = limiter->limit_then != 0;

    if (probed) {
        limiter->limit = limiter->limit_then;
        limiter->limit_then = 0;
        limiter->time_ns = mean_ns;
        limiter->probed_ns = now_ns;
    } else {
        limiter->peak_per_s = per_s > decayed ? per_s : decayed;
    }
    limiter->limit =
        clamp(limiter,
              limiter->peak_per_s * (double)limiter->time_ns / 1e9 * HEADROOM);
    if (!probed && now_ns - limiter->probed_ns > PROBE_NS) {
        probe_begin(limiter);
    }
}

void
rpcrt__limiter_add(struct rpcrt__limiter *limiter, uint64_t now_ns,
                   uint64_t time_ns, bool full)
{
    uint64_t mean_ns;

    if (limiter->window_ns == 0) {
        limiter->window_ns = now_ns;
        limiter->probed_ns = now_ns;
    }
    if (limiter->limit_then != 0 && time_ns > now_ns - limiter->window_ns) {
        return; /* it began in the crowd before the probe */
    }
    limiter->n_samples++;
    limiter->sum_ns += time_ns;
    limiter->full = limiter->full || full;
    if (limiter->n_samples < SAMPLES_MIN ||
        now_ns - limiter->window_ns < WINDOW_NS) {
        return;
    }
    mean_ns = limiter->sum_ns / limiter->n_samples;
    if (limiter->time_ns == 0 || mean_ns < limiter->time_ns) {
        limiter->time_ns = mean_ns;
    }
    /* Else nobody knows how many could have run. */
    if (limiter->full) {
        adjust(limiter, now_ns, mean_ns);
    }
    limiter->window_ns = now_ns;
    limiter->n_samples = 0;
    limiter->sum_ns = 0;
    limiter->full = false;
}
