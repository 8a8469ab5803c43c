/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Postfix's match lists: mynetworks and lists of domains. Patterns stand in order, the first that
 * matches decides, "!" before one makes its match a "no".
 *
 *   192.0.2.0/24  192.0.2.1  [2001:db8::]/32      MATCH_NETWORKS: networks, addresses
 *   example.com                                   MATCH_DOMAINS: this name;
 *                                                 MATCH_NETWORKS: a client of this name or below
 *   .example.com                                  names below example.com, not itself
 *   [192.0.2.1]  [IPv6:2001:db8::1]               MATCH_DOMAINS: an address literal
 *   /path                                         the patterns in that file, a line or several to
 *                                                 a line, "#" begins a comment (Sendmail's
 *                                                 local-host-names); no further /path in it
 *   type:name                                     a table; any value is a match
 *
 * Names are compared folded and without a trailing dot.
 *
 * Threads: a list locks itself; any thread may ask it while another refreshes it.
 */
#ifndef LOOKUP_MATCHLIST_H
#define LOOKUP_MATCHLIST_H

#include "base/ipaddr.h"
#include "lookup/table.h"

enum match_kind { MATCH_NETWORKS, MATCH_DOMAINS };

/* Patterns of one list, those of its files included; more are an error (in a file: a warning, and
 * the rest is skipped). */
#define MATCH_LIST_MAX 1000000u

struct match_list;

/* Reads the list in VALUE. A bad pattern in it, a file that cannot be read or a table that cannot
 * be opened is an error in CONTEXT and the result is NULL; a bad pattern in a /path file is a
 * warning at its FILE:LINE and is skipped; a table named in such a file that cannot be opened is a
 * warning and answers ERROR when its turn comes. Returns a reference for match_list_unref. */
struct match_list *match_list_open(const char *value, enum match_kind kind,
                                   const struct table_context *context);
struct match_list *match_list_ref(struct match_list *list);
void match_list_unref(struct match_list *list); /* accepts NULL */

/* HIT: the first pattern that matches has no "!". MISS: it has one, or none matches. ERROR: a table
 * before that cannot tell. Tables are asked for the address; name patterns never match here. */
enum lookup_status match_list_find_address(struct match_list *list, const struct ipaddr *address);

/* As match_list_find_address, but patterns that are names are compared with the client's host NAME,
 * and tables are asked for it and its parents too, as Postfix does for mynetworks. NAME NULL, "" or
 * "unknown" is not compared. Beware: who writes the reverse DNS of an address (and the forward zone
 * that confirms it) decides what this answers; a list of networks alone is safer. ADDRESS may be
 * NULL. ENTRY_R, which may be NULL too, is of a HIT where the pattern stands: "FILE:LINE", or an
 * entry of a table (table_find_entry); of one that stands in LIST itself, and else, it is empty. */
enum lookup_status match_list_find_client(struct match_list *list, const struct ipaddr *address,
                                          const char *name, GString *entry_r);

/* Asks a MATCH_DOMAINS list for a domain or address literal. Tables are asked for the name, then,
 * unless they are pattern tables, for each .parent. */
enum lookup_status match_list_find_domain(struct match_list *list, const char *domain);

/* Calls VISIT for the names that stand in LIST and its files, exclusions and literals aside, until
 * it returns false. Returns whether these are all that the list can match: not where it has tables
 * or names below others, nor when there are more than LIMIT, which are then left out. */
bool match_list_each_name(struct match_list *list, unsigned limit,
                          bool (*visit)(void *data, const char *name), void *data);

/* Calls VISIT for each table that the list, or a file of its, names without "!". */
void match_list_each_table(struct match_list *list, void (*visit)(void *data, struct table *table),
                           void *data);

/* Calls VISIT for the networks that stand in LIST, its files and cidr tables, exclusions aside,
 * with their place (of LIST itself: FILE is NULL, LINE 0). */
void match_list_each_network(struct match_list *list,
                             void (*visit)(void *data, const char *file, unsigned line,
                                           const struct ipnet *net),
                             void *data);

/* Reads /path files again that changed, like table_refresh; its tables as well unless they belong
 * to a set (which refreshes them itself). Returns whether something was swapped. */
bool match_list_refresh(struct match_list *list, struct problems *problems);

#endif
