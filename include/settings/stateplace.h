/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where the state is kept, as gatepost.conf writes it: sqlite:PATH, memory:.
 *
 * Threads: pure.
 */
#ifndef SETTINGS_STATEPLACE_H
#define SETTINGS_STATEPLACE_H

#include <stdbool.h>

#define STATE_PATH_MAX 4000

enum state_kind { STATE_SQLITE, STATE_MEMORY };

struct state_place {
    enum state_kind kind;
    char path[STATE_PATH_MAX + 1]; /* STATE_SQLITE: absolute, names a file; else empty */
};

/* Reads TEXT; false with *WHY_R (static text, a remedy) if it is no such place, or one that this
 * version cannot use. */
bool state_place_parse(const char *text, struct state_place *place_r, const char **why_r);

#endif
