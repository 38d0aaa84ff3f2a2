/*
 * The names are those of the paper.
 */
#include "core/hash.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static uint64_t
rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static void
rounds(struct state *s, unsigned n)
{
    while (n-- > 0) {
        s->v0 += s->v1;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v3;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 += s->v3;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 += s->v1;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v2 = rotate(s->v2, 32);
    }
}

static void
add_word(struct state *s, uint64_t m)
{
    s->v3 ^= m;
    rounds(s, 2);
    s->v0 ^= m;
}

/* Up to 8 bytes, little endian. */
static uint64_t
word_of(const uint8_t *bytes, size_t n)
{
    uint64_t m = 0;

    for (size_t i = 0; i < n; i++) {
        m |= (uint64_t)bytes[i] << (8 * i);
    }
    return m;
}

uint64_t
rpcrt__hash(const struct rpcrt__hash_key *key, const void *data, size_t size)
{
    const uint64_t *k = key->words;
    struct state s = {k[0] ^ UINT64_C(0x736f6d6570736575),
                      k[1] ^ UINT64_C(0x646f72616e646f6d),
                      k[0] ^ UINT64_C(0x6c7967656e657261),
                      k[1] ^ UINT64_C(0x7465646279746573)};
    const uint8_t *at = data;
    size_t left = size;

    for (; left >= 8; left -= 8, at += 8) {
        add_word(&s, word_of(at, 8));
    }
    add_word(&s, word_of(at, left) | (uint64_t)size << 56);
    s.v2 ^= 0xff;
    rounds(&s, 4);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
