/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Finds which of many literals occur in a text in one pass (Aho and Corasick, 1975). Letters are
 * compared without case, Latin-1's too.
 *
 * Threads: immutable after prefilter_finish.
 */
#ifndef RULESET_PREFILTER_H
#define RULESET_PREFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* States that one prefilter may have; literals beyond are not taken. */
#define PREFILTER_STATES_MAX 32000

struct prefilter;

struct prefilter *prefilter_new(void);
void prefilter_free(struct prefilter *prefilter); /* accepts NULL */

/* Adds a literal that stands for NUMBER; several may stand for the same. false: no more room. */
bool prefilter_add(struct prefilter *prefilter, const char *literal, size_t length,
                   unsigned number);

/* Must be called once after the last literal. */
void prefilter_finish(struct prefilter *prefilter);

/* Sets FOUND[number] = 1 for each literal that occurs in the text. */
void prefilter_scan(const struct prefilter *prefilter, const char *text, size_t length,
                    uint8_t *found);

/* Calls FOUND for each place where a literal of NUMBER occurs, in the order of the places where
 * these END, until it returns false; the case of letters is not compared. */
void prefilter_find(const struct prefilter *prefilter, const char *text, size_t length,
                    bool (*found)(void *data, unsigned number, size_t end), void *data);

/* The lower case of a byte as patterns with the flag i compare it (ASCII and Latin-1). */
unsigned char prefilter_fold(unsigned char c);

#endif
