/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/arena.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/siphash.h"

/* Pieces of all sizes stand beside each other, aligned, and none is another's. */
static void test_pieces(void)
{
    struct arena arena = {0};
    unsigned char *pieces[600];
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        pieces[i] = arena_take(&arena, i * 7);
        g_assert_cmpuint((uintptr_t)pieces[i] % _Alignof(max_align_t), ==, 0);
        memset(pieces[i], (int)(i & 0xff), i * 7);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++)
        for (size_t byte = 0; byte < i * 7; byte++)
            g_assert_cmpuint(pieces[i][byte], ==, i & 0xff);
    arena_reset(&arena, 0);
    g_assert_null(arena.blocks);
}

static void test_copies(void)
{
    struct arena arena = {0};
    char text[] = "bob@lab.test";
    char *copy = arena_copy(&arena, text);
    g_assert_null(arena_copy(&arena, NULL));
    text[0] = 'x';
    g_assert_cmpstr(copy, ==, "bob@lab.test");
    g_assert_cmpstr(arena_copy(&arena, ""), ==, "");
    arena_reset(&arena, 0);
}

/* What stays is one block, not larger than it may be, and it serves again from its beginning. */
static void test_keeps_one_block(void)
{
    struct arena arena = {.first = 256};
    void *first = arena_take(&arena, 10);
    const struct arena_block *block = arena.blocks;
    arena_take(&arena, 100000);
    arena_reset(&arena, 256); /* the large one goes */
    g_assert_true(arena.blocks == block);
    g_assert_true(arena_take(&arena, 200) == first);
    g_assert_true(arena.blocks == block);
    arena_reset(&arena, 255);
    g_assert_null(arena.blocks);
}

/* All ways to write a name are one; names that differ in bit 5 of what is no letter are not. */
static void test_caseless_hash(void)
{
    static const char *const rows[][2] = {
        {"Received", "RECEIVED"},
        {"X-Very-Long-Name-Of-A-Field", "x-vERY-lONG-nAME-oF-a-fIELD"},
        {"zZ", "Zz"},
        {"", ""},
    };
    static const char *const others[][2] = {
        {"[", "{"},  {"@", "`"},       {"X-Name-Of-[-Field", "X-Name-Of-{-Field"},
        {"a", "aa"}, {"\xc1", "\xe1"}, {"12345678\x5f", "12345678\x7f"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpuint(siphash_caseless(rows[i][0], strlen(rows[i][0])), ==,
                         siphash_caseless(rows[i][1], strlen(rows[i][1])));
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        g_assert_cmpuint(siphash_caseless(others[i][0], strlen(others[i][0])), !=,
                         siphash_caseless(others[i][1], strlen(others[i][1])));
    const struct siphash_seed seed = {3, 4};
    for (int letter = 1; letter < 256; letter++) {
        char text[2] = {(char)letter, '\0'}, small[2] = {g_ascii_tolower((char)letter), '\0'};
        g_assert_cmpuint(siphash_caseless(text, 1), ==, siphash_caseless(small, 1));
        g_assert_cmpuint(siphash_lower(&seed, text, 1), ==, siphash(&seed, small, 1));
    }
}

/* The vector of the paper, appendix A. */
static void test_strong_hash(void)
{
    struct siphash_seed key;
    unsigned char bytes[16];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    memcpy(&key, bytes, sizeof key);
    key.k0 = GUINT64_FROM_LE(key.k0);
    key.k1 = GUINT64_FROM_LE(key.k1);
    g_assert_cmphex(siphash_strong(&key, bytes, 15), ==, UINT64_C(0xa129ca6149be45e5));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arena/pieces", test_pieces);
    g_test_add_func("/arena/copies", test_copies);
    g_test_add_func("/arena/keeps-one-block", test_keeps_one_block);
    g_test_add_func("/arena/caseless-hash", test_caseless_hash);
    g_test_add_func("/arena/strong-hash", test_strong_hash);
    return g_test_run();
}
