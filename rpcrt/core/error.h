/*
 * Why something failed: code and text, built where it failed and carried to
 * the caller.
 */
#ifndef RPCRT_CORE_ERROR_H
#define RPCRT_CORE_ERROR_H

#include <rpcrt/limits.h>
#include <rpcrt/status.h>
#include <stdarg.h>
#include <stddef.h>

struct rpcrt__error {
    enum rpcrt_code code;
    char text[RPCRT_TEXT_SIZE];
};

/* Set code and text; returns the code. A text that is too long is cut, at a
 * character. */
enum rpcrt_code rpcrt__error_set(struct rpcrt__error *error,
                                 enum rpcrt_code code, const char *format, ...)
    RPCRT_PRINTF(3, 4);

/* Copy to what rpcrt_last_error() of this thread shows; returns the code. */
enum rpcrt_code rpcrt__last_error_set(const struct rpcrt__error *error);

/* Write text that fits, cut at a UTF-8 character; returns its length. */
size_t rpcrt__text_format(char *text, size_t size, const char *format,
                          va_list args) RPCRT_PRINTF(3, 0);

#endif
