/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Addresses and display names in fields such as From:, To:, Reply-To: (RFC 5322 3.4), taken out
 * of whatever stands there as SpamAssassin 4.0 takes them (its :addr and :name), so that rules
 * and lists written for it compare the same strings. By hand, because no library takes what
 * SpamAssassin takes out of a field that RFC 5322 does not know.
 *
 * Threads: all functions are pure.
 */
#ifndef MAIL_ADDRLIST_H
#define MAIL_ADDRLIST_H

#include <glib.h>
#include <stddef.h>

/* One field gives at most so many entries; the rest is not read. */
#define ADDRLIST_MAX 10000

struct addrlist_entry {
    char *address; /* local@domain as written; NULL: this entry has only a name */
    char *name;    /* display name or comment, not decoded, quotes resolved; NULL: none */
};

/* Reads the raw VALUE of a field (encoded words not decoded, folds in place). Returns an array of
 * struct addrlist_entry, which frees them; it is empty when nothing was found. */
GPtrArray *addrlist_parse(const char *value, size_t length);

/* The display name as a reader sees it: encoded words decoded, white space made single spaces,
 * one pair of single quotes around it removed. The caller frees it. */
char *addrlist_display_name(const struct addrlist_entry *entry);

#endif
