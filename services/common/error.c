/*
 * Texts of failures: formatting into the fixed buffer of an error.
 */
#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum rpcrt_code
common_error_set(struct common_error *error, enum rpcrt_code code,
                 const char *format, ...)
{
    va_list args;

    error->code = code;
    va_start(args, format);
    if (vsnprintf(error->text, sizeof(error->text), format, args) < 0) {
        error->text[0] = '\0';
    }
    va_end(args);
    return code;
}

enum rpcrt_code
common_error_no_memory(struct common_error *error)
{
    return common_error_set(error, RPCRT_RESOURCE_EXHAUSTED, "out of memory");
}

enum rpcrt_code
common_error_errno(struct common_error *error, enum rpcrt_code code, int number,
                   const char *format, ...)
{
    char reason[128];
    va_list args;
    size_t length;

    if (strerror_r(number, reason, sizeof(reason)) != 0) {
        (void)snprintf(reason, sizeof(reason), "error %d", number);
    }
    error->code = code;
    va_start(args, format);
    if (vsnprintf(error->text, sizeof(error->text), format, args) < 0) {
        error->text[0] = '\0';
    }
    va_end(args);
    length = strlen(error->text);
    (void)snprintf(error->text + length, sizeof(error->text) - length, ": %s",
                   reason);
    return code;
}
