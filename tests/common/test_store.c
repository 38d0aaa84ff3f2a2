/*
 * The store while nothing goes wrong: records are read as they were written,
 * together, page by page, and changed only if they are as expected.
 */
#include "tests/common/store_ground.h"

#include "common/ids.h"
#include <stdio.h>
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
    ground_open(&ground, 5000, 0);
}

static void
ground_end(void)
{
    ground_close(&ground);
}

/* Servers have threads: they start in the process of the test. */
TestSuite(store, .init = ground_begin, .fini = ground_end, .timeout = 60);

Test(store, reads_what_was_written)
{
    struct common_work *work = begin();
    struct common_record a;
    struct common_record b;
    struct common_record none;

    common_expect_nothing(work, "a");
    put_text(work, "a", "one");
    put_text(work, "b", "two");
    expect_work(work, RPCRT_OK, common_commit(work));
    common_read(work, "a", text_type, &a);
    common_read(work, "b", text_type, &b);
    common_read(work, "c", text_type, &none);
    expect_work(work, RPCRT_OK, common_read_now(work));
    cr_expect_str_eq(text_of(&a), "one");
    cr_expect_str_eq(text_of(&b), "two");
    cr_expect_null(none.message);
    cr_expect_eq(none.revision, 0);
    cr_expect_eq(a.revision, common_work_revision(work));
    cr_expect_eq(b.revision, common_work_revision(work));
    common_work_free(work);
}

Test(store, shows_no_mark_to_a_reader)
{
    struct common_work *work = begin();
    struct common_record record;

    make_text(&ground, "a", "one");
    common_read(work, "a", text_type, &record);
    expect_work(work, RPCRT_OK, common_read_now(work));
    cr_expect_eq(record.message->n_unknown_fields, 0);
    common_work_free(work);
}

Test(store, keeps_a_key_without_a_value)
{
    struct common_work *work = begin();
    struct common_record record;

    common_expect_nothing(work, "index/a");
    common_put(work, "index/a", NULL);
    expect_work(work, RPCRT_OK, common_commit(work));
    common_read(work, "index/a", text_type, &record);
    expect_work(work, RPCRT_OK, common_read_now(work));
    cr_expect_neq(record.revision, 0);
    cr_expect_str_eq(text_of(&record), "");
    common_work_free(work);
}

Test(store, reads_several_records_in_one_round_trip)
{
    struct common_work *work = begin();
    struct common_record records[100];
    struct common_store_stats stats;
    char key[32];
    size_t i;

    for (i = 0; i < 100; i++) {
        (void)snprintf(key, sizeof(key), "key/%zu", i);
        common_read(work, key, text_type, &records[i]);
    }
    expect_work(work, RPCRT_OK, common_read_now(work));
    common_store_get_stats(ground.store, &stats);
    cr_expect_eq(stats.requests, 1);
    cr_expect_eq(stats.changes, 0);
    cr_expect_str_eq(records[7].key, "key/7");
    common_work_free(work);
}

Test(store, does_nothing_when_a_record_has_changed)
{
    struct common_work *work = begin();
    struct common_record a;

    make_text(&ground, "a", "one");
    common_read(work, "a", text_type, &a);
    expect_work(work, RPCRT_OK, common_read_now(work));
    ground_write(&ground, "a", "other");
    common_expect(work, &a);
    put_text(work, "a", "two");
    put_text(work, "b", "two");
    expect_work(work, RPCRT_ABORTED, common_commit(work));
    cr_expect_eq(read_revision(&ground, "b"), 0);
    common_work_free(work);
}

Test(store, goes_on_after_it_was_aborted)
{
    struct common_work *work = begin();
    struct common_record a;

    make_text(&ground, "a", "one");
    common_expect_nothing(work, "a");
    put_text(work, "a", "two");
    expect_work(work, RPCRT_ABORTED, common_commit(work));
    common_read(work, "a", text_type, &a);
    expect_work(work, RPCRT_OK, common_read_now(work));
    cr_expect_eq(common_work_code(work), RPCRT_OK);
    common_expect(work, &a);
    put_text(work, "a", "two");
    expect_work(work, RPCRT_OK, common_commit(work));
    cr_expect_str_eq(read_text(&ground, "a"), "two");
    common_work_free(work);
}

Test(store, deletes_what_is_as_expected)
{
    struct common_work *work = begin();
    struct common_record a;

    make_text(&ground, "a", "one");
    common_read(work, "a", text_type, &a);
    expect_work(work, RPCRT_OK, common_read_now(work));
    common_expect(work, &a);
    common_delete(work, "a");
    expect_work(work, RPCRT_OK, common_commit(work));
    cr_expect_eq(read_revision(&ground, "a"), 0);
    common_work_free(work);
}

Test(store, refuses_a_change_that_could_take_effect_twice)
{
    struct common_work *work = begin();

    make_text(&ground, "a", "one");
    common_expect_nothing(work, "b");
    put_text(work, "a", "two");
    expect_work(work, RPCRT_INTERNAL, common_commit(work));
    cr_expect_str_eq(read_text(&ground, "a"), "one");
    common_work_free(work);
}

Test(store, gives_its_failure_to_all_that_follows)
{
    struct common_work *work = begin();
    struct common_record a;

    common_read(work, NULL, text_type, &a);
    cr_expect_null(a.message);
    common_expect_nothing(work, "b");
    put_text(work, "b", "one");
    expect_work(work, RPCRT_INTERNAL, common_commit(work));
    expect_work(work, RPCRT_INTERNAL, common_read_now(work));
    cr_expect_eq(read_revision(&ground, "b"), 0);
    common_work_free(work);
}

Test(store, names_a_record_that_is_broken)
{
    static const char *const broken[] = {
        "",                          /* no mark */
        "\x0a\x03onesomething else", /* no mark */
        "\x0a\x7f\xc1\xa9\x07somebody" /* no message */};
    size_t i;

    for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct common_work *work = begin();
        struct common_record record;

        ground_write(&ground, "pet/1", broken[i]);
        common_read(work, "pet/1", text_type, &record);
        expect_work(work, RPCRT_DATA_LOSS, common_read_now(work));
        cr_expect_not_null(strstr(common_work_message(work), "pet/1"));
        common_work_free(work);
    }
}

Test(store, names_a_token_file_that_is_missing)
{
    struct common_store_options options = {.address = "inproc://nobody",
                                           .token_file = "/nowhere/token"};
    struct common_store *store = NULL;
    struct common_error error;

    cr_expect_eq(common_store_open(&options, &error, &store),
                 RPCRT_FAILED_PRECONDITION);
    cr_expect_not_null(strstr(error.text, "/nowhere/token"));
    options = (struct common_store_options){.address = "nonsense"};
    cr_expect_eq(common_store_open(&options, &error, &store),
                 RPCRT_INVALID_ARGUMENT);
    cr_expect_not_null(strstr(error.text, "nonsense"));
}

Test(store, sends_the_call_id_it_was_given)
{
    struct common_work *work =
        common_work_new(ground.store, NULL, "purchase-7");

    cr_assert_not_null(work);
    common_expect_nothing(work, "a");
    put_text(work, "a", "one");
    expect_work(work, RPCRT_OK, common_commit(work));
    cr_expect_str_eq(ground_call_id(&ground), "purchase-7");
    common_work_free(work);
    cr_expect_eq(read_revision(&ground, "b"), 0);
    cr_expect_str_neq(ground_call_id(&ground), "purchase-7");
}

/* -- pages ----------------------------------------------------------------- */

/* The keys of a page, without "pet/". */
static const char *
page_text(const struct common_page *page)
{
    static char text[256];
    size_t i;

    text[0] = '\0';
    for (i = 0; i < page->n_records; i++) {
        cr_assert_eq(strncmp(page->records[i].key, "pet/", 4), 0);
        (void)strcat(text, page->records[i].key + 4);
    }
    return page->more ? strcat(text, "+") : text;
}

static void
write_pets(void)
{
    struct common_work *work = begin();

    common_expect_nothing(work, "pet/a");
    put_text(work, "pet/a", "1");
    put_text(work, "pet/b", "2");
    put_text(work, "pet/c", "3");
    put_text(work, "pet/d", "4");
    put_text(work, "peu", "5");
    expect_work(work, RPCRT_OK, common_commit(work));
    common_work_free(work);
}

Test(store, reads_page_by_page_in_both_directions)
{
    struct common_work *work = begin();
    struct common_span span = {.first = "pet/", .limit = 3};
    struct common_page page;

    write_pets();
    expect_work(work, RPCRT_OK, common_scan(work, &span, text_type, &page));
    cr_expect_str_eq(page_text(&page), "abc+");
    cr_expect_str_eq(text_of(&page.records[1]), "2");
    span.after = page.records[2].key;
    expect_work(work, RPCRT_OK, common_scan(work, &span, text_type, &page));
    cr_expect_str_eq(page_text(&page), "d");
    span.after = NULL;
    span.reverse = true;
    expect_work(work, RPCRT_OK, common_scan(work, &span, text_type, &page));
    cr_expect_str_eq(page_text(&page), "dcb+");
    span.after = page.records[2].key;
    expect_work(work, RPCRT_OK, common_scan(work, &span, text_type, &page));
    cr_expect_str_eq(page_text(&page), "a");
    span = (struct common_span){
        .first = "pet/b", .end = "pet/d", .limit = 9, .keys_only = true};
    expect_work(work, RPCRT_OK, common_scan(work, &span, NULL, &page));
    cr_expect_str_eq(page_text(&page), "bc");
    cr_expect_null(page.records[0].message);
    common_work_free(work);
}

Test(store, reads_the_pages_of_one_revision)
{
    struct common_work *work = begin();
    struct common_span span = {.first = "pet/", .limit = 2};
    struct common_page page;

    write_pets();
    expect_work(work, RPCRT_OK, common_scan(work, &span, text_type, &page));
    span.revision = page.revision;
    span.after = page.records[1].key;
    ground_write(&ground, "pet/c", "nonsense");
    expect_work(work, RPCRT_OK, common_scan(work, &span, text_type, &page));
    cr_expect_str_eq(page_text(&page), "cd");
    cr_expect_str_eq(text_of(&page.records[0]), "3");
    cr_expect_eq(page.revision, span.revision);
    common_work_free(work);
}

Test(store, says_when_a_revision_is_gone)
{
    struct common_work *work = begin();
    struct common_span span = {.first = "pet/", .limit = 2, .revision = 1};
    struct common_page page;
    int i;

    for (i = 0; i < 9; i++) {
        ground_write(&ground, "other", "x");
    }
    expect_work(work, RPCRT_OUT_OF_RANGE,
                common_scan(work, &span, text_type, &page));
    common_work_free(work);
}

/* -- other stores ---------------------------------------------------------- */

Test(store, notices_that_it_was_replaced)
{
    struct common_work *work = begin();
    struct common_record a;

    make_text(&ground, "a", "one");
    common_read(work, "a", text_type, &a);
    expect_work(work, RPCRT_OK, common_read_now(work));
    cr_expect(common_id_ok(common_work_store_id(work)));
    ground_replace(&ground);
    common_expect(work, &a);
    put_text(work, "a", "two");
    expect_work(work, RPCRT_UNAVAILABLE, common_commit(work));
    cr_expect_not_null(strstr(common_work_message(work), "replaced"));
    common_work_free(work);
    cr_expect_eq(read_revision(&ground, "a"), 0);
}

Test(store, refuses_another_store_than_expected)
{
    struct common_work *work = begin();
    struct common_span span = {.first = "pet/", .limit = 2};
    struct common_page page;
    char id[COMMON_ID_SIZE];

    common_id_make(id);
    cr_expect_str_eq(common_work_store_id(work), "");
    common_work_expect_store(work, id);
    expect_work(work, RPCRT_OUT_OF_RANGE,
                common_scan(work, &span, text_type, &page));
    common_work_free(work);
}
