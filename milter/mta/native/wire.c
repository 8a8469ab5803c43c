/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Bytes to packets, packets to bytes.
 */
#include "wire.h"

#include <string.h>

enum { HEAD = 4 };

static size_t read_length(const unsigned char *head)
{
    return (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
}

void wire_input_clear(struct wire_input *input)
{
    g_clear_pointer(&input->body, g_free);
    input->got = 0;
    input->given = false;
}

bool wire_begun(const struct wire_input *input)
{
    return input->got > 0 && !input->given;
}

static enum wire_result whole(const unsigned char *body, size_t length,
                              struct wire_packet *packet_r)
{
    *packet_r =
        (struct wire_packet){.letter = (char)body[0], .data = body + 1, .length = length - 1};
    return WIRE_PACKET;
}

/* Moves as much to TO as is there and fits into ROOM. */
static void move(unsigned char *to, size_t room, struct wire_input *input,
                 const unsigned char **bytes, size_t *length)
{
    size_t part = MIN(room, *length);
    if (part == 0)
        return;
    memcpy(to, *bytes, part);
    input->got += part;
    *bytes += part;
    *length -= part;
}

enum wire_result wire_take(struct wire_input *input, const unsigned char **bytes, size_t *length,
                           struct wire_packet *packet_r)
{
    if (input->given)
        wire_input_clear(input);
    if (input->got == 0 && *length >= HEAD) { /* as with most: it is whole */
        size_t size = read_length(*bytes);
        if (size > 0 && size - 1 <= input->most && *length - HEAD >= size) {
            const unsigned char *body = *bytes + HEAD;
            *bytes += HEAD + size;
            *length -= HEAD + size;
            return whole(body, size, packet_r);
        }
    }
    if (input->got < HEAD)
        move(input->head + input->got, HEAD - input->got, input, bytes, length);
    if (input->got < HEAD)
        return WIRE_MORE;
    size_t expected = read_length(input->head);
    if (expected == 0 || expected - 1 > input->most)
        return WIRE_BAD;
    if (input->got == HEAD && *length >= expected) {
        const unsigned char *body = *bytes;
        *bytes += expected;
        *length -= expected;
        input->got = 0;
        return whole(body, expected, packet_r);
    }
    /* It is there as soon as GOT is past the head, and no sooner. */
    if (!input->body && *length == 0)
        return WIRE_MORE;
    if (!input->body)
        input->body = g_malloc(expected);
    size_t there = input->got - HEAD;
    move(input->body + there, expected - there, input, bytes, length);
    input->given = input->got == HEAD + expected;
    return input->given ? whole(input->body, expected, packet_r) : WIRE_MORE;
}

unsigned char *wire_room(struct wire_input *input, size_t *room_r)
{
    *room_r = 0;
    if (!input->body || input->given)
        return NULL;
    *room_r = HEAD + read_length(input->head) - input->got;
    return input->body + (input->got - HEAD);
}

void wire_filled(struct wire_input *input, size_t length)
{
    input->got += length;
}

struct wire_cursor wire_strings(const struct wire_packet *packet)
{
    const char *at = (const char *)packet->data;
    return (struct wire_cursor){.at = at, .end = at ? at + packet->length : at};
}

const char *wire_string(struct wire_cursor *cursor)
{
    size_t left = (size_t)(cursor->end - cursor->at);
    const char *end = left > 0 ? memchr(cursor->at, '\0', left) : NULL;
    if (!end)
        return NULL;
    const char *text = cursor->at;
    cursor->at = end + 1;
    return text;
}

bool wire_number(struct wire_cursor *cursor, uint32_t *number_r)
{
    if (cursor->end - cursor->at < HEAD)
        return false;
    *number_r = (uint32_t)read_length((const unsigned char *)cursor->at);
    cursor->at += HEAD;
    return true;
}

void wire_add_number(GByteArray *out, uint32_t number)
{
    const unsigned char bytes[HEAD] = {(unsigned char)(number >> 24), (unsigned char)(number >> 16),
                                       (unsigned char)(number >> 8), (unsigned char)number};
    g_byte_array_append(out, bytes, HEAD);
}

void wire_add_string(GByteArray *out, const char *text)
{
    g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text) + 1);
}

size_t wire_begin(GByteArray *out, char letter)
{
    size_t begun = out->len;
    wire_add_number(out, 0);
    g_byte_array_append(out, (const guint8 *)&letter, 1);
    return begun;
}

void wire_end(GByteArray *out, size_t begun)
{
    size_t length = out->len - begun - HEAD;
    for (int i = 0; i < HEAD; i++)
        out->data[begun + (size_t)i] = (unsigned char)(length >> (8 * (HEAD - 1 - i)));
}

void wire_put(GByteArray *out, char letter, const void *data, size_t length)
{
    size_t begun = wire_begin(out, letter);
    if (length > 0)
        g_byte_array_append(out, data, (guint)length);
    wire_end(out, begun);
}
