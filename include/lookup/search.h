/* SPDX-License-Identifier: BSD-2-Clause
 *
 * In which order Postfix asks tables for the parts of a host name, an address, an e-mail address.
 * Each key is asked of all tables in their order before the next key's turn. Pattern tables are
 * asked for the whole key alone. An ERROR of one table ends the search as ERROR, and so does an
 * empty value, as in Postfix: it says nothing. ENTRY_R, which may be NULL, is the entry that was
 * found (table_find_entry).
 *
 * Threads: a list is immutable, its tables lock themselves.
 */
#ifndef LOOKUP_SEARCH_H
#define LOOKUP_SEARCH_H

#include "base/ipaddr.h"
#include "lookup/table.h"
#include "mail/address.h"

struct table_list;

/* Opens the tables that a parameter VALUE names, separated by commas or white space
 * ("texthash:/a, inline:{x=y}"); none at all is an empty list, which never hits. NULL with errors
 * in CONTEXT if one of them cannot be opened. The caller frees it with table_list_free. */
struct table_list *table_list_open(const char *value, bool bare_path_is_texthash,
                                   const struct table_context *context);
void table_list_free(struct table_list *list); /* accepts NULL */

/* How many tables, and which; the list keeps the reference. NULL past the end. */
unsigned table_list_count(const struct table_list *list);
struct table *table_list_get(const struct table_list *list, unsigned index);

/* The tables by name, as they are written in settings, for the log: cut where they grow long. The
 * caller frees it. */
char *table_list_names(const struct table_list *list);

/* KEY as a whole. An empty KEY is not asked: MISS. */
enum lookup_status table_list_find(const struct table_list *list, const char *key, GString *value_r,
                                   GString *entry_r);

/* A client: its host NAME and parent domains as search_domain, then its ADDRESS, whole, then cut
 * at each "." (":") from the right: 192.0.2.1, 192.0.2, 192.0, 192; 2001:db8::1, 2001:db8:,
 * 2001:db8, 2001 (access(5)). NAME "unknown" is asked for like any other; NAME NULL, ADDRESS NULL
 * or IP_NONE are not asked. */
enum lookup_status search_client(const struct table_list *list, const char *name,
                                 const struct ipaddr *address, GString *value_r, GString *entry_r);

/* A host or domain name, then its parents: a.b.c, b.c, c; those that are longer than any name can
 * be, in bytes of UTF-8, are left out, as a stranger's HELO may have thousands. Nothing but the
 * whole of an IP address. No folding is done here; a trailing dot stays. */
#define SEARCH_PARENT_MAX 1020
enum lookup_status search_domain(const struct table_list *list, const char *domain,
                                 GString *value_r, GString *entry_r);

enum search_order {
    SEARCH_ACCESS,  /* access(5): user+ext@domain, user@domain, domain, its parents, user+ext@,
                       user@ */
    SEARCH_LOGIN,   /* smtpd_sender_login_maps: user+ext@domain, user@domain; user+ext, user if the
                       domain is local; @domain */
    SEARCH_PROFILE, /* user+ext@domain, user@domain, domain, .parent domains */
};

/* An e-mail address. RECIPIENT_DELIMITER: the characters any of which begins an extension (may be
 * NULL or ""); postmaster, mailer-daemon and double-bounce have none, nor have owner-x and
 * x-request when "-" is among them. The form with a quoted local part, if it needs quotes, is asked
 * before the plain form. The null sender is asked for as "<>". A malformed address is asked as
 * given, of pattern tables alone, then as its parts are understood. Without a domain (Postfix would
 * append its own) the local part is asked alone, with and without extension, then with "@" where
 * SEARCH_ACCESS has it. */
enum lookup_status search_address(const struct table_list *list, const struct mail_address *address,
                                  enum search_order order, const char *recipient_delimiter,
                                  bool domain_is_local, GString *value_r, GString *entry_r);

#endif
