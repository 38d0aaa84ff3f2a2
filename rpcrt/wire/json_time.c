/*
 * Timestamps (RFC 3339) and durations as text, without the C library's
 * calendar: it depends on zones and locales.
 */
#include "wire/json_forms.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NANOS 1000000000
#define DAY 86400
/* From 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z. */
#define TIMESTAMP_MIN (-INT64_C(62135596800))
#define TIMESTAMP_MAX INT64_C(253402300799)
#define DURATION_MAX INT64_C(315576000000)

/* -- pieces ---------------------------------------------------------------- */

/* ".5" in as many digits as are needed: none, 3, 6 or 9. */
static void
print_fraction(int32_t nanos, char ret_text[16])
{
    ret_text[0] = '\0';
    if (nanos % 1000000 == 0 && nanos > 0) {
        (void)snprintf(ret_text, 16, ".%03" PRId32, nanos / 1000000);
    } else if (nanos % 1000 == 0 && nanos > 0) {
        (void)snprintf(ret_text, 16, ".%06" PRId32, nanos / 1000);
    } else if (nanos > 0) {
        (void)snprintf(ret_text, 16, ".%09" PRId32, nanos);
    }
}

/* Take n digits off the front. */
static bool
take_digits(struct rpcrt__json_slice *text, size_t n, int64_t *ret_value)
{
    int64_t value = 0;
    size_t i;

    if (text->size < n) {
        return false;
    }
    for (i = 0; i < n; i++) {
        char c = text->data[i];

        if (c < '0' || c > '9') {
            return false;
        }
        value = 10 * value + (c - '0');
    }
    text->data += n;
    text->size -= n;
    *ret_value = value;
    return true;
}

static bool
take(struct rpcrt__json_slice *text, char c)
{
    if (text->size == 0 || *text->data != c) {
        return false;
    }
    text->data++;
    text->size--;
    return true;
}

static size_t
count_digits(struct rpcrt__json_slice text)
{
    size_t n = 0;

    while (n < text.size && text.data[n] >= '0' && text.data[n] <= '9') {
        n++;
    }
    return n;
}

/* A point and 1 to 9 digits, or nothing. */
static bool
take_fraction(struct rpcrt__json_slice *text, int64_t *ret_nanos)
{
    size_t n;

    *ret_nanos = 0;
    if (!take(text, '.')) {
        return true;
    }
    n = count_digits(*text);
    if (n == 0 || n > 9 || !take_digits(text, n, ret_nanos)) {
        return false;
    }
    for (; n < 9; n++) {
        *ret_nanos *= 10;
    }
    return true;
}

/* -- days ------------------------------------------------------------------ */

/* Both count in eras of 400 years of 146097 days, which begin in March. */

static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t shifted = month <= 2 ? year - 1 : year;
    int64_t era = shifted / 400; /* years are never negative here */
    int64_t of_era = shifted - era * 400;
    int64_t of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
           719468;
}

static void
date_of(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
    int64_t since = days + 719468;
    int64_t era = since / 146097;
    int64_t of_era = since - era * 146097;
    int64_t year =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153; /* March is 0 */

    *ret_day = (int)(of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = (int)(year + era * 400 + (*ret_month <= 2 ? 1 : 0));
}

static int64_t
days_in(int64_t year, int64_t month)
{
    return month == 12 ? 31
                       : days_of(year, month + 1, 1) - days_of(year, month, 1);
}

/* -- timestamps ------------------------------------------------------------ */

bool
rpcrt__json_timestamp_print(int64_t seconds, int32_t nanos,
                            char ret_text[RPCRT__JSON_TIME_SIZE])
{
    int64_t since = seconds - TIMESTAMP_MIN;
    int of_day;
    char fraction[16];
    int year;
    int month;
    int day;

    if (seconds < TIMESTAMP_MIN || seconds > TIMESTAMP_MAX || nanos < 0 ||
        nanos >= NANOS) {
        return false;
    }
    of_day = (int)(since % DAY);
    date_of(since / DAY + TIMESTAMP_MIN / DAY, &year, &month, &day);
    print_fraction(nanos, fraction);
    (void)snprintf(ret_text, RPCRT__JSON_TIME_SIZE,
                   "%04d-%02d-%02dT%02d:%02d:%02d%sZ", year, month, day,
                   of_day / 3600, of_day / 60 % 60, of_day % 60, fraction);
    return true;
}

/* "Z", "+02:00" or "-08:30". */
static bool
take_zone(struct rpcrt__json_slice *text, int64_t *ret_seconds)
{
    int64_t sign = text->size > 0 && *text->data == '-' ? -1 : 1;
    int64_t hours = 0;
    int64_t minutes = 0;

    *ret_seconds = 0;
    if (take(text, 'Z')) {
        return true;
    }
    if (!(take(text, '+') || take(text, '-')) ||
        !take_digits(text, 2, &hours) || !take(text, ':') ||
        !take_digits(text, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool
rpcrt__json_timestamp_parse(struct rpcrt__json_slice text, int64_t *ret_seconds,
                            int32_t *ret_nanos)
{
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    int64_t hour = 0;
    int64_t minute = 0;
    int64_t second = 0;
    int64_t nanos = 0;
    int64_t zone = 0;
    int64_t sum;

    if (!take_digits(&text, 4, &year) || !take(&text, '-') ||
        !take_digits(&text, 2, &month) || !take(&text, '-') ||
        !take_digits(&text, 2, &day) || !take(&text, 'T') ||
        !take_digits(&text, 2, &hour) || !take(&text, ':') ||
        !take_digits(&text, 2, &minute) || !take(&text, ':') ||
        !take_digits(&text, 2, &second) || !take_fraction(&text, &nanos) ||
        !take_zone(&text, &zone) || text.size > 0) {
        return false;
    }
    if (year < 1 || month < 1 || month > 12 || day < 1 ||
        day > days_in(year, month) || hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    sum = days_of(year, month, day) * DAY + hour * 3600 + minute * 60 + second -
          zone;
    if (sum < TIMESTAMP_MIN || sum > TIMESTAMP_MAX) {
        return false;
    }
    *ret_seconds = sum;
    *ret_nanos = (int32_t)nanos;
    return true;
}

/* -- durations ------------------------------------------------------------- */

bool
rpcrt__json_duration_print(int64_t seconds, int32_t nanos,
                           char ret_text[RPCRT__JSON_TIME_SIZE])
{
    bool negative = seconds < 0 || nanos < 0;
    char fraction[16];

    if (seconds < -DURATION_MAX || seconds > DURATION_MAX || nanos <= -NANOS ||
        nanos >= NANOS || (negative && (seconds > 0 || nanos > 0))) {
        return false;
    }
    print_fraction(negative ? -nanos : nanos, fraction);
    (void)snprintf(ret_text, RPCRT__JSON_TIME_SIZE, "%s%" PRId64 "%ss",
                   negative ? "-" : "", negative ? -seconds : seconds,
                   fraction);
    return true;
}

bool
rpcrt__json_duration_parse(struct rpcrt__json_slice text, int64_t *ret_seconds,
                           int32_t *ret_nanos)
{
    bool negative = take(&text, '-');
    size_t n = count_digits(text);
    int64_t seconds = 0;
    int64_t nanos = 0;

    if (n == 0 || n > 12 || !take_digits(&text, n, &seconds) ||
        !take_fraction(&text, &nanos) || !take(&text, 's') || text.size > 0 ||
        seconds > DURATION_MAX) {
        return false;
    }
    *ret_seconds = negative ? -seconds : seconds;
    *ret_nanos = (int32_t)(negative ? -nanos : nanos);
    return true;
}
