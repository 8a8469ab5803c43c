/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SipHash, from its paper: with one compression and three finalization rounds for tables, with two
 * and four where hashes leave the process.
 */
#include "base/siphash.h"

#include <string.h>

#include "base/system.h"

void siphash_seed_random(struct siphash_seed *seed_r)
{
    system_random(seed_r, sizeof *seed_r);
}

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static inline void absorb(uint64_t v[4], uint64_t word, int rounds)
{
    v[3] ^= word;
    for (int i = 0; i < rounds; i++)
        sip_round(v);
    v[0] ^= word;
}

static uint64_t as_it_is(uint64_t word)
{
    return word;
}

/* Eight bytes at once, those of A to Z with bit 5 set. */
static uint64_t lower(uint64_t word)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t seven = word & 0x7f * each;
    uint64_t from_a = seven + (0x80 - 'A') * each, past_z = seven + (0x7f - 'Z') * each;
    return word | ((from_a ^ past_z) & ~word & 0x80 * each) >> 2;
}

struct rounds {
    int compression, finalization;
};

static inline uint64_t hash(const struct siphash_seed *seed, const void *data, size_t length,
                            uint64_t (*fold)(uint64_t word), struct rounds rounds)
{
    uint64_t v[4] = {
        seed->k0 ^ UINT64_C(0x736f6d6570736575), seed->k1 ^ UINT64_C(0x646f72616e646f6d),
        seed->k0 ^ UINT64_C(0x6c7967656e657261), seed->k1 ^ UINT64_C(0x7465646279746573)};
    const uint8_t *p = data;
    size_t rest = length;
    for (; rest >= 8; p += 8, rest -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        absorb(v, fold(GUINT64_FROM_LE(word)), rounds.compression);
    }
    uint64_t last = 0;
    for (size_t i = 0; i < rest; i++)
        last |= (uint64_t)p[i] << (8 * i);
    absorb(v, fold(last) | (uint64_t)length << 56, rounds.compression);
    v[2] ^= 0xff;
    for (int i = 0; i < rounds.finalization; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static const struct rounds for_tables = {1, 3};

uint64_t siphash(const struct siphash_seed *seed, const void *data, size_t length)
{
    return hash(seed, data, length, as_it_is, for_tables);
}

uint64_t siphash_strong(const struct siphash_seed *key, const void *data, size_t length)
{
    static const struct rounds strong = {2, 4};
    return hash(key, data, length, as_it_is, strong);
}

uint64_t siphash_digest(const void *data, size_t length)
{
    static const struct siphash_seed seed = {1, 2};
    return siphash(&seed, data, length);
}

static const struct siphash_seed *process_seed(void)
{
    static struct siphash_seed seed;
    static gsize drawn;
    if (g_once_init_enter(&drawn)) {
        siphash_seed_random(&seed);
        g_once_init_leave(&drawn, 1);
    }
    return &seed;
}

guint siphash_string(gconstpointer text)
{
    uint64_t found = siphash(process_seed(), text, strlen(text));
    return (guint)(found ^ found >> 32);
}

uint64_t siphash_lower(const struct siphash_seed *seed, const char *text, size_t length)
{
    return hash(seed, text, length, lower, for_tables);
}

guint siphash_caseless(const char *text, size_t length)
{
    uint64_t found = siphash_lower(process_seed(), text, length);
    return (guint)(found ^ found >> 32);
}
