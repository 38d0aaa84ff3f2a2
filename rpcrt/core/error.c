/*
 * Building the text of a failure in a fixed buffer, and the text that
 * rpcrt_last_error() shows to a thread. Nothing here allocates, so that
 * running out of memory can be reported too.
 */
#include "core/error.h"

#include "core/utf8.h"

#include <rpcrt/channel.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char last_error[RPCRT_TEXT_SIZE] = "no error";

size_t
rpcrt__text_format(char *text, size_t size, const char *format, va_list args)
{
    int n;
    size_t length;

    if (size == 0) {
        return 0;
    }
    n = vsnprintf(text, size, format, args);
    if (n < 0) {
        text[0] = '\0';
        return 0;
    }
    if ((size_t)n < size) {
        return (size_t)n;
    }
    length = rpcrt__utf8_cut(text, size - 1);
    text[length] = '\0';
    return length;
}

enum rpcrt_code
rpcrt__error_set(struct rpcrt__error *error, enum rpcrt_code code,
                 const char *format, ...)
{
    va_list args;

    error->code = code;
    va_start(args, format);
    (void)rpcrt__text_format(error->text, sizeof error->text, format, args);
    va_end(args);
    return code;
}

enum rpcrt_code
rpcrt__last_error_set(const struct rpcrt__error *error)
{
    memcpy(last_error, error->text, sizeof last_error);
    last_error[sizeof last_error - 1] = '\0';
    return error->code;
}

const char *
rpcrt_last_error(void)
{
    return last_error;
}
