/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What gatepost.conf says held against what the MTA has.
 *
 * Threads: one thread at a time.
 */
#ifndef SETUP_COMPARE_H
#define SETUP_COMPARE_H

#include "task.h"

/* Warns of each thing by which gatepost.conf's ID falls short of VALUE, which is what the MTA
 * called MTA ("Postfix", or a service of its) has for SECTION (NULL: all), in gatepost.conf's
 * words; what only gatepost.conf has is a note where it may be a mistake. What both can match is
 * asked, tables and files included, so that it does not matter how either writes it. Domains,
 * networks and tables are compared one by one, other values as text; a setting that setup never
 * prints is a bug. */
void compare_setting(struct setup_task *task, const struct section *section, const char *mta,
                     enum setting id, const char *value);

/* Whether gatepost.conf's ID has a word that MTA_VALUE lacks: who wrote it by hand may have covered
 * what cannot be compared. */
bool compare_has_own(const struct setup_task *task, enum setting id, const char *mta_value);

#endif
