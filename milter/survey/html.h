/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The page of a survey: one file, with nothing from the net and no script.
 *
 * Threads: the history's.
 */
#ifndef SURVEY_HTML_H
#define SURVEY_HTML_H

#include "history.h"

/* Appends the page of the last run and of the history of its domains; false: there is no run. */
bool html_page(GString *out, struct history *history);

#endif
