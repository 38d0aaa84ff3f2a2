/*
 * What the clients of the bench "shop" share: the ways to the three servers,
 * the staff's session, and jobs that are done by several calls at once.
 */
#ifndef BENCH_SHOP_CLIENT_H
#define BENCH_SHOP_CLIENT_H

#include <rpcrt/rpcrt.h>
#include <stdint.h>

#define SHOP_TOKEN_SIZE 256u

struct shop_client {
    struct rpcrt_channel *kv;
    struct rpcrt_channel *payment;
    struct rpcrt_channel *shop;
    char staff[SHOP_TOKEN_SIZE]; /* a session's token */
    /* Different in each run, for names of what is made. */
    unsigned long long tag;
};

/** Open what the driver wrote into a folder, see shop_stack.h. Trouble ends the
 * program, as everywhere here. */
void shop_client_open(struct shop_client *client, const char *folder);
void shop_client_close(struct shop_client *client);

/** A call that carries a token. */
struct rpcrt_call *shop_call_new(struct rpcrt_channel *channel,
                                 const char *token);

/** End the program unless a call ended well. */
void shop_must(enum rpcrt_code code, const struct rpcrt_call *call,
               const char *what);

/** Open a session. */
void shop_login(const struct shop_client *client, const char *user,
                const char *password, char ret_token[SHOP_TOKEN_SIZE]);

/** The store's latest revision. */
uint64_t shop_revision(const struct shop_client *client);

/** Seconds of a clock that is never set. */
double shop_now_s(void);

/* -- jobs, so many at a time ----------------------------------------------- */

struct shop_jobs;

/** Start a job in a slot, without blocking; on any thread. */
typedef void shop_job_fn(void *arg, unsigned slot, uint64_t job);

/**
 * Do jobs 0 to n_jobs - 1 in slots; returns when all are done.
 *
 * progress  what is counted on standard error meanwhile; NULL: silent
 * ret_jobs  set before the first start, for shop_job_done()
 */
void shop_jobs_run(unsigned n_slots, uint64_t n_jobs, shop_job_fn *start,
                   void *arg, const char *progress,
                   struct shop_jobs **ret_jobs);

/** Tell that the job in a slot is done, and start the next one there. */
void shop_job_done(struct shop_jobs *jobs, unsigned slot);

#endif
