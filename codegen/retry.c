/*
 * Read and judged field by field: the plugin has no generated code for its own
 * options.
 */
#include "retry.h"

#include <math.h>
#include <string.h>

/* Numbers of the fields. */
enum {
    MAX_ATTEMPTS = 1,
    INITIAL_BACKOFF_MS = 2,
    MAX_BACKOFF_MS = 3,
    BACKOFF_MULTIPLIER = 4,
    CODES = 5,
    HEDGING_DELAY_MS = 6
};

/* The limits of gRPC's service config. */
#define ATTEMPTS_MIN 2
#define ATTEMPTS_MAX 5

static uint32_t
number_of(struct bytes message, uint32_t field)
{
    uint64_t number = 0;

    return wire_number(message, field, &number) ? (uint32_t)number : 0;
}

struct retry *
retry_read(struct pool *pool, struct bytes message)
{
    struct retry *retry = pool_alloc(pool, sizeof *retry);
    struct bytes rest = message;
    struct bytes code;

    retry->attempts_max = number_of(message, MAX_ATTEMPTS);
    retry->backoff_ms_min = number_of(message, INITIAL_BACKOFF_MS);
    retry->backoff_ms_max = number_of(message, MAX_BACKOFF_MS);
    retry->hedging_ms = number_of(message, HEDGING_DELAY_MS);
    if (!wire_double(message, BACKOFF_MULTIPLIER, &retry->backoff_factor)) {
        retry->backoff_factor = 0;
    }
    /* a code takes two bytes at least */
    retry->codes = pool_array(pool, message.size / 2, sizeof *retry->codes);
    while (wire_next_bytes(&rest, CODES, &code)) {
        retry->codes[retry->n_codes++] =
            pool_copy(pool, (const char *)code.data, code.size);
    }
    return retry;
}

/* Whether a call can fail with the code: those of rpcrt/status.h but OK. */
static bool
is_failure(const char *name)
{
    static const char *const names[] = {
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    };
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool
is_repeated(const struct retry *retry, size_t index)
{
    size_t i;

    for (i = 0; i < index; i++) {
        if (strcmp(retry->codes[i], retry->codes[index]) == 0) {
            return true;
        }
    }
    return false;
}

static void
check_backoff(const struct retry *retry, const struct element *element,
              struct problems *problems)
{
    if (retry->backoff_ms_min > 0 && retry->backoff_ms_max > 0 &&
        retry->backoff_ms_min > retry->backoff_ms_max) {
        problems_add(problems, element,
                     "retry: initial_backoff_ms is above max_backoff_ms");
    }
    if (retry->backoff_factor != 0 &&
        (!isfinite(retry->backoff_factor) || retry->backoff_factor < 1)) {
        problems_add(problems, element,
                     "retry: backoff_multiplier must be 1 or more");
    }
    if (retry->hedging_ms > 0 &&
        (retry->backoff_ms_min > 0 || retry->backoff_ms_max > 0 ||
         retry->backoff_factor != 0)) {
        problems_add(problems, element,
                     "retry: hedging_delay_ms stands in place of a backoff");
    }
}

void
retry_check(const struct retry *retry, const struct element *element,
            struct problems *problems)
{
    size_t i;

    if (retry->attempts_max != 0 && (retry->attempts_max < ATTEMPTS_MIN ||
                                     retry->attempts_max > ATTEMPTS_MAX)) {
        problems_add(problems, element,
                     "retry: max_attempts must be %d to %d, not %u",
                     ATTEMPTS_MIN, ATTEMPTS_MAX, (unsigned)retry->attempts_max);
    }
    check_backoff(retry, element, problems);
    for (i = 0; i < retry->n_codes; i++) {
        if (!is_failure(retry->codes[i])) {
            problems_add(problems, element,
                         "retry: '%s' is not the name of a failure",
                         retry->codes[i]);
        } else if (is_repeated(retry, i)) {
            problems_add(problems, element, "retry: code %s stands there twice",
                         retry->codes[i]);
        }
    }
}
