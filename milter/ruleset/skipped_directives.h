/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SpamAssassin's directives that gatepost passes over, with the reason; only directives.c reads
 * the table.
 */
#ifndef RULESET_SKIPPED_DIRECTIVES_H
#define RULESET_SKIPPED_DIRECTIVES_H

/* Why the directive KEY of SpamAssassin is skipped; NULL: it is no directive of SpamAssassin's. */
const char *skipped_directive_reason(const char *key);

/* Whether it defines a rule, which replaces an earlier one of its name. */
int skipped_directive_is_rule(const char *key);

#endif
