/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SipHash-1-3 (Aumasson, Bernstein: SipHash, a fast short-input PRF) of a string.
 */
#include "namehash.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

static uint64_t key[2];
static pthread_once_t key_drawn = PTHREAD_ONCE_INIT;

static void draw_key(void)
{
    for (unsigned i = 0; i < 2; i++)
        key[i] = (uint64_t)g_random_int() << 32 | g_random_int();
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
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

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

guint dns_name_hash(gconstpointer text)
{
    pthread_once(&key_drawn, draw_key);
    const char *p = text;
    size_t length = strlen(p), rest = length % 8;
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
                     key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};
    uint64_t word = 0;
    for (const char *end = p + length - rest; p < end; p += 8) {
        memcpy(&word, p, 8);
        sip_word(v, word);
    }
    word = 0;
    memcpy(&word, p, rest);
    sip_word(v, word ^ (uint64_t)length << 56);
    v[2] ^= 0xff;
    for (unsigned i = 0; i < 3; i++)
        sip_round(v);
    uint64_t hash = v[0] ^ v[1] ^ v[2] ^ v[3];
    return (guint)(hash ^ hash >> 32);
}
