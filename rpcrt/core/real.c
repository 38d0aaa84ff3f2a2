/*
 * The C library converts; its decimal point is asked for by printing one, as
 * localeconv() is not safe beside other threads.
 */
#include "core/real.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands between the digits of 1.5 in this locale. */
static size_t
point(char ret_point[16])
{
    char text[16];
    size_t size;

    (void)snprintf(text, sizeof text, "%.1f", 1.5);
    size = strlen(text);
    size = size > 2 ? size - 2 : 0;
    memcpy(ret_point, text + 1, size);
    ret_point[size] = '\0';
    return size;
}

size_t
rpcrt__real_print(char ret_text[RPCRT__REAL_SIZE], double value, bool is_float)
{
    double smallest = is_float ? (double)FLT_MIN : DBL_MIN;
    int digits_max = is_float ? 9 : 17;
    /* Below the normal numbers fewer digits may do. */
    int digits = fabs(value) < smallest ? 1 : is_float ? 6 : 15;
    char mark[16];
    size_t size = point(mark);
    char *at;

    for (; digits <= digits_max; digits++) {
        double back;

        (void)snprintf(ret_text, RPCRT__REAL_SIZE, "%.*g", digits, value);
        back = strtod(ret_text, NULL);
        if (is_float ? (float)back == (float)value : back == value) {
            break;
        }
    }
    at = size > 0 ? strstr(ret_text, mark) : NULL;
    if (at != NULL) {
        *at = '.';
        memmove(at + 1, at + size, strlen(at + size) + 1);
    }
    return strlen(ret_text);
}

bool
rpcrt__real_parse(const char *text, size_t size, bool is_float,
                  double *ret_value)
{
    char copy[RPCRT__REAL_TEXT_MAX + 16];
    const char *dot;
    double value;

    if (size > RPCRT__REAL_TEXT_MAX) {
        return false;
    }
    dot = memchr(text, '.', size);
    if (dot == NULL) {
        memcpy(copy, text, size);
        copy[size] = '\0';
    } else {
        size_t before = (size_t)(dot - text);
        char *at = copy + before;

        memcpy(copy, text, before);
        at += point(at);
        memcpy(at, dot + 1, size - before - 1);
        at[size - before - 1] = '\0';
    }
    value = is_float ? (double)strtof(copy, NULL) : strtod(copy, NULL);
    if (isinf(value)) {
        return false;
    }
    *ret_value = value;
    return true;
}
