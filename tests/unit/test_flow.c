/*
 * One direction of a stream: what a sender may write, what a receiver takes
 * and refuses, and that the two never disagree about the window.
 */
#include "wire/flow.h"

#include "core/alloc.h"
#include <criterion/criterion.h>
#include <string.h>

#define WINDOW 1000u
#define QUEUE 4096u
#define CALL UINT64_C(7)

static struct rpcrt__outflow out;
static struct rpcrt__inflow in;
static struct rpcrt__error error;
static uint8_t wire[RPCRT_TRANSPORT_MESSAGE_MAX];

static void
begin(void)
{
    rpcrt__outflow_init(&out, WINDOW, QUEUE);
    rpcrt__inflow_init(&in, WINDOW);
}

static void
end(void)
{
    rpcrt__outflow_fini(&out);
    rpcrt__inflow_fini(&in);
}

static void
add(uint32_t size, int value)
{
    struct rpcrt__piece *piece = rpcrt__piece_new(size);

    cr_assert_not_null(piece);
    memset(piece->bytes, value, size);
    rpcrt__outflow_add(&out, piece);
}

static struct rpcrt__frame
frame_at(const uint8_t *at, const uint8_t *behind)
{
    struct rpcrt__frame frame;
    size_t offset = 0;

    cr_assert(rpcrt__next_frame(at, (size_t)(behind - at), &offset, &frame));
    cr_assert_eq(frame.call, CALL);
    return frame;
}

/* Write one frame and have it read; returns its flags. */
static unsigned
pass(bool with_end, size_t room)
{
    uint8_t *behind =
        rpcrt__outflow_put(&out, CALL, with_end, wire, wire + room);
    struct rpcrt__frame frame;

    cr_assert_not_null(behind);
    frame = frame_at(wire, behind);
    cr_assert_eq(frame.type, RPCRT__FRAME_DATA);
    cr_assert_eq(rpcrt__inflow_data(&in, &frame, 1u << 20, &error), RPCRT_OK,
                 "%s", error.text);
    return frame.flags;
}

static void
take(uint32_t size, int value)
{
    struct rpcrt__piece *piece = rpcrt__inflow_take(&in);

    cr_assert_not_null(piece);
    cr_assert_eq(piece->size, size);
    for (uint32_t i = 0; i < size; i++) {
        cr_assert_eq(piece->bytes[i], value);
    }
    rpcrt__free(piece);
}

/* Give the sender what the receiver owes. */
static void
grant(void)
{
    uint8_t *behind =
        rpcrt__inflow_put_grant(&in, CALL, wire, wire + sizeof wire);
    struct rpcrt__frame frame;

    cr_assert_not_null(behind);
    frame = frame_at(wire, behind);
    cr_assert_eq(frame.type, RPCRT__FRAME_WINDOW);
    cr_assert_eq(
        rpcrt__outflow_grant(&out, rpcrt__get_u32(frame.payload), &error),
        RPCRT_OK);
}

/* Have a frame read that no sender of ours writes. */
static enum rpcrt_code
read_data(unsigned flags, const char *bytes, uint32_t size)
{
    struct rpcrt__frame frame = {.type = RPCRT__FRAME_DATA,
                                 .flags = (uint8_t)flags,
                                 .call = CALL,
                                 .payload = (const uint8_t *)bytes,
                                 .size = size};

    error.text[0] = '\0';
    return rpcrt__inflow_data(&in, &frame, 1u << 20, &error);
}

Test(flow, messages_arrive_whole_and_in_order, .init = begin, .fini = end)
{
    add(3, 'a');
    add(0, 0);
    add(2, 'b');
    cr_assert_eq(pass(false, sizeof wire), RPCRT__START);
    cr_assert_eq(pass(false, sizeof wire), RPCRT__START);
    cr_assert_eq(pass(false, sizeof wire), RPCRT__START);
    cr_assert_not(rpcrt__outflow_ready(&out, true));
    take(3, 'a');
    take(0, 0);
    take(2, 'b');
    cr_assert_null(rpcrt__inflow_take(&in));
    cr_assert_eq(in.buffered, 0);
}

Test(flow, message_larger_than_the_window_goes_through, .init = begin,
     .fini = end)
{
    add(200000, 'x');
    cr_assert_eq(pass(false, sizeof wire), RPCRT__START);
    cr_assert_null(rpcrt__inflow_take(&in));
    cr_assert_lt(out.window, 0);
    for (int i = 0; i < 3; i++) {
        cr_assert(rpcrt__outflow_ready(&out, false));
        cr_assert_eq(pass(false, sizeof wire), 0);
    }
    take(200000, 'x');
    add(1, 'y');
    cr_assert_not(rpcrt__outflow_ready(&out, false));
    cr_assert(rpcrt__inflow_owes(&in));
    grant();
    cr_assert_eq(out.window, WINDOW);
    cr_assert(rpcrt__outflow_ready(&out, false));
}

Test(flow, sender_stops_when_the_receiver_takes_nothing, .init = begin,
     .fini = end)
{
    int n = 0;

    for (int i = 0; i < 20; i++) {
        add(100, i);
    }
    while (rpcrt__outflow_ready(&out, false)) {
        (void)pass(false, sizeof wire);
        n++;
    }
    cr_assert_eq(n, 8, "%d", n); /* of 132 bytes each */
    cr_assert_not(rpcrt__inflow_owes(&in));
    cr_assert_eq(in.left, out.window);
    for (int i = 0; i < 4; i++) {
        take(100, i);
    }
    cr_assert(rpcrt__inflow_owes(&in));
    grant();
    cr_assert(rpcrt__outflow_ready(&out, false));
    cr_assert_eq(in.left, out.window);
}

Test(flow, user_waits_above_the_queue, .init = begin, .fini = end)
{
    cr_assert_eq(rpcrt__outflow_room(&out), QUEUE);
    add(QUEUE - 1, 'q');
    cr_assert_eq(rpcrt__outflow_room(&out), 0);
    (void)pass(false, RPCRT__FRAME_SIZE + 4 + 1024);
    cr_assert_eq(rpcrt__outflow_room(&out), 1024 - 31);
    (void)pass(false, sizeof wire);
    cr_assert_eq(rpcrt__outflow_room(&out), QUEUE);
    out.closed = true;
    cr_assert_eq(rpcrt__outflow_room(&out), 0);
}

Test(flow, end_comes_with_the_last_message, .init = begin, .fini = end)
{
    add(1, 'a');
    add(1, 'b');
    out.closed = true;
    cr_assert_eq(pass(true, sizeof wire), RPCRT__START);
    cr_assert_not(in.ended);
    cr_assert_eq(pass(true, sizeof wire), RPCRT__START | RPCRT__END);
    cr_assert(in.ended);
    cr_assert(out.end_sent);
    cr_assert_not(rpcrt__outflow_ready(&out, true));
}

Test(flow, end_comes_alone_when_nothing_is_left, .init = begin, .fini = end)
{
    cr_assert_not(rpcrt__outflow_ready(&out, true));
    out.closed = true;
    cr_assert_not(rpcrt__outflow_ready(&out, false));
    cr_assert(rpcrt__outflow_ready(&out, true));
    cr_assert_null(rpcrt__outflow_put(&out, CALL, true, wire,
                                      wire + RPCRT__FRAME_SIZE - 1));
    cr_assert_eq(pass(true, sizeof wire), RPCRT__END);
    cr_assert(in.ended);
    cr_assert_not(rpcrt__outflow_ready(&out, true));
}

Test(flow, frame_of_little_worth_waits_for_more_room, .init = begin,
     .fini = end)
{
    add(2000, 'a');
    cr_assert_null(rpcrt__outflow_put(&out, CALL, false, wire,
                                      wire + RPCRT__FRAME_SIZE + 4 + 1023));
    cr_assert_eq(out.window, WINDOW);
    cr_assert_eq(pass(false, RPCRT__FRAME_SIZE + 4 + 1024), RPCRT__START);
    cr_assert_null(rpcrt__outflow_put(&out, CALL, false, wire,
                                      wire + RPCRT__FRAME_SIZE + 975));
    cr_assert_eq(pass(false, RPCRT__FRAME_SIZE + 976), 0);
    take(2000, 'a');
}

Test(flow, grants_that_overflow_are_refused, .init = begin, .fini = end)
{
    cr_assert_eq(rpcrt__outflow_grant(&out, UINT32_MAX, &error),
                 RPCRT_INVALID_ARGUMENT);
    cr_assert_eq(rpcrt__outflow_grant(&out, INT32_MAX - WINDOW, &error),
                 RPCRT_OK);
    cr_assert_eq(rpcrt__outflow_grant(&out, 1, &error), RPCRT_INVALID_ARGUMENT);
    cr_assert_eq(out.window, INT32_MAX);
}

Test(flow, window_of_a_peer_is_cut_to_the_largest)
{
    rpcrt__outflow_init(&out, UINT32_MAX, QUEUE);
    cr_assert_eq(out.window, INT32_MAX);
}

Test(flow, message_inside_of_another_is_refused, .init = begin, .fini = end)
{
    cr_assert_eq(read_data(RPCRT__START, "\2\0\0\0a", 5), RPCRT_OK);
    cr_assert_eq(read_data(RPCRT__START, "\1\0\0\0a", 5),
                 RPCRT_INVALID_ARGUMENT);
    cr_assert(strstr(error.text, "inside of another"), "%s", error.text);
}

Test(flow, more_bytes_than_announced_are_refused, .init = begin, .fini = end)
{
    cr_assert_eq(read_data(RPCRT__START, "\1\0\0\0ab", 6),
                 RPCRT_INVALID_ARGUMENT);
    end();
    begin();
    cr_assert_eq(read_data(RPCRT__START, "\2\0\0\0a", 5), RPCRT_OK);
    cr_assert_eq(read_data(0, "bc", 2), RPCRT_INVALID_ARGUMENT);
    end();
    begin();
    cr_assert_eq(read_data(0, "a", 1), RPCRT_INVALID_ARGUMENT);
    cr_assert_eq(read_data(0, "", 0), RPCRT_OK);
}

Test(flow, message_beyond_the_window_is_refused, .init = begin, .fini = end)
{
    add(WINDOW, 'a');
    (void)pass(false, sizeof wire);
    cr_assert_eq(read_data(RPCRT__START, "\0\0\0\0", 4),
                 RPCRT_INVALID_ARGUMENT);
    cr_assert(strstr(error.text, "beyond the window"), "%s", error.text);
}

Test(flow, nothing_comes_behind_the_end, .init = begin, .fini = end)
{
    cr_assert_eq(read_data(RPCRT__END, "", 0), RPCRT_OK);
    cr_assert_eq(read_data(0, "", 0), RPCRT_INVALID_ARGUMENT);
    cr_assert_eq(read_data(RPCRT__END, "", 0), RPCRT_INVALID_ARGUMENT);
    cr_assert_eq(read_data(RPCRT__START, "\0\0\0\0", 4),
                 RPCRT_INVALID_ARGUMENT);
}

Test(flow, half_a_message_is_no_end, .init = begin, .fini = end)
{
    cr_assert_eq(read_data(RPCRT__START | RPCRT__END, "\2\0\0\0a", 5),
                 RPCRT_INVALID_ARGUMENT);
}

Test(flow, message_above_the_limit_ends_the_call_only, .init = begin,
     .fini = end)
{
    cr_assert_eq(read_data(RPCRT__START, "\1\0\x10\0", 4),
                 RPCRT_RESOURCE_EXHAUSTED);
    cr_assert_eq(read_data(RPCRT__START, "\377\377\377\377", 4),
                 RPCRT_RESOURCE_EXHAUSTED);
    cr_assert_eq(in.buffered, 0);
}

Test(flow, no_grant_is_due_behind_the_end, .init = begin, .fini = end)
{
    add(WINDOW, 'a');
    out.closed = true;
    (void)pass(true, sizeof wire);
    take(WINDOW, 'a');
    cr_assert_not(rpcrt__inflow_owes(&in));
}
