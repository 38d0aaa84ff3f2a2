/*
 * The store when answers are lost: a change takes effect once, and nobody is
 * told something that is not so.
 */
#include "tests/common/store_ground.h"

#include "common/ids.h"

#include <pthread.h>
#include <string.h>

static const ProtobufCMessageDescriptor *const text_type =
    &kv__v1__load_request__descriptor;
static struct ground ground;

static struct common_work *
begin(void)
{
    struct common_work *work = common_work_new(ground.store, NULL, NULL);

    cr_assert_not_null(work);
    return work;
}

static void
ground_begin(void)
{
    ground_open(&ground, 0, 0);
}

static void
ground_end(void)
{
    ground_close(&ground);
}

TestSuite(store_lost, .init = ground_begin, .fini = ground_end, .timeout = 60);

/* Replace the text of "a", as long as it is what is read. */
static void
change(struct common_work *work, const char *text)
{
    struct common_record a;

    common_read(work, "a", text_type, &a);
    expect_work(work, RPCRT_OK, common_read_now(work));
    common_expect(work, &a);
    put_text(work, "a", text);
}

/* A change with this fate ends well, and took effect once. */
static void
expect_once(enum ground_fate fate)
{
    enum ground_fate fates[] = {fate, fate};
    struct common_work *work = begin();
    struct common_store_stats stats;
    uint64_t revision;

    make_text(&ground, "a", "one");
    revision = read_revision(&ground, "a");
    change(work, "two");
    ground_fates(&ground, false, fates, 2);
    expect_work(work, RPCRT_OK, common_commit(work));
    cr_expect_eq(ground_requests(&ground, false), 3);
    cr_expect_str_eq(read_text(&ground, "a"), "two");
    cr_expect_eq(read_revision(&ground, "a"), revision + 1);
    cr_expect_eq(common_work_revision(work), revision + 1);
    common_store_get_stats(ground.store, &stats);
    cr_expect_eq(stats.repeats, fate == GROUND_REFUSE ? 0 : 2, "%llu repeats",
                 (unsigned long long)stats.repeats);
    common_work_free(work);
}

Test(store_lost, an_answer_that_is_lost_is_found)
{
    expect_once(GROUND_LOSE);
}

Test(store_lost, an_answer_that_never_comes_is_found)
{
    expect_once(GROUND_HANG);
}

Test(store_lost, a_disk_that_failed_in_doubt_is_asked_again)
{
    expect_once(GROUND_BREAK);
}

Test(store_lost, what_was_overwritten_meanwhile_is_aborted)
{
    enum ground_fate fates[] = {GROUND_LOSE};
    struct common_work *work = begin();

    make_text(&ground, "a", "one");
    change(work, "two");
    ground_fates(&ground, false, fates, 1);
    ground_intrude(&ground, "a", "three");
    expect_work(work, RPCRT_ABORTED, common_commit(work));
    cr_expect_eq(ground_requests(&ground, false), 2);
    cr_expect_str_eq(read_text(&ground, "a"), "three");
    common_work_free(work);
}

/* The first put is found again although the second was overwritten. */
Test(store_lost, a_record_that_stays_proves_the_whole_change)
{
    enum ground_fate fates[] = {GROUND_LOSE};
    struct common_work *work = begin();

    make_text(&ground, "a", "one");
    common_expect_nothing(work, "idem/1");
    put_text(work, "idem/1", "done");
    change(work, "two");
    ground_fates(&ground, false, fates, 1);
    ground_intrude(&ground, "a", "three");
    expect_work(work, RPCRT_OK, common_commit(work));
    cr_expect_str_eq(read_text(&ground, "a"), "three");
    common_work_free(work);
}

/* The one that was lost was not done, and somebody else came first. */
Test(store_lost, what_was_never_done_is_not_found)
{
    enum ground_fate fates[] = {GROUND_REFUSE};
    struct common_work *work = begin();

    make_text(&ground, "a", "one");
    change(work, "two");
    ground_fates(&ground, false, fates, 1);
    ground_write(&ground, "a", "\x0a\x03six\xc1\xa9\x07other456");
    expect_work(work, RPCRT_ABORTED, common_commit(work));
    cr_expect_str_eq(read_text(&ground, "a"), "six");
    common_work_free(work);
}

Test(store_lost, a_read_is_asked_again)
{
    enum ground_fate fates[] = {GROUND_HANG, GROUND_LOSE, GROUND_REFUSE,
                                GROUND_BREAK};

    make_text(&ground, "a", "one");
    ground_fates(&ground, true, fates, 4);
    cr_expect_str_eq(read_text(&ground, "a"), "one");
    cr_expect_eq(ground_requests(&ground, true), 5);
}

Test(store_lost, a_full_store_is_not_asked_again)
{
    enum ground_fate fates[] = {GROUND_SAY_FULL};
    struct common_work *work = begin();

    common_expect_nothing(work, "a");
    put_text(work, "a", "one");
    ground_fates(&ground, false, fates, 1);
    expect_work(work, RPCRT_RESOURCE_EXHAUSTED, common_commit(work));
    cr_expect_eq(ground_requests(&ground, false), 1);
    common_work_free(work);
}

/* A refusal of the second try says nothing of the first. */
Test(store_lost, a_refusal_does_not_hide_that_it_may_have_been_done)
{
    enum ground_fate fates[] = {GROUND_LOSE, GROUND_SAY_FULL,
                                GROUND_SAY_STRANGER};
    struct common_work *work = begin();

    common_expect_nothing(work, "a");
    put_text(work, "a", "one");
    ground_fates(&ground, false, fates, 3);
    expect_work(work, RPCRT_OK, common_commit(work));
    cr_expect_eq(ground_requests(&ground, false), 4);
    common_work_free(work);
}

/* A wrong token of this program is nothing that its callers could mend. */
Test(store_lost, a_wrong_token_is_a_fault_of_this_program)
{
    enum ground_fate fates[] = {GROUND_SAY_STRANGER};
    struct common_work *work = begin();
    struct common_record a;

    common_read(work, "a", text_type, &a);
    ground_fates(&ground, true, fates, 1);
    expect_work(work, RPCRT_INTERNAL, common_read_now(work));
    cr_expect_not_null(strstr(common_work_message(work), "UNAUTHENTICATED"));
    common_work_free(work);
}

/* -- the end of patience --------------------------------------------------- */

static void
open_impatient(void)
{
    ground_open(&ground, 100, 400);
}

TestSuite(impatient, .init = open_impatient, .fini = ground_end, .timeout = 60);

Test(impatient, an_outcome_that_stays_unknown_is_said_to_be)
{
    enum ground_fate fates[GROUND_FATES_MAX];
    struct common_work *work = begin();
    int64_t start_ms = common_monotonic_ms();
    size_t i;

    for (i = 0; i < GROUND_FATES_MAX; i++) {
        fates[i] = GROUND_HANG;
    }
    common_expect_nothing(work, "a");
    put_text(work, "a", "one");
    ground_fates(&ground, false, fates, GROUND_FATES_MAX);
    expect_work(work, RPCRT_UNAVAILABLE, common_commit(work));
    cr_expect_not_null(
        strstr(common_work_message(work), "it may have been done"));
    cr_expect_geq(common_monotonic_ms() - start_ms, 300);
    common_work_free(work);
    cr_expect_str_eq(read_text(&ground, "a"), "one");
}

Test(impatient, a_store_that_is_not_there_is_named)
{
    struct common_store_options options = {
        .address = "tcp://127.0.0.1:1", .try_ms = 100, .patience_ms = 200};
    struct common_store *store = NULL;
    struct common_error error = {.text = ""};
    struct common_record a;
    struct common_work *work;

    cr_assert_eq(common_store_open(&options, &error, &store), RPCRT_OK, "%s",
                 error.text);
    work = common_work_new(store, NULL, NULL);
    cr_assert_not_null(work);
    common_read(work, "a", text_type, &a);
    expect_work(work, RPCRT_UNAVAILABLE, common_read_now(work));
    cr_expect_not_null(strstr(common_work_message(work), "127.0.0.1:1"), "%s",
                       common_work_message(work));
    common_work_free(work);
    common_store_close(store);
}

/* -- the end of the program ------------------------------------------------ */

static void
open_patient(void)
{
    ground_open(&ground, 30000, 60000);
}

TestSuite(ending, .init = open_patient, .fini = ground_end, .timeout = 60);

static void *
commit_main(void *arg)
{
    struct common_work *work = arg;

    common_expect_nothing(work, "a");
    put_text(work, "a", "one");
    return common_commit(work) == RPCRT_CANCELLED ? work : NULL;
}

Test(ending, a_stopped_store_waits_for_nothing)
{
    enum ground_fate fates[] = {GROUND_HANG};
    struct common_work *work = begin();
    struct common_record a;
    void *ended = NULL;
    pthread_t thread;

    ground_fates(&ground, false, fates, 1);
    cr_assert_eq(pthread_create(&thread, NULL, commit_main, work), 0);
    ground_await(&ground, false);
    common_store_stop(ground.store);
    cr_assert_eq(pthread_join(thread, &ended), 0);
    cr_expect_eq(ended, work);
    common_work_free(work);
    work = begin();
    common_read(work, "a", text_type, &a);
    expect_work(work, RPCRT_CANCELLED, common_read_now(work));
    common_work_free(work);
}
