/*
 * Many threads raise one number while answers are lost: each that is told OK
 * has raised it by one, and who is told ABORTED has done nothing.
 */
#include "tests/common/store_ground.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define N_THREADS 6u
#define N_ROUNDS 40u

static const ProtobufCMessageDescriptor *const text_type =
    &kv__v1__load_request__descriptor;

struct runner {
    struct ground *ground;
    pthread_t thread;
    unsigned number;
    unsigned n_wrong; /* ABORTED, although it was done */
    unsigned n_failed;
};

/* Raise "n" once; what is written first says for whom. */
static void
raise_once(struct runner *runner, struct common_work *work, unsigned round)
{
    const char *once =
        common_work_format(work, "idem/%u/%u", runner->number, round);
    enum rpcrt_code code = RPCRT_ABORTED;
    struct common_record n;
    struct common_record idem;

    while (code == RPCRT_ABORTED) {
        common_read(work, "n", text_type, &n);
        common_read(work, once, text_type, &idem);
        if (common_read_now(work) != RPCRT_OK) {
            break;
        }
        runner->n_wrong += idem.message != NULL ? 1 : 0;
        common_expect(work, &idem);
        common_put(work, once, NULL);
        common_expect(work, &n);
        put_text(
            work, "n",
            common_work_format(work, "%ld", strtol(text_of(&n), NULL, 10) + 1));
        code = common_commit(work);
    }
    runner->n_failed += code == RPCRT_OK ? 0 : 1;
}

static void *
runner_main(void *arg)
{
    struct runner *runner = arg;
    unsigned i;

    for (i = 0; i < N_ROUNDS; i++) {
        struct common_work *work =
            common_work_new(runner->ground->store, NULL, NULL);

        cr_assert_not_null(work);
        raise_once(runner, work, i);
        common_work_free(work);
    }
    return NULL;
}

Test(store_race, raises_a_number_once_for_each_that_is_told_so, .timeout = 120)
{
    struct runner runners[N_THREADS];
    struct common_store_stats stats;
    struct ground ground;
    char expected[16];
    unsigned i;

    ground_open(&ground, 10000, 60000);
    make_text(&ground, "n", "0");
    ground_lose_every(&ground, 5);
    for (i = 0; i < N_THREADS; i++) {
        runners[i] = (struct runner){.ground = &ground, .number = i};
        cr_assert_eq(
            pthread_create(&runners[i].thread, NULL, runner_main, &runners[i]),
            0);
    }
    for (i = 0; i < N_THREADS; i++) {
        cr_assert_eq(pthread_join(runners[i].thread, NULL), 0);
        cr_expect_eq(runners[i].n_wrong, 0);
        cr_expect_eq(runners[i].n_failed, 0);
    }
    (void)snprintf(expected, sizeof(expected), "%u", N_THREADS * N_ROUNDS);
    cr_expect_str_eq(read_text(&ground, "n"), expected);
    common_store_get_stats(ground.store, &stats);
    cr_expect_gt(stats.repeats, N_THREADS);
    ground_close(&ground);
}
