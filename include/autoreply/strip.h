/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A reply with its own words alone: quotation is taken out of every text part, attached originals
 * are removed, and the MIME structure is built anew around what is left. Charset, transfer
 * encoding, signature and attachments that are no messages stay. A cryptographic signature over
 * changed parts is removed with its multipart/signed.
 *
 * Threads: pure but for the memory, which locks itself.
 */
#ifndef AUTOREPLY_STRIP_H
#define AUTOREPLY_STRIP_H

#include <stdbool.h>
#include <stdint.h>

#include "autoreply/body.h"
#include "autoreply/bounce_memory.h"
#include "autoreply/headers.h"
#include "autoreply/parsed.h"

struct autoreply_stripped {
    bool changed;  /* anything was removed; else the message may go as it is */
    GString *body; /* the new body, lines ended by CRLF as a milter hands them on */
    /* New value of the one Content-Type: that the message then has, folded by "\n\t", and of the
     * one Content-Transfer-Encoding:, "" for none; NULL: they stay. */
    char *content_type, *encoding;
    char *removed; /* for a header: "14 quoted lines; 1 attached message"; ASCII */
};

/* Strips the message of HEADERS that was PARSED, which is changed by it and good for being freed
 * alone. TRUNCATED: more came than was parsed. Of a message that can be read in several ways the
 * first remains, or nothing if another one quotes. What lies beyond a truncated body is left out,
 * and so is an attachment that the cut goes through. With MEMORY (may be NULL), lines that repeat
 * remembered bounces go too. The result holds no quotation that quotation_find or
 * bounce_memory_judge would see: should one remain, the whole text is removed. Fills *STRIPPED_R,
 * to be emptied with autoreply_stripped_clear. */
void autoreply_strip(const struct autoreply_headers *headers, struct autoreply_parsed *parsed,
                     bool truncated, struct bounce_memory *memory, int64_t now,
                     struct autoreply_stripped *stripped_r);
void autoreply_stripped_clear(struct autoreply_stripped *stripped);

#endif
