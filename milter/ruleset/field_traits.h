/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The charsets and scripts of the fields that charset and script rules name after "in", found once
 * a message for each of them, however many rules name it.
 *
 * Threads: what was found belongs to the thread that tries the rules.
 */
#ifndef RULESET_FIELD_TRAITS_H
#define RULESET_FIELD_TRAITS_H

#include "charset_scan.h"
#include "ruleset/traits.h"
#include "work.h"

struct field_traits;

/* SOURCES (struct source) are those that rules name, TRAITS are the whole message's; all is
 * borrowed, and what is looked at is taken of WORK. The caller frees it. */
struct field_traits *field_traits_new(const GArray *sources, const struct ruleset_message *message,
                                      const struct traits *traits, struct work *work);
void field_traits_free(struct field_traits *fields);

/* The letters, or the charsets, of the source at PLACE; NULL: the work is spent. */
const struct script_counts *field_traits_scripts(struct field_traits *fields, unsigned place);
const struct charset_scan *field_traits_charsets(struct field_traits *fields, unsigned place);

#endif
