/*
 * The rules of credits, exhaustively for 2 to 4 contexts: whatever the order of
 * arrivals and whatever users do, the connection comes to rest after a bounded
 * number of messages, and at rest nothing waits, the next call can leave, and
 * the server can speak first. A broken rule must be noticed.
 */
#include "sim/credits_model.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define ON_THE_WAY 255

/* Every world that was met. */
struct search {
    struct model_rules rules;
    struct packed *worlds;
    uint8_t *n_to_rest; /* messages until all is quiet, plus 1; 0: not known */
    uint32_t *places;   /* hash table of indexes into worlds, plus 1 */
    size_t n_worlds;
    size_t n_room;
    const char *fault; /* what was found; NULL: nothing */
    struct world at;   /* the one at hand */
};

static size_t
hash(const struct packed *packed)
{
    uint64_t value = UINT64_C(14695981039346656037);
    size_t i;

    for (i = 0; i < PACKED_SIZE; i++) {
        value = (value ^ packed->bytes[i]) * UINT64_C(1099511628211);
    }
    return (size_t)(value ^ value >> 29);
}

static void
search_init(struct search *search, const struct model_rules *rules)
{
    memset(search, 0, sizeof *search);
    search->rules = *rules;
    search->n_room = (size_t)1 << 21;
    search->worlds = calloc(search->n_room, sizeof search->worlds[0]);
    search->n_to_rest = calloc(search->n_room, 1);
    search->places = calloc(search->n_room * 2, sizeof search->places[0]);
    cr_assert_not_null(search->worlds);
    cr_assert_not_null(search->n_to_rest);
    cr_assert_not_null(search->places);
}

static void
search_fini(struct search *search)
{
    free(search->worlds);
    free(search->n_to_rest);
    free(search->places);
}

/* The index of a world, which is added if it is new. */
static size_t
search_add(struct search *search, const struct packed *packed)
{
    size_t mask = search->n_room * 2 - 1;
    size_t at = hash(packed) & mask;

    while (search->places[at] != 0) {
        size_t index = search->places[at] - 1;

        if (memcmp(&search->worlds[index], packed, sizeof *packed) == 0) {
            return index;
        }
        at = (at + 1) & mask;
    }
    cr_assert_lt(search->n_worlds, search->n_room);
    search->worlds[search->n_worlds] = *packed;
    search->places[at] = (uint32_t)(search->n_worlds + 1);
    return search->n_worlds++;
}

/* The world that an event leads to. */
static size_t
follow(struct search *search, size_t from, enum event_kind kind, unsigned which,
       unsigned *ret_n_sent)
{
    struct world *world = &search->at;
    struct packed packed;

    world_unpack(world, &search->rules, &search->worlds[from]);
    world_event(world, kind, which);
    if (world->fault == NULL && world_is_quiet(world)) {
        world->fault = world_quiet_fault(world);
    }
    if (world->fault != NULL) {
        search->fault = world->fault;
        return from;
    }
    *ret_n_sent = world->n_sent;
    world_pack(world, &packed);
    return search_add(search, &packed);
}

/* How many events of each kind a world has. */
static void
count_events(struct search *search, size_t index, unsigned *counts)
{
    int kind;

    world_unpack(&search->at, &search->rules, &search->worlds[index]);
    for (kind = 0; kind < N_EVENT_KINDS; kind++) {
        counts[kind] = world_event_count(&search->at, (enum event_kind)kind);
    }
}

/* Meet every world there is. */
static void
search_all(struct search *search)
{
    unsigned counts[N_EVENT_KINDS];
    struct packed packed;
    size_t i;

    world_init(&search->at, &search->rules);
    world_pack(&search->at, &packed);
    (void)search_add(search, &packed);
    for (i = 0; i < search->n_worlds; i++) {
        int kind;

        count_events(search, i, counts);
        for (kind = 0; kind < N_EVENT_KINDS; kind++) {
            unsigned which;

            for (which = 0; which < counts[kind] && search->fault == NULL;
                 which++) {
                unsigned n_sent;

                (void)follow(search, i, (enum event_kind)kind, which, &n_sent);
            }
        }
        if (search->fault != NULL) {
            return;
        }
    }
}

/* How many messages are sent at the most until all is quiet, if users do
 * nothing. */
static unsigned
messages_to_rest(struct search *search, size_t from)
{
    unsigned counts[N_EVENT_KINDS];
    unsigned longest = 0;
    int kind;

    if (search->n_to_rest[from] == ON_THE_WAY) {
        search->fault = "it never comes to rest";
    }
    if (search->fault != NULL || search->n_to_rest[from] != 0) {
        return search->n_to_rest[from] - 1u;
    }
    search->n_to_rest[from] = ON_THE_WAY;
    count_events(search, from, counts);
    for (kind = 0; kind < EVENT_FIRST_OF_USERS; kind++) {
        unsigned which;

        for (which = 0; which < counts[kind] && search->fault == NULL;
             which++) {
            unsigned n_sent = 0;
            size_t to =
                follow(search, from, (enum event_kind)kind, which, &n_sent);

            n_sent += messages_to_rest(search, to);
            longest = n_sent > longest ? n_sent : longest;
        }
    }
    search->n_to_rest[from] = (uint8_t)(longest + 1);
    return longest;
}

/* Returns what is wrong with the rules, or NULL. */
static const char *
check(const struct model_rules *rules, unsigned messages_max)
{
    struct search search;
    const char *fault;
    unsigned longest = 0;
    size_t i;

    search_init(&search, rules);
    search_all(&search);
    for (i = 0; i < search.n_worlds && search.fault == NULL; i++) {
        unsigned n = messages_to_rest(&search, i);

        longest = n > longest ? n : longest;
    }
    if (getenv("SIM_VERBOSE") != NULL) {
        cr_log_warn("K %u, %u calls: %zu worlds, at most %u messages to rest",
                    rules->contexts, rules->n_calls, search.n_worlds, longest);
    }
    if (search.fault == NULL && longest > messages_max) {
        search.fault = "it comes to rest too late";
    }
    fault = search.fault;
    search_fini(&search);
    return fault;
}

static void
expect_sound(struct model_rules rules, unsigned messages_max)
{
    const char *fault = check(&rules, messages_max);

    cr_assert_null(fault, "K %u: %s", rules.contexts, fault);
}

Test(credits, two_contexts, .timeout = 120)
{
    struct model_rules rules = {.contexts = 2, .n_calls = 4};

    expect_sound(rules, 5);
    rules.one_frame_a_message = true;
    expect_sound(rules, 11);
}

Test(credits, three_contexts, .timeout = 120)
{
    struct model_rules rules = {.contexts = 3, .n_calls = 4};

    expect_sound(rules, 6);
    rules.one_frame_a_message = true;
    expect_sound(rules, 12);
}

Test(credits, four_contexts, .timeout = 300)
{
    struct model_rules rules = {.contexts = 4, .n_calls = 5, .from_zero = true};

    expect_sound(rules, 7);
    rules.n_calls = 3;
    rules.one_frame_a_message = true;
    expect_sound(rules, 13);
}

static void
expect_noticed(enum model_fault fault, const char *text)
{
    unsigned contexts;

    for (contexts = 2; contexts <= CONTEXTS_MAX; contexts++) {
        struct model_rules rules = {
            .contexts = contexts, .n_calls = contexts, .fault = fault};

        cr_assert_str_eq(check(&rules, UINT_MAX), text, "K %u", contexts);
        rules.one_frame_a_message = true;
        cr_assert_str_eq(check(&rules, UINT_MAX), text, "K %u", contexts);
    }
}

Test(credits, a_server_that_keeps_all_is_noticed, .timeout = 120)
{
    expect_noticed(FAULT_HOLD_ALL, "the next call would have to wait");
}

Test(credits, a_slot_freed_ahead_of_turn_is_noticed, .timeout = 120)
{
    expect_noticed(FAULT_FREE_EARLY, "a sender is ahead of the reorder buffer");
}

Test(credits, a_client_without_standing_credit_is_noticed, .timeout = 120)
{
    expect_noticed(FAULT_NO_STANDING, "something cannot leave the server");
}
