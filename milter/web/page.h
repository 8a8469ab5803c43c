/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The pages, as HTML. All text goes through chart_text.
 *
 * Threads: pure but for what the site's ASK does.
 */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include "web_reply.h"

/* The page that one looks at in the morning; PERSONAL: with decisions, keys and search. false: the
 * daemon does not answer, and the page says so. */
bool page_overview(const struct web_site *site, bool personal, GString *out);

/* What the history has of QUERY; returns what became of it. */
enum web_asked page_search(const struct web_site *site, const char *query, GString *out);

#endif
