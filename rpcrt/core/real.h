/*
 * Real numbers as text and back, the same whatever decimal point the program's
 * locale has.
 */
#ifndef RPCRT_CORE_REAL_H
#define RPCRT_CORE_REAL_H

#include <stdbool.h>
#include <stddef.h>

#define RPCRT__REAL_SIZE 64u
/* Bytes of a text that is read. */
#define RPCRT__REAL_TEXT_MAX 1023u

/* Write the shortest decimal form that reads back as the same number; "inf",
 * "-inf" and "nan" for the others. Returns its length. */
size_t rpcrt__real_print(char ret_text[RPCRT__REAL_SIZE], double value,
                         bool is_float);

/* Read a number of digits with at most a '.' and an exponent, which the caller
 * has checked. False if it is beyond the type, or longer than the limit. */
bool rpcrt__real_parse(const char *text, size_t size, bool is_float,
                       double *ret_value);

#endif
