/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bytes of the milter protocol: a packet is its length in four bytes, the most significant
 * first, a letter, and data. No input or output here: bytes go in in pieces of any size and come
 * out as packets, and the other way round.
 *
 * Threads: pure; one at a time for each input.
 */
#ifndef NATIVE_WIRE_H
#define NATIVE_WIRE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of data that a packet may have, its letter not among them: a version 6 MTA sends no more
 * unless it has offered to. */
#define WIRE_DATA_MAX 65535u

struct wire_packet {
    char letter;
    const unsigned char *data;
    size_t length;
};

/* The packet that is on its way in. All zero but for MOST: none is. */
struct wire_input {
    size_t most; /* bytes of data of a packet */
    unsigned char head[4];
    unsigned char *body; /* letter and data, as far as they came in pieces; else NULL */
    size_t got;          /* bytes of head and body that are there */
    bool given;          /* the packet in body has been handed out */
};

void wire_input_clear(struct wire_input *input);

enum wire_result {
    WIRE_PACKET,
    WIRE_MORE, /* than these bytes is needed */
    WIRE_BAD,  /* a length that no packet has: nothing that follows can be read */
};

/* Takes the next packet from the LENGTH bytes at BYTES, both of which move behind what was taken.
 * The packet lives until the next call for INPUT, or until BYTES do. After WIRE_MORE all bytes were
 * taken. */
enum wire_result wire_take(struct wire_input *input, const unsigned char **bytes, size_t *length,
                           struct wire_packet *packet_r);

/* Where the rest of the packet may be put that has begun to come in, so that nobody needs to copy
 * it, and how much room there is; NULL and 0 when none has. */
unsigned char *wire_room(struct wire_input *input, size_t *room_r);

/* So many bytes were put there; wire_take goes on from them. */
void wire_filled(struct wire_input *input, size_t length);

/* Whether a packet has begun to come in. */
bool wire_begun(const struct wire_input *input);

/* The strings of a packet, one after the other; each ends in a NUL. */
struct wire_cursor {
    const char *at, *end;
};
struct wire_cursor wire_strings(const struct wire_packet *packet);

/* The next string; NULL when there is none, or it does not end. */
const char *wire_string(struct wire_cursor *cursor);

/* The next number of four bytes; false when there are fewer. */
bool wire_number(struct wire_cursor *cursor, uint32_t *number_r);

/* Packets out: begins one, adds to it, and writes its length when it is whole. */
size_t wire_begin(GByteArray *out, char letter);
void wire_add_number(GByteArray *out, uint32_t number);
void wire_add_string(GByteArray *out, const char *text); /* with its NUL */
void wire_end(GByteArray *out, size_t begun);

/* A packet that is whole at once. DATA may be NULL when LENGTH is 0. */
void wire_put(GByteArray *out, char letter, const void *data, size_t length);

#endif
