/*
 * Faults by name, and the dice: see faults.h.
 */
#include "support/proxy/faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORD_SIZE 64u
#define HOUR_MS UINT64_C(3600000)
/* What dice are thrown for besides the callers' own. */
#define WHAT_FATE UINT64_MAX

/* -- by name --------------------------------------------------------------- */

#define NAMED(text, member, most, words)                                       \
    {                                                                          \
        .name = (text), .help = (words),                                       \
        .offset = offsetof(struct proxy_faults, member), .max = (most)         \
    }

const struct proxy_fault_name proxy_fault_names[] = {
    NAMED("latency-ms", latency_ms, HOUR_MS, "hold everything so long"),
    NAMED("jitter-ms", jitter_ms, HOUR_MS, "and up to so much longer"),
    NAMED("bytes-per-s", bytes_per_s, UINT64_C(1) << 40, "bandwidth"),
    NAMED("blackhole", blackhole, 1, "1: keep everything, until it is 0"),
    NAMED("slice-bytes", slice_bytes, UINT64_C(1) << 30,
          "write at most so many bytes at once"),
    NAMED("drop", drop, PROXY_OF, "of 1000 messages, lose so many"),
    NAMED("duplicate", duplicate, PROXY_OF, "send twice"),
    NAMED("reorder", reorder, PROXY_OF, "send after the next one"),
    NAMED("corrupt", corrupt, PROXY_OF, "flip a bit in"),
    NAMED("corrupt-within", corrupt_within, UINT64_C(1) << 30,
          "in the first so many bytes of it (0: anywhere)"),
    NAMED("spare-messages", spare_messages, UINT64_MAX,
          "leave the first of each connection alone"),
    NAMED("harm-max", harm_max, UINT64_MAX,
          "and all after so many were hit (0: none)"),
    NAMED("close-after-bytes", close_after_bytes, UINT64_MAX,
          "end each connection after"),
    NAMED("close-after-messages", close_after_messages, UINT64_MAX,
          "end each connection after"),
    NAMED("close-by-reset", close_by_reset, 1, "1: by RST, both ways"),
    {.name = NULL},
};

uint64_t *
proxy_faults_at(struct proxy_faults *faults,
                const struct proxy_fault_name *name)
{
    return (uint64_t *)(void *)((char *)faults + name->offset);
}

static const struct proxy_fault_name *
name_find(const char *text, size_t size)
{
    const struct proxy_fault_name *name;

    for (name = proxy_fault_names; name->name != NULL; name++) {
        if (strlen(name->name) == size && memcmp(name->name, text, size) == 0) {
            return name;
        }
    }
    return NULL;
}

/* Digits and nothing else. */
static bool
number_read(const char *text, uint64_t *ret_number)
{
    char *end = NULL;
    unsigned long long number;

    if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text)) {
        return false;
    }
    errno = 0;
    number = strtoull(text, &end, 10);
    if (errno != 0) {
        return false;
    }
    *ret_number = number;
    return true;
}

static enum rpcrt_code
word_read(struct proxy_faults *faults, const char *word,
          struct common_error *ret_error)
{
    const char *equals = strchr(word, '=');
    const struct proxy_fault_name *name =
        equals == NULL ? NULL : name_find(word, (size_t)(equals - word));
    uint64_t number;

    if (name == NULL) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "'%s' is no fault; see --help", word);
    }
    if (!number_read(equals + 1, &number) || number > name->max) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "'%s': expected a number up to %llu", word,
                                (unsigned long long)name->max);
    }
    *proxy_faults_at(faults, name) = number;
    return RPCRT_OK;
}

enum rpcrt_code
proxy_faults_read(struct proxy_faults *faults, const char *text,
                  struct common_error *ret_error)
{
    char word[WORD_SIZE];

    while (*text != '\0') {
        size_t size = strcspn(text, ",");
        enum rpcrt_code code;

        if (size >= sizeof(word)) {
            return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                    "'%.20s...' is no fault; see --help", text);
        }
        memcpy(word, text, size);
        word[size] = '\0';
        code = word_read(faults, word, ret_error);
        if (code != RPCRT_OK) {
            return code;
        }
        text += size;
        text += *text == ',';
    }
    return RPCRT_OK;
}

enum rpcrt_code
proxy_faults_check(const struct proxy_faults *faults,
                   struct common_error *ret_error)
{
    const struct proxy_fault_name *name;
    struct proxy_faults copy = *faults;

    for (name = proxy_fault_names; name->name != NULL; name++) {
        if (*proxy_faults_at(&copy, name) > name->max) {
            return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                    "%s: at most %llu", name->name,
                                    (unsigned long long)name->max);
        }
    }
    if (faults->drop + faults->duplicate + faults->reorder + faults->corrupt >
        PROXY_OF) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "drop, duplicate, reorder and corrupt: "
                                "together at most %u of %u messages",
                                PROXY_OF, PROXY_OF);
    }
    return RPCRT_OK;
}

/* -- fate ------------------------------------------------------------------ */

/* A mixer of 64 bits (SplitMix64's): neighbours get unrelated numbers. */
static uint64_t
mix(uint64_t value)
{
    value += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

uint64_t
proxy_dice(const struct proxy_place *place, uint64_t what, uint64_t below)
{
    uint64_t value = mix(place->seed);

    value = mix(value ^ place->connection);
    value = mix(value ^ (uint64_t)place->way);
    value = mix(value ^ place->message);
    return mix(value ^ what) % below;
}

enum proxy_fate
proxy_fate_of(const struct proxy_faults *faults,
              const struct proxy_place *place)
{
    const uint64_t shares[] = {faults->drop, faults->duplicate, faults->reorder,
                               faults->corrupt};
    uint64_t dice = proxy_dice(place, WHAT_FATE, PROXY_OF);
    size_t i;

    if (place->message < faults->spare_messages) {
        return PROXY_PASS;
    }
    for (i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        if (dice < shares[i]) {
            return (enum proxy_fate)(PROXY_DROP + i);
        }
        dice -= shares[i];
    }
    return PROXY_PASS;
}
