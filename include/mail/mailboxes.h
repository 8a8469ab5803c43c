/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whose address stands in a field such as From:, To: or Reply-To:? Every address that a reader may
 * take out of it: of a field that obeys RFC 5322 (obsolete forms and comments included) and RFC
 * 6854 (groups) exactly those that it has; of any other those of several readings together, since
 * mail programs, libraries and MTAs mend such fields each in its own way. Where something remains
 * that no reading explains, the field is malformed, and anybody may be meant.
 *
 * By hand: a library gives one reading, which is one program's; what matters is who else may be
 * meant. Restrictions and lists ask here. mail/addrlist.h is the other reader: one answer,
 * SpamAssassin's.
 *
 * Threads: all functions are pure.
 */
#ifndef MAIL_MAILBOXES_H
#define MAIL_MAILBOXES_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Most addresses and bare words together that are kept; a field with more is `truncated`. */
#define MAILBOXES_MAX 10000

struct mailboxes {
    GPtrArray *addresses; /* of char *: local@domain without comments, white space and route, the
                           * local part quoted as it was; each once, in order of the field */
    GPtrArray *bare;      /* of char *: words that stand alone ("boss", or "Doe" of "Doe, John
                           * <john@lab.test>"), as the local part that an MTA would complete */
    bool malformed;       /* more, or something else, may be meant than is in addresses */
    bool truncated;       /* it holds more than MAILBOXES_MAX */
    bool group;           /* a group stands in it, perhaps with nobody in it */
};

/* Reads the raw VALUE of a field (encoded words not decoded, folds in place). Takes time in
 * proportion to LENGTH. The caller empties *MAILBOXES_R with mailboxes_clear. */
void mailboxes_read(const char *value, size_t length, struct mailboxes *mailboxes_r);

void mailboxes_clear(struct mailboxes *mailboxes);

#endif
