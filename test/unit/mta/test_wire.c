/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packets from bytes that come in pieces of every size.
 */
#include "wire.h"

#include <string.h>

static const char stream[] = "\0\0\0\1A"
                             "\0\0\0\5Mabc\0"
                             "\0\0\0\3Hx\0"
                             "\0\0\0\1E"
                             "\0\0\0\2Qz";

/* Takes the stream in pieces of SIZE bytes. */
static void test_pieces(void)
{
    for (size_t size = 1; size <= sizeof(stream); size++) {
        struct wire_input input = {.most = 10};
        g_autoptr(GByteArray) again = g_byte_array_new();
        for (size_t at = 0; at < sizeof(stream) - 1; at += size) {
            const unsigned char *bytes = (const unsigned char *)stream + at;
            size_t length = MIN(size, sizeof(stream) - 1 - at);
            struct wire_packet packet;
            while (wire_take(&input, &bytes, &length, &packet) == WIRE_PACKET)
                wire_put(again, packet.letter, packet.data, packet.length);
        }
        g_assert_false(wire_begun(&input));
        g_assert_cmpmem(again->data, again->len, stream, sizeof(stream) - 1);
        wire_input_clear(&input);
    }
}

/* A head that came alone leaves no room of a size that the next packet has not. */
static void test_heads_alone(void)
{
    static const char *const pieces[] = {"\0\0\0\3", "Hx\0", "\0\0\0\7", "Mabcdef", "\0\0\0\1"};
    static const size_t sizes[] = {4, 3, 4, 7, 4};
    struct wire_input input = {.most = 10};
    unsigned found = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        /* Of their own size, so that a sanitizer sees what is read beyond. */
        g_autofree unsigned char *copy = g_memdup2(pieces[i], sizes[i]);
        const unsigned char *bytes = copy;
        size_t length = sizes[i];
        struct wire_packet packet;
        while (wire_take(&input, &bytes, &length, &packet) == WIRE_PACKET)
            found++;
    }
    g_assert_cmpuint(found, ==, 2);
    g_assert_true(wire_begun(&input));
    wire_input_clear(&input);
}

static void test_lengths(void)
{
    static const struct {
        unsigned char head[4];
        enum wire_result result;
    } rows[] = {
        {{0, 0, 0, 0}, WIRE_BAD},
        {{0, 0, 0, 11}, WIRE_MORE},
        {{0, 0, 0, 12}, WIRE_BAD},
        {{0, 0, 1, 0}, WIRE_BAD},
        {{0xff, 0xff, 0xff, 0xff}, WIRE_BAD},
        {{1, 0, 0, 1}, WIRE_BAD},
        {{'G', 'E', 'T', ' '}, WIRE_BAD},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct wire_input input = {.most = 10};
        const unsigned char *bytes = rows[i].head;
        size_t length = 4;
        struct wire_packet packet;
        g_assert_cmpint(wire_take(&input, &bytes, &length, &packet), ==, rows[i].result);
    }
}

static void test_strings(void)
{
    const struct wire_packet packet = {.data = (const unsigned char *)"one\0\0two\0rest",
                                       .length = 13};
    struct wire_cursor cursor = wire_strings(&packet);
    g_assert_cmpstr(wire_string(&cursor), ==, "one");
    g_assert_cmpstr(wire_string(&cursor), ==, "");
    g_assert_cmpstr(wire_string(&cursor), ==, "two");
    g_assert_null(wire_string(&cursor));
    uint32_t number;
    g_assert_true(wire_number(&cursor, &number));
    g_assert_cmphex(number, ==, 0x72657374);
    g_assert_false(wire_number(&cursor, &number));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wire/pieces", test_pieces);
    g_test_add_func("/wire/heads alone", test_heads_alone);
    g_test_add_func("/wire/lengths", test_lengths);
    g_test_add_func("/wire/strings", test_strings);
    return g_test_run();
}
