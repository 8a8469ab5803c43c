/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Bytes as packets: the same whether they come at once, in crumbs, or straight into the packet that
 * has begun, and the same again when they are written anew. The first byte says how large the
 * crumbs are.
 */
#include <string.h>

#include "wire.h"

enum way { AT_ONCE, IN_CRUMBS, INTO_ROOM };

static void note(GByteArray *packets, const struct wire_packet *packet)
{
    struct wire_cursor cursor = wire_strings(packet);
    size_t seen = 0;
    for (const char *text; (text = wire_string(&cursor));)
        seen += strlen(text) + 1;
    g_assert(seen <= packet->length);
    wire_put(packets, packet->letter, packet->data, packet->length);
}

/* Takes LENGTH bytes; false: they are no packets. */
static bool take(struct wire_input *input, const uint8_t *bytes, size_t length, GByteArray *packets)
{
    struct wire_packet packet;
    enum wire_result result;
    while ((result = wire_take(input, &bytes, &length, &packet)) == WIRE_PACKET)
        note(packets, &packet);
    g_assert(result == WIRE_BAD || length == 0);
    return result == WIRE_MORE;
}

/* The packets that DATA is, written anew; *RESULT_R: whether it ends within them. */
static GByteArray *read_all(const uint8_t *data, size_t size, size_t crumb, enum way way,
                            bool *sound_r)
{
    struct wire_input input = {.most = 3000};
    GByteArray *packets = g_byte_array_new();
    bool sound = true;
    for (size_t at = 0; sound && at < size;) {
        size_t room = 0, part = way == AT_ONCE ? size : MIN(crumb, size - at);
        unsigned char *place = way == INTO_ROOM ? wire_room(&input, &room) : NULL;
        if (place) {
            g_assert(room > 0);
            part = MIN(room, size - at);
            memcpy(place, data + at, part);
            wire_filled(&input, part);
        }
        sound = take(&input, place ? NULL : data + at, place ? 0 : part, packets);
        at += part;
    }
    *sound_r = sound;
    wire_input_clear(&input);
    return packets;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t crumb = 1 + data[0];
    bool sound, other;
    g_autoptr(GByteArray) whole = read_all(data + 1, size - 1, 0, AT_ONCE, &sound);
    for (enum way way = IN_CRUMBS; way <= INTO_ROOM; way++) {
        g_autoptr(GByteArray) pieces = read_all(data + 1, size - 1, crumb, way, &other);
        g_assert(other == sound && pieces->len == whole->len);
        g_assert(whole->len == 0 || memcmp(pieces->data, whole->data, whole->len) == 0);
    }
    g_assert(whole->len <= size - 1);
    g_assert(whole->len == 0 || memcmp(whole->data, data + 1, whole->len) == 0);
    return 0;
}
