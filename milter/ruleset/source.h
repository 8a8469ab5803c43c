/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a header rule looks at, "Subject", "From:addr", "ALL:raw", and the text that a message has
 * there, joined as SpamAssassin joins it.
 *
 * Threads: a source is immutable; the functions are pure.
 */
#ifndef RULESET_SOURCE_H
#define RULESET_SOURCE_H

#include <glib.h>
#include <stdbool.h>

#include "ruleset/ruleset.h"

/* SpamAssassin's limits: bytes of one field's value, and of all fields for ALL. */
#define SOURCE_VALUE_MAX  8192
#define SOURCE_HEADER_MAX 65536

enum source_kind { SOURCE_FIELD, SOURCE_ALL, SOURCE_TOCC, SOURCE_MESSAGEID, SOURCE_ENVELOPE_FROM };

struct source {
    enum source_kind kind;
    char *name; /* of the field */
    struct header_key key;
    bool verdict; /* a field that no rule sees, but for ALL:raw */
    bool raw, addr, display, first, last;
};

enum source_status { SOURCE_GOOD, SOURCE_SKIPPED, SOURCE_BAD };

/* Reads "Name[:modifier...]". SOURCE_SKIPPED: it needs what gatepost does not have. Unless
 * SOURCE_GOOD, *WHY_R (static) says why not. */
enum source_status source_parse(const char *text, struct source *source_r, const char **why_r);

/* A source of the field called NAME, which it borrows, without modifiers. */
struct source source_of_field(const char *name);
void source_clear(struct source *source);

/* One string for all sources that look at the same; the caller frees it. */
char *source_key(const struct source *source);

/* Puts the text into OUT (emptied first); false if the message does not have it. */
bool source_text(const struct source *source, const struct ruleset_message *message, GString *out);

/* Bytes of the fields that source_text reads, about; 0: the message does not have it. */
size_t source_size(const struct source *source, const struct ruleset_message *message);

/* Bytes of the fields that the functions below read, about. */
size_t source_addresses_size(const struct ruleset_message *message);

/* The addresses that blocklist_from and welcomelist_from are compared with, lower case: the first
 * Resent-From, else From, the envelope's sender and the fields that hold it with some MTAs. */
GPtrArray *source_from_addresses(const struct ruleset_message *message);

/* The same and whatever other readers than SpamAssassin may find in these fields: for lists that
 * whoever is in them would rather not be found in. */
GPtrArray *source_from_readings(const struct ruleset_message *message);

/* Those for blocklist_to and the like: the first Resent-To and Resent-Cc, else To, Cc and the
 * fields in which MTAs note the recipient, the topmost Received among them. */
GPtrArray *source_to_addresses(const struct ruleset_message *message);

#endif
