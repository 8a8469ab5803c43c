/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the pages are made of. All that is not written in the sources is escaped.
 *
 * Threads: pure but for OUT.
 */
#ifndef WEB_HTML_PARTS_H
#define WEB_HTML_PARTS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "answer_lines.h"

/* The head of a page, up to its content. REFRESH: seconds after which it is loaded anew; 0: never.
 * DAEMON: the line of that kind, NULL: it does not answer. QUERY: what the form of the search has
 * in it; NULL: there is no form. */
struct html_head {
    const char *title;
    unsigned refresh;
    const struct answer_line *daemon;
    const char *query;
    bool may_sign_in; /* there is a token, which was not sent */
};
void html_begin(GString *out, const struct html_head *head);
void html_end(GString *out);

/* A cell of a table with TEXT; LABEL (static, may be NULL) stands before it on a telephone. */
void html_cell(GString *out, const char *label, const char *text);
void html_address_cell(GString *out, const char *label, const char *address); /* breaks at "@" */
void html_number_cell(GString *out, const char *label, double number);

/* "3 d 4 h", "12 min": of SECONDS. */
char *html_duration(int64_t seconds);
/* "2026-11-27 09:12:33" of local time, and the name of its zone. */
char *html_time(int64_t seconds);
char *html_zone(void);

/* A badge for an action of the log, refused or not. */
void html_action(GString *out, const char *action, bool monitor);

/* A bar of SHARE (0 to 1) in a colour. */
void html_bar(GString *out, double share, const char *colour);

#endif
