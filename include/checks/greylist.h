/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Greylisting: who was not seen before is asked to come again. What is kept is a mark for each
 * client group, sender and recipient; who came back twice is known by group and sender domain.
 *
 * Threads: one session, one thread at a time; functions on text are pure.
 */
#ifndef CHECKS_GREYLIST_H
#define CHECKS_GREYLIST_H

#include "checks/check.h"
#include "store/store.h"

/* When strangers are asked to come again; in the order of the setting's words. */
enum greylist_when { GREYLIST_SUSPICIOUS, GREYLIST_ALWAYS };

/* What all marks begin with: open and passed ones, groups that are known, groups let past by hand,
 * those whom our users wrote to. */
#define GREYLIST_MARK          "g:"
#define GREYLIST_KNOWN         "k:"
#define GREYLIST_HAND          "p:"
#define GREYLIST_CORRESPONDENT "c:"

/* Counters of the last week: marks opened, and those that came back. */
#define GREYLIST_OPENED_COUNT "s:greylist-opened"
#define GREYLIST_PASSED_COUNT "s:greylist-passed"
#define GREYLIST_COUNT_MS     (7 * 86400 * INT64_C(1000))

#define GREYLIST_KNOWN_MS (60 * 86400 * INT64_C(1000)) /* since last seen */
#define GREYLIST_GAP_MS   (3600 * INT64_C(1000))       /* between two passes that count */

/* The group that a client belongs to: its verified NAME (NULL: none) without the first label, if
 * what remains is no public suffix and the name does not hold the address; else the network (/24,
 * /64). The caller frees it. */
char *greylist_group(const char *name, const struct ipaddr *address);

/* The network alone. */
char *greylist_network(const struct ipaddr *address);

/* Whether NAME holds the digits of ADDRESS, as names of dial-up lines do. */
bool greylist_name_holds_address(const char *name, const struct ipaddr *address);

/* A sender with what changes from message to message taken out: extensions, digits (VERP), BATV and
 * SRS tags. Lower case. The caller frees it. */
char *greylist_fold_sender(const struct mail_address *sender, const char *recipient_delimiter);

/* An address as marks have it: lower case, without extension. The caller frees it. */
char *greylist_fold_address(const struct mail_address *address, const char *recipient_delimiter);

/* Whether nobody of this session, or not the current recipient, is ever greylisted. */
bool greylist_spares(const struct site *site, const struct facts *facts);

/* Remembers whom an authenticated user wrote to: RECIPIENTS, of char *. */
void greylist_remember(const struct site *site, const struct facts *facts, struct store *store,
                       const GPtrArray *recipients);

#endif
