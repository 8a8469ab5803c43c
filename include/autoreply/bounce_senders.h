/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The addresses that answer no human (`bounce_senders`): patterns over local parts, and the forms
 * in which they come: VERP (bounces-user=example.org@, bounce-4711@), BATV (prvs=tag=user@), SRS0
 * and SRS1, sender-specified routing (user%example.org@), other hyphens (no_reply@), a name before
 * (shop-noreply@), other list managers' (owner-list@), and what programs write for the null path.
 *
 * Threads: immutable after bounce_senders_new.
 */
#ifndef AUTOREPLY_BOUNCE_SENDERS_H
#define AUTOREPLY_BOUNCE_SENDERS_H

#include <glib.h>
#include <stdbool.h>

#include "autoreply/headers.h"
#include "base/problems.h"

struct bounce_senders;

/* What `bounce_senders` is when nobody sets it. */
#define BOUNCE_SENDERS_DEFAULT                                                                     \
    "<> postmaster mailer-daemon double-bounce bounce bounces noreply no-reply do-not-reply "      \
    "donotreply *-bounces bounces+* prvs=*"

/* Compiles TEXT: words separated by commas or white space. A word is a pattern for a local part,
 * without regard to case, where * is any run of characters and ? one, and - in a word without
 * either is _ and . too; a word that ends in "reply" may have a name and - before it, and
 * "*-bounces" is "owner-*" and "*-return-*=*" too; with an @ it is a pattern for the whole address;
 * "<>" is the null path and what stands for it (an empty address, MAILER-DAEMON, qmail's #@[]).
 * Problems are added to PROBLEMS (may be NULL) under FILE and LINE. Returns NULL on an error; the
 * caller frees it with bounce_senders_free. */
struct bounce_senders *bounce_senders_new(const char *text, struct problems *problems,
                                          const char *file, unsigned line);
void bounce_senders_free(struct bounce_senders *senders);

/* Whether PATH (an envelope address as the MTA gives it, with or without brackets) is one. */
bool bounce_senders_match(const struct bounce_senders *senders, const char *path);

/* The first of COUNT envelope RECIPIENTS that is one, or is as it was TYPED (NULL: as RECIPIENTS),
 * told as typed, without brackets; else the first address in To: or Cc: that some reader of mail
 * may find there; NULL: none. The caller frees it. Tells all of them in EVIDENCE (may be NULL). */
char *bounce_senders_find(const struct bounce_senders *senders, const char *const *recipients,
                          const char *const *typed, size_t count,
                          const struct autoreply_headers *headers, GPtrArray *evidence);

#endif
