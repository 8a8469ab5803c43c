/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values: whether a text is one of a parameter's type and bounds, and the number it stands for.
 */
#ifndef SETTINGS_VALUE_H
#define SETTINGS_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "settings/settings_table.h"

struct value_number {
    int64_t integer; /* see settings_integer */
    double score;
};

/* Reads TEXT as a value of ROW. NULL if it is one; else what is wrong with it, for the caller to
 * free. */
char *value_read(const struct setting_row *row, const char *text, struct value_number *number_r);

/* What is wrong with the NAME of a listener, which is that of a daemon, or ":PORT" as the MTA
 * writes a port: one that is written otherwise would never be met. Static text, which the name in
 * quotes follows; NULL: nothing. */
const char *value_listener_fault(const char *name);

/* At most 60 bytes of TEXT in double quotes, cut between characters; the caller frees it. */
char *value_quote(const char *text);

#endif
