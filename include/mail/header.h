/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The header of one message as a milter gets it: fields in order, names in their case, values
 * exactly as they stand after the colon (leading white space included), folds kept as "\n" and
 * the white space after it, no line end at the end. Names are found without going through all.
 *
 * Threads: one thread at a time while it is filled; afterwards it may be read by several.
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Hard limits of memory: as much as header_limit can allow at most, so that no field is missing
 * from what was let through. What a site does allow, the caller counts. */
#define HEADER_LIST_MAX_BYTES  ((size_t)256 << 20)
#define HEADER_LIST_MAX_FIELDS 200000

struct header {
    const char *name;  /* without the colon and white space before it; NUL terminated */
    const char *value; /* NUL terminated; may hold NUL bytes when it comes from a file */
    size_t name_length;
    size_t value_length;
    size_t index;                   /* its place in the message, from 0 */
    const struct header *next_same; /* the next field of this name; NULL: none */
};

struct header_list;

/* Makes an empty list; the caller frees it with header_list_free (which accepts NULL). */
struct header_list *header_list_new(void);
void header_list_free(struct header_list *list);

/* Appends a field; name and value are copied. false (and nothing added) beyond the hard limits. */
bool header_list_add(struct header_list *list, const char *name, size_t name_length,
                     const char *value, size_t value_length);

/* Forgets all fields, so that the list serves another message; some memory is kept for it. */
void header_list_clear(struct header_list *list);

size_t header_list_count(const struct header_list *list);

/* Bytes of all fields as lines: name, colon, value, line end. */
size_t header_list_bytes(const struct header_list *list);

/* Field INDEX, from 0, in the order of the message; NULL past the end. */
const struct header *header_list_get(const struct header_list *list, size_t index);

/* What a name is looked for by: worked out once, for names that are asked for again and again. */
struct header_key {
    size_t length;
    uint64_t look;
    unsigned hash, keyed_hash; /* in a small list, and in others */
};
struct header_key header_key_of(const char *name);

/* The first field called NAME whatever its case, whose key is KEY; NULL if there is none. */
const struct header *header_list_find(const struct header_list *list, const char *name,
                                      const struct header_key *key);

/* The first field called NAME whatever its case, NULL if there is none; the others follow by
 * next_same. */
const struct header *header_list_first(const struct header_list *list, const char *name);

#endif
