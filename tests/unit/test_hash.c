/*
 * SipHash-2-4 against the values that its authors published, and that keys
 * matter.
 */
#include "core/hash.h"

#include <criterion/criterion.h>

Test(hash, has_the_published_values)
{
    /* vectors_sip64 of the reference code: input 00, 01, ... of that length */
    static const struct {
        size_t size;
        uint64_t hash;
    } vectors[] = {{0, UINT64_C(0x726fdb47dd0e0e31)},
                   {1, UINT64_C(0x74f839c593dc67fd)},
                   {7, UINT64_C(0xab0200f58b01d137)},
                   {8, UINT64_C(0x93f5f5799a932462)},
                   {15, UINT64_C(0xa129ca6149be45e5)}};
    struct rpcrt__hash_key key = {
        {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}};
    uint8_t input[16];

    for (size_t i = 0; i < sizeof input; i++) {
        input[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        cr_expect_eq(rpcrt__hash(&key, input, vectors[i].size), vectors[i].hash,
                     "%zu bytes", vectors[i].size);
    }
    key.words[1]++;
    cr_expect_neq(rpcrt__hash(&key, input, 15), vectors[4].hash);
}
