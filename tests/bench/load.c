/*
 * The closed loop and its measurement. Latencies go to a histogram a thread,
 * with 64 steps an octave, so that recording costs a few nanoseconds.
 */
#include "bench/load.h"

#include "bench/allocs.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define STEP_BITS 6u
#define STEPS (1u << STEP_BITS)
#define BUCKETS (STEPS * 40u)
#define WARM_UP_SHARE 0.3

enum phase { WARM_UP, MEASURE, STOP };

struct histogram {
    struct histogram *next;
    uint64_t calls; /* the warm-up's too */
    uint64_t buckets[BUCKETS];
};

struct load {
    unsigned depth;
    uint64_t *started_ns; /* one a slot */
    atomic_int phase;
    pthread_mutex_t lock; /* histograms, running */
    pthread_cond_t idle;
    struct histogram *histograms;
    unsigned running; /* slots that have not stopped */
    double seconds;   /* measured */
    uint64_t allocs;
};

/* One load a program, so a thread's histogram needs no look-up. */
static _Thread_local struct histogram *own;

static void
die(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static uint64_t
now_ns(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        die("no clock");
    }
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
sleep_seconds(double seconds)
{
    struct timespec rest = {.tv_sec = (time_t)seconds};

    rest.tv_nsec = (long)((seconds - (double)rest.tv_sec) * 1e9);
    while (nanosleep(&rest, &rest) != 0) {
    }
}

static unsigned
bucket_of(uint64_t ns)
{
    unsigned octave = 0;
    unsigned bucket;

    while ((ns >> octave) >= 2 * STEPS) {
        octave++;
    }
    bucket = octave * STEPS + (unsigned)(ns >> octave);
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

/* The middle of a bucket's range. */
static double
bucket_ns(unsigned bucket)
{
    unsigned octave = bucket < 2 * STEPS ? 0 : bucket / STEPS - 1;
    double low = (double)(bucket - octave * STEPS);

    return (low + 0.5) * (double)(UINT64_C(1) << octave);
}

static struct histogram *
own_histogram(struct load *load)
{
    if (own == NULL) {
        own = calloc(1, sizeof(*own));
        if (own == NULL) {
            die("no memory");
        }
        pthread_mutex_lock(&load->lock);
        own->next = load->histograms;
        load->histograms = own;
        pthread_mutex_unlock(&load->lock);
    }
    return own;
}

/* Returns the time, at which the next call may start. */
static uint64_t
record(struct load *load, uint64_t started_ns, int phase)
{
    struct histogram *histogram = own_histogram(load);
    uint64_t now = now_ns();

    histogram->calls++;
    if (phase == MEASURE) {
        histogram->buckets[bucket_of(now - started_ns)]++;
    }
    return now;
}

struct load *
load_new(unsigned depth)
{
    struct load *load = calloc(1, sizeof(*load));

    if (load == NULL || depth == 0) {
        die("no memory");
    }
    load->depth = depth;
    load->started_ns = calloc(depth, sizeof(*load->started_ns));
    if (load->started_ns == NULL ||
        pthread_mutex_init(&load->lock, NULL) != 0 ||
        pthread_cond_init(&load->idle, NULL) != 0) {
        die("no memory");
    }
    return load;
}

void
load_free(struct load *load)
{
    struct histogram *next;

    if (load == NULL) {
        return;
    }
    for (struct histogram *h = load->histograms; h != NULL; h = next) {
        next = h->next;
        free(h);
    }
    own = NULL;
    pthread_cond_destroy(&load->idle);
    pthread_mutex_destroy(&load->lock);
    free(load->started_ns);
    free(load);
}

void
load_run(struct load *load, double seconds, load_start_fn *start, void *arg)
{
    uint64_t began;
    uint64_t allocs;

    load->running = load->depth;
    for (unsigned slot = 0; slot < load->depth; slot++) {
        load->started_ns[slot] = now_ns();
        start(arg, slot);
    }
    sleep_seconds(seconds * WARM_UP_SHARE);
    allocs = allocs_count();
    began = now_ns();
    atomic_store(&load->phase, MEASURE);
    sleep_seconds(seconds);
    atomic_store(&load->phase, STOP);
    load->seconds = (double)(now_ns() - began) / 1e9;
    load->allocs = allocs_count() - allocs;
    pthread_mutex_lock(&load->lock);
    while (load->running > 0) {
        pthread_cond_wait(&load->idle, &load->lock);
    }
    pthread_mutex_unlock(&load->lock);
}

bool
load_answered(struct load *load, unsigned slot)
{
    int phase = atomic_load_explicit(&load->phase, memory_order_relaxed);
    uint64_t now = record(load, load->started_ns[slot], phase);

    if (phase != STOP) {
        load->started_ns[slot] = now;
        return true;
    }
    pthread_mutex_lock(&load->lock);
    load->running--;
    pthread_cond_signal(&load->idle);
    pthread_mutex_unlock(&load->lock);
    return false;
}

void
load_restart(struct load *load, unsigned slot)
{
    load->started_ns[slot] = now_ns();
}

void
load_run_blocking(struct load *load, double seconds, load_call_fn *call,
                  void *arg)
{
    uint64_t now = now_ns();
    uint64_t began = now + (uint64_t)(seconds * WARM_UP_SHARE * 1e9);
    uint64_t end = began + (uint64_t)(seconds * 1e9);
    uint64_t allocs = 0;
    int phase = WARM_UP;

    while (now < end) {
        if (phase == WARM_UP && now >= began) {
            phase = MEASURE;
            allocs = allocs_count();
            began = now;
        }
        call(arg);
        now = record(load, now, phase);
    }
    load->seconds = (double)(now - began) / 1e9;
    load->allocs = allocs_count() - allocs;
}

/* The latency that a share of the calls did not exceed. */
static double
percentile_us(const uint64_t *buckets, uint64_t calls, double share)
{
    uint64_t rank = (uint64_t)(share * (double)calls);
    uint64_t seen = 0;

    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += buckets[i];
        if (seen > rank) {
            return bucket_ns(i) / 1e3;
        }
    }
    return 0;
}

void
load_print(const struct load *load)
{
    uint64_t *sum = calloc(BUCKETS, sizeof(*sum));
    uint64_t measured = 0;
    uint64_t calls = 0;

    if (sum == NULL) {
        die("no memory");
    }
    for (struct histogram *h = load->histograms; h != NULL; h = h->next) {
        calls += h->calls;
        for (unsigned i = 0; i < BUCKETS; i++) {
            sum[i] += h->buckets[i];
            measured += h->buckets[i];
        }
    }
    if (measured == 0) {
        die("no call was answered");
    }
    printf("calls_per_s %.1f\n", (double)measured / load->seconds);
    printf("p50_us %.2f\n", percentile_us(sum, measured, 0.50));
    printf("p99_us %.2f\n", percentile_us(sum, measured, 0.99));
    printf("allocs_per_call %.3f\n", (double)load->allocs / (double)measured);
    printf("calls %llu\n", (unsigned long long)calls);
    free(sum);
}
