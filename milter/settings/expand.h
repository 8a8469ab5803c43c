/* SPDX-License-Identifier: BSD-2-Clause
 *
 * $name, ${name} and $(name) in a value.
 */
#ifndef SETTINGS_EXPAND_H
#define SETTINGS_EXPAND_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct expansion {
    size_t limit; /* most bytes of the result */
    /* The expanded value of a parameter. NULL: there is none, and somebody was told why. */
    const char *(*value_of)(void *context, const char *name);
    void *context;
};

/* Appends TEXT to OUT with names expanded; `$$` becomes `$`, a `$` before a digit stays. false on
 * error; then *WHY_R is a text for the caller to free, or NULL when value_of has told why. */
bool expand(const struct expansion *expansion, const char *text, GString *out, char **why_r);

#endif
