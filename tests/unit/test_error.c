/*
 * Texts of failures: cut where they fit, at a character, and kept per thread.
 */
#include "core/error.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <rpcrt/channel.h>
#include <string.h>

static size_t write_text(char *text, size_t size, const char *format, ...)
    RPCRT_PRINTF(3, 4);

static size_t
write_text(char *text, size_t size, const char *format, ...)
{
    va_list args;
    size_t length;

    va_start(args, format);
    length = rpcrt__text_format(text, size, format, args);
    va_end(args);
    return length;
}

Test(error, set_builds_text_and_returns_the_code)
{
    struct rpcrt__error error;

    cr_assert_eq(rpcrt__error_set(&error, RPCRT_NOT_FOUND, "no key '%s'", "x"),
                 RPCRT_NOT_FOUND);
    cr_assert_eq(error.code, RPCRT_NOT_FOUND);
    cr_assert_str_eq(error.text, "no key 'x'");
}

Test(error, long_text_is_cut)
{
    struct rpcrt__error error;
    char text[2000];

    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    (void)rpcrt__error_set(&error, RPCRT_INTERNAL, "%s", text);
    cr_assert_eq(strlen(error.text), RPCRT_TEXT_SIZE - 1);
}

Test(error, text_is_cut_at_a_character)
{
    static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z";
    /* The length that is left for each size of the buffer. */
    static const size_t lengths[] = {0, 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
    char buffer[20];
    size_t size;

    for (size = 1; size < sizeof lengths / sizeof lengths[0]; size++) {
        memset(buffer, '#', sizeof buffer);
        cr_assert_eq(write_text(buffer, size, "%s", text), lengths[size],
                     "size %zu", size);
        cr_assert_eq(strlen(buffer), lengths[size]);
        cr_assert_eq(buffer[size], '#', "size %zu", size);
    }
}

Test(error, bytes_that_are_no_text_are_cut_anywhere)
{
    char buffer[5];

    cr_assert_eq(
        write_text(buffer, sizeof buffer, "%s", "\x80\x80\x80\x80\x80\x80\x80"),
        4);
}

Test(error, nothing_is_written_to_no_buffer)
{
    char byte = '#';

    cr_assert_eq(write_text(&byte, 0, "text"), 0);
    cr_assert_eq(byte, '#');
}

static void *
look(void *arg)
{
    (void)arg;
    cr_assert_str_eq(rpcrt_last_error(), "no error");
    return NULL;
}

Test(error, last_error_is_the_threads_own)
{
    struct rpcrt__error error;
    pthread_t thread;

    cr_assert_str_eq(rpcrt_last_error(), "no error");
    (void)rpcrt__error_set(&error, RPCRT_ABORTED, "first");
    cr_assert_eq(rpcrt__last_error_set(&error), RPCRT_ABORTED);
    (void)rpcrt__error_set(&error, RPCRT_ABORTED, "changed");
    cr_assert_str_eq(rpcrt_last_error(), "first");
    cr_assert_eq(pthread_create(&thread, NULL, look, NULL), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_str_eq(rpcrt_last_error(), "first");
}
