/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A finding: what is known of one address of one MX of one domain. Its members, and what is written
 * to JSON, CSV and the history, are the rows of finding_rows.h.
 *
 * Where a domain has no address to ask, there is one finding for the MX or the domain, whose state
 * is its mx_state ("null-mx", "no-address" ...), with mx and address unknown as far as they are.
 *
 * Threads: a finding belongs to one thread at a time.
 */
#ifndef SURVEY_FINDING_H
#define SURVEY_FINDING_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum finding_kind { FINDING_TEXT, FINDING_LIST, FINDING_NUMBER, FINDING_BOOL, FINDING_TIME };
enum finding_trait {
    FINDING_0 = 0,
    FINDING_KEY = 1,
    FINDING_PASSING = 2,
    FINDING_CERTIFICATE = 4,
};

#define FINDING_C_TEXT   char *
#define FINDING_C_LIST   char *
#define FINDING_C_NUMBER int64_t
#define FINDING_C_BOOL   int64_t
#define FINDING_C_TIME   int64_t

struct finding {
#define FINDING(member, name, kind, traits) FINDING_C_##kind member;
#include "finding_rows.h"
#undef FINDING
};

struct finding_row {
    const char *member;
    const char *name;
    enum finding_kind kind;
    unsigned traits;
    size_t offset;
};

extern const struct finding_row finding_rows[];
extern const size_t finding_row_count;

/* A finding of which nothing is known. The caller frees it with finding_free (accepts NULL). */
struct finding *finding_new(void);
void finding_free(struct finding *finding);

/* An array that frees its findings. */
GPtrArray *finding_list_new(void);

/* Whether the row holds text; the text (NULL: not known); the number (-1: not known). */
bool finding_row_is_text(const struct finding_row *row);
char **finding_text(struct finding *finding, const struct finding_row *row);
int64_t *finding_number(struct finding *finding, const struct finding_row *row);

/* Puts a copy of TEXT in place of what was. */
void finding_set(char **member, const char *text);

/* The first row in which the two differ and that has none of the TRAITS; NULL: there is none. */
const struct finding_row *finding_differ(const struct finding *a, const struct finding *b,
                                         unsigned traits);

/* Whether what was seen says something about the server: see smtp_state_definite. */
bool finding_is_definite(const struct finding *finding);

/* One line of JSON: {"schema":1,...}. Appended to OUT, with a line end. */
void finding_json(GString *out, struct finding *finding);

/* A line of CSV (RFC 4180), or the line of names for NULL. What a spreadsheet would take for a
 * formula has an apostrophe before it. */
void finding_csv(GString *out, struct finding *finding);

#endif
