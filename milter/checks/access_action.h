/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The actions of access tables (access(5)): for access.c, which takes them, and access_value.c,
 * which looks for mistakes.
 *
 * Threads: constant data.
 */
#ifndef CHECKS_ACCESS_ACTION_H
#define CHECKS_ACCESS_ACTION_H

#include "restrictions.h"

struct access_result;

struct access_action {
    const char *word;
    enum check_result (*run)(struct access_result *result);
    const char *(*fault)(const char *text); /* what is wrong with the text behind it; NULL: anything
                                               goes */
    bool forbidden;                         /* it would lose or divert mail: never taken */
};

/* The action that VALUE names and the text behind it, and the code if it is one; NULL if it must be
 * restrictions. */
const struct access_action *access_action_of(const char *value, const char **text_r,
                                             unsigned *code_r);

/* CHECK_CANNOT_TELL, and for the log table, key and result: VALUE is what the table said of SUBJECT
 * (NULL: it could say nothing), FAULT what is wrong with it. */
enum check_result access_cannot_tell(struct check *check, const char *subject, const char *value,
                                     const char *fault);

#endif
