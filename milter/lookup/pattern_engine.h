/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The two kinds of patterns, behind one face.
 */
#ifndef LOOKUP_PATTERN_ENGINE_H
#define LOOKUP_PATTERN_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

#include "lookup/table.h"
#include "template.h"

struct pattern_engine {
    unsigned flags; /* those in force when none are written */

    /* The flag that LETTER toggles; 0 if there is no such letter. */
    unsigned (*flag)(char letter);

    /* Whether "/pattern/flags!/pattern/flags" may be written: the first and not the second. */
    bool second_pattern;

    /* Compiles PATTERN; its groups are needed if CAPTURES. NULL with *WHY_R, for g_free. *WHY_R
     * beside a result, where it is NULL before, is something that the writer should know. */
    void *(*compile)(const char *pattern, unsigned flags, bool captures, char **why_r);
    unsigned (*groups)(const void *code);

    /* Whether CODE matches KEY; fills spans[0..COUNT-1] on a HIT. ERROR: it would take too long.
     * Threads: any number at once. */
    enum lookup_status (*match)(const void *code, const char *key, size_t length,
                                struct span *spans, unsigned count);
    void (*free)(void *code);
};

extern const struct pattern_engine pcre_engine, regexp_engine;

#endif
