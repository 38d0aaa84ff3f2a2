/*
 * Why something failed: code and text, built where it failed and carried to
 * the caller. For the modules of a service that know nothing of calls.
 */
#ifndef SERVICES_COMMON_ERROR_H
#define SERVICES_COMMON_ERROR_H

#include <rpcrt/status.h>
#include <stddef.h>

#define COMMON_ERROR_SIZE 256u

struct common_error {
    enum rpcrt_code code;
    char text[COMMON_ERROR_SIZE];
};

/* Set code and text; returns the code. What is too long is cut. */
enum rpcrt_code common_error_set(struct common_error *error,
                                 enum rpcrt_code code, const char *format, ...)
    RPCRT_PRINTF(3, 4);

/* RESOURCE_EXHAUSTED: no memory. */
enum rpcrt_code common_error_no_memory(struct common_error *error);

/* As common_error_set(), with ": " and the words for an errno behind it. */
enum rpcrt_code common_error_errno(struct common_error *error,
                                   enum rpcrt_code code, int number,
                                   const char *format, ...) RPCRT_PRINTF(4, 5);

#endif
