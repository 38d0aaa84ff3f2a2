/*
 * Channels, sessions, and slots that take the next job when theirs is done.
 */
#include "bench/shop_client.h"

#include "bench/shop_stack.h"
#include "bench/subject.h"

#include "kv/v1/kv.client.h"
#include "petstore/v1/petstore.client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Loading takes turns on a busy machine. */
#define TIMEOUT_MS 20000u
#define PATH_SIZE 512u

/* -- the ways to the servers ----------------------------------------------- */

static void
address_read(const char *folder, const char *name, char *ret_line, size_t size)
{
    char path[PATH_SIZE];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "r");
    if (file == NULL || fgets(ret_line, (int)size, file) == NULL) {
        subject_fail("%s can't be read", path);
    }
    fclose(file);
    ret_line[strcspn(ret_line, "\n")] = 0;
}

static struct rpcrt_channel *
channel_open(const char *folder, const char *name)
{
    struct rpcrt_channel *channel;
    char ca[PATH_SIZE];
    char cert[PATH_SIZE];
    char key[PATH_SIZE];
    char address[RPCRT_ADDRESS_SIZE];
    const struct rpcrt_tls tls = {
        .ca_file = ca, .cert_file = cert, .key_file = key};
    struct rpcrt_channel_options options = {0};

    snprintf(ca, sizeof(ca), "%s/certs/ca.pem", folder);
    snprintf(cert, sizeof(cert), "%s/certs/client.pem", folder);
    snprintf(key, sizeof(key), "%s/certs/client.key", folder);
    address_read(folder, name, address, sizeof(address));
    if (strncmp(address, "tls", 3) == 0) {
        options.tls = &tls;
    }
    if (rpcrt_channel_new(address, &options, &channel) != RPCRT_OK) {
        subject_fail("shop: %s", rpcrt_last_error());
    }
    return channel;
}

void
shop_client_open(struct shop_client *client, const char *folder)
{
    struct timespec now;

    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        subject_fail("no clock");
    }
    client->tag = (unsigned long long)now.tv_sec * 1000 +
                  (unsigned long long)now.tv_nsec / 1000000;
    client->kv = channel_open(folder, "kv.address");
    client->payment = channel_open(folder, "payment.address");
    client->shop = channel_open(folder, "shop.address");
    shop_login(client, SHOP_STAFF, SHOP_PASSWORD, client->staff);
}

void
shop_client_close(struct shop_client *client)
{
    rpcrt_channel_free(client->shop);
    rpcrt_channel_free(client->payment);
    rpcrt_channel_free(client->kv);
}

struct rpcrt_call *
shop_call_new(struct rpcrt_channel *channel, const char *token)
{
    struct rpcrt_call *call;
    char text[SHOP_TOKEN_SIZE + 16];

    snprintf(text, sizeof(text), "Bearer %s", token);
    if (rpcrt_call_new(channel, TIMEOUT_MS, &call) != RPCRT_OK ||
        rpcrt_call_set_metadata_text(call, "authorization", text) != RPCRT_OK) {
        subject_fail("no memory");
    }
    rpcrt_call_set_wait_for_ready(call, true);
    return call;
}

void
shop_must(enum rpcrt_code code, const struct rpcrt_call *call, const char *what)
{
    if (code != RPCRT_OK) {
        subject_fail("%s: %s: %s", what, rpcrt_code_name(code),
                     rpcrt_call_message(call));
    }
}

void
shop_login(const struct shop_client *client, const char *user,
           const char *password, char ret_token[SHOP_TOKEN_SIZE])
{
    struct rpcrt_call *call = shop_call_new(client->shop, "none");
    Petstore__V1__LoginRequest request = PETSTORE__V1__LOGIN_REQUEST__INIT;
    const Petstore__V1__LoginReply *reply = NULL;

    request.user = user;
    request.password = password;
    shop_must(petstore_login(call, &request, &reply), call, "Login");
    snprintf(ret_token, SHOP_TOKEN_SIZE, "%s", reply->token);
    rpcrt_call_free(call);
}

uint64_t
shop_revision(const struct shop_client *client)
{
    struct rpcrt_call *call = shop_call_new(client->kv, SHOP_KV_TOKEN);
    Kv__V1__StatusRequest request = KV__V1__STATUS_REQUEST__INIT;
    const Kv__V1__StatusReply *reply = NULL;
    uint64_t revision;

    shop_must(kv_status(call, &request, &reply), call, "Status");
    revision = reply->header->revision;
    rpcrt_call_free(call);
    return revision;
}

double
shop_now_s(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        subject_fail("no clock");
    }
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* -- jobs ------------------------------------------------------------------ */

struct shop_jobs {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* n_done */
    uint64_t n_jobs;
    uint64_t n_started;
    uint64_t n_done;
    shop_job_fn *start;
    void *arg;
};

/* Start the next job in a slot, if there is one. */
static void
next_start(struct shop_jobs *jobs, unsigned slot)
{
    uint64_t job;

    pthread_mutex_lock(&jobs->lock);
    job = jobs->n_started;
    jobs->n_started += job < jobs->n_jobs ? 1 : 0;
    pthread_mutex_unlock(&jobs->lock);
    if (job < jobs->n_jobs) {
        jobs->start(jobs->arg, slot, job);
    }
}

void
shop_job_done(struct shop_jobs *jobs, unsigned slot)
{
    next_start(jobs, slot);
    pthread_mutex_lock(&jobs->lock);
    jobs->n_done++;
    pthread_cond_signal(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
}

/* Prints once in ten; returns when to print again. */
static uint64_t
progress_print(const struct shop_jobs *jobs, const char *progress)
{
    if (progress != NULL) {
        fprintf(stderr, "shop: %llu of %llu %s\n",
                (unsigned long long)jobs->n_done,
                (unsigned long long)jobs->n_jobs, progress);
    }
    return jobs->n_done + jobs->n_jobs / 10 + 1;
}

static void
jobs_wait(struct shop_jobs *jobs, const char *progress)
{
    uint64_t mark = jobs->n_jobs / 10 + 1;

    pthread_mutex_lock(&jobs->lock);
    while (jobs->n_done < jobs->n_jobs) {
        pthread_cond_wait(&jobs->changed, &jobs->lock);
        if (jobs->n_done >= mark) {
            mark = progress_print(jobs, progress);
        }
    }
    pthread_mutex_unlock(&jobs->lock);
}

void
shop_jobs_run(unsigned n_slots, uint64_t n_jobs, shop_job_fn *start, void *arg,
              const char *progress, struct shop_jobs **ret_jobs)
{
    struct shop_jobs jobs = {.n_jobs = n_jobs, .start = start, .arg = arg};

    if (pthread_mutex_init(&jobs.lock, NULL) != 0 ||
        pthread_cond_init(&jobs.changed, NULL) != 0) {
        subject_fail("no memory");
    }
    *ret_jobs = &jobs;
    for (unsigned slot = 0; slot < n_slots; slot++) {
        next_start(&jobs, slot);
    }
    jobs_wait(&jobs, progress);
    *ret_jobs = NULL;
    pthread_cond_destroy(&jobs.changed);
    pthread_mutex_destroy(&jobs.lock);
}
