/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether a decision names a person, in whatever spelling an address stands in it: any case, the
 * domain in its own letters or the DNS's, the local part in quotes, extensions of the address, and
 * within texts (replies, a header that was kept): percent-encoded, in encoded words, as a part of
 * the addresses that VERP and SRS make of it. In doubt it does.
 *
 * Threads: pure.
 */
#ifndef HISTORY_HISTORY_PERSON_H
#define HISTORY_HISTORY_PERSON_H

#include "history/history_row.h"

struct history_person;

/* ADDRESS, local@domain. DELIMITERS: characters any of which begins an extension, so that
 * local+anything@domain is the same person; an address that has an extension itself is that alone.
 * BARE_LOGIN: who logs in as the local part alone is this person as well. NULL: ADDRESS is none.
 * The caller frees it. */
struct history_person *history_person_new(const char *address, const char *delimiters,
                                          bool bare_login);
/* DELIMITERS, as they were given: the person's. */
const char *history_person_delimiters(const struct history_person *person);
void history_person_free(struct history_person *person); /* accepts NULL */

enum history_named {
    HISTORY_NAMED_NOT,
    HISTORY_NAMED_EXTENSION, /* by addresses with an extension alone */
    HISTORY_NAMED,
};

/* Whether TEXT, of LENGTH bytes of any kind, names the person. */
enum history_named history_person_in_text(const struct history_person *person, const char *text,
                                          size_t length);

/* Whether any text of ROW does. */
enum history_named history_person_in_row(const struct history_person *person,
                                         const struct history_row *row);

#endif
