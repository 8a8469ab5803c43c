/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a text must hold for a pattern to match it, and where: so that patterns need not be tried
 * where it does not. Read off the pattern; what is not understood is never guessed.
 *
 * Threads: all functions are pure.
 */
#ifndef RULESET_NEEDS_H
#define RULESET_NEEDS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Most literals of one step, and the longest that is kept: a part of what must occur must occur,
 * too. Most steps that are kept. */
#define NEEDS_LITERALS_MAX 64
#define NEEDS_LENGTH_MAX   24
#define NEEDS_STEPS_MAX    4

/* Most bytes of a run. */
#define NEEDS_RUN_MAX 6

/* No limit to how far behind the beginning of a match something may stand. */
#define NEEDS_ANYWHERE G_MAXSIZE

/* Each match holds one of these literals; steps follow each other without overlap. */
struct needs_step {
    GPtrArray *literals; /* GString, none of them empty */
    bool loose;          /* the literal may lie outside of the match, and so overlap anything */
    size_t near, far;    /* unless loose: bytes from the match's beginning to the literal's */
};

/* Bytes in a row, each of a set. */
struct needs_run {
    unsigned length;
    double rarity; /* bits: how unlikely such a run is at a given place of a header */
    guint8 sets[NEEDS_RUN_MAX][32];
};

struct needs {
    GPtrArray *steps; /* struct needs_step; empty: no literal is known */
    GPtrArray *runs;  /* struct needs_run, one of which each match holds; NULL: not known */
    bool caseless;    /* the case of letters may not count */
};

/* Reads PATTERN, without delimiters and without the flag x; CASELESS: it has the flag i. NULL if
 * nothing is known; the caller frees it with needs_free. */
struct needs *needs_read(const char *pattern, bool caseless);
void needs_free(struct needs *needs); /* accepts NULL */

#endif
