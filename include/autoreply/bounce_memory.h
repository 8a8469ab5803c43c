/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What bounces said: keyed hashes of the lines and sentences of bounces that passed through, kept a
 * week, so that an auto-reply is caught that repeats a bounce without any quote mark. Never text:
 * who steals the file learns nothing without the key, and losing it loses only this extra.
 *
 * Threads: locks itself; loading and saving hold no lock while they read or write the file.
 */
#ifndef AUTOREPLY_BOUNCE_MEMORY_H
#define AUTOREPLY_BOUNCE_MEMORY_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "autoreply/parsed.h"
#include "store/statefile.h"

struct bounce_memory;

/* How long a line is remembered, in seconds: a vacation program answers at once, groupware within
 * hours, and who is away for a weekend finds his bounce on Monday. */
#define BOUNCE_MEMORY_SECONDS (7 * 24 * 3600)
/* Most lines kept (some 7 MB); when full, the line that was remembered first is forgotten. */
#define BOUNCE_MEMORY_LINES_MAX 100000
/* Most lines taken from one bounce, so that one cannot push out all others. */
#define BOUNCE_MEMORY_BOUNCE_MAX 4000
/* A line seen in that many bounces is what mail systems and disclaimers say: it proves nothing. */
#define BOUNCE_MEMORY_COMMON 8

/* Makes an empty memory whose hashes are SipHash-2-4 under a key made of KEY by HMAC-SHA256. LINES
 * is the most that is kept (0: BOUNCE_MEMORY_LINES_MAX). The caller frees it with
 * bounce_memory_free. */
struct bounce_memory *bounce_memory_new(const void *key, size_t key_size, unsigned lines);
void bounce_memory_free(struct bounce_memory *memory);

/* Remembers the text of a bounce (autoreply_is_bounce), what it returns included, but not the text
 * of a returned auto-reply, which its program will send again, nor signatures. NOW: Unix time. */
void bounce_memory_add(struct bounce_memory *memory, const struct autoreply_headers *headers,
                       const char *body, size_t size, int64_t now);

/* Whether the text of a reply repeats remembered lines: a fifth of it by length, or much in
 * absolute terms. Lines of less than 20 letters and common lines count on neither side. Adds the
 * evidence "repeated-lines" with the share; *SHARE_R (may be NULL) is set in either case. */
bool bounce_memory_judge(struct bounce_memory *memory, const struct autoreply_parsed *parsed,
                         int64_t now, double *share_r, GPtrArray *evidence);

/* Whether each line of TEXT (UTF-8, COUNT lines) is remembered, itself or by a sentence that it is
 * part of: one bool a line. The caller unrefs it. */
GArray *bounce_memory_lines(struct bounce_memory *memory, const char *text, size_t size,
                            int64_t now);

/* How many lines are kept, expired ones that nobody has cleared away included. */
unsigned bounce_memory_count(struct bounce_memory *memory);

/* Whether there is anything that the last save did not write. */
bool bounce_memory_changed(struct bounce_memory *memory);

/* Adds what FILE holds and is not expired. A missing file, one of another key and one that is no
 * database are no errors: the memory begins empty. false with *WHY_R (to be freed) if the file
 * cannot be read. */
bool bounce_memory_load(struct bounce_memory *memory, struct state_file *file, int64_t now,
                        char **why_r);

/* Writes what changed since the last save to FILE and clears away what expired; into a file that
 * was begun anew all of it. false with *WHY_R (to be freed) when it cannot; the next save tries
 * everything again. */
bool bounce_memory_save(struct bounce_memory *memory, struct state_file *file, int64_t now,
                        char **why_r);

#endif
