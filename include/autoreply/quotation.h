/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The third question of the guard: does the message quote another one, in whatever form? Quote
 * marks, attributions, "Original Message" and header blocks in the languages of the common clients,
 * the HTML of Outlook, Gmail, Apple and others, attached messages and returned parts, in any
 * charset and transfer encoding, at any depth.
 *
 * Threads: all functions are pure.
 */
#ifndef AUTOREPLY_QUOTATION_H
#define AUTOREPLY_QUOTATION_H

#include <glib.h>
#include <stdbool.h>

#include "autoreply/parsed.h"

/* Whether the message quotes, by any reading of its header. Every find of the first reading that
 * does is added to EVIDENCE (may be NULL) with part and line. A structure too deep or too broad to
 * be looked through (24 levels, 400 parts, 8 readings; 1000 boundaries, 10000 fields, 5000
 * parameters), a part that is sealed (application/pkcs7-mime, multipart/encrypted) or whose fields
 * contradict each other, and parts behind the end of all count as a quotation: nobody can tell that
 * they are none.
 */
bool quotation_find(const struct autoreply_parsed *parsed, GPtrArray *evidence);

/* The first text of the message that a person would read, as UTF-8 text (of HTML without its
 * tags), without what it quotes unless that is all of it, for autoreply_classify_body. The caller
 * frees it; "" if there is none. */
char *quotation_first_text(const struct autoreply_parsed *parsed);

#endif
