/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The words by which people and programs are recognised, in the languages of the common clients:
 * those of phrases.txt, compiled into the program.
 *
 * Threads: immutable.
 */
#ifndef AUTOREPLY_PHRASES_H
#define AUTOREPLY_PHRASES_H

#include <stdbool.h>
#include <stddef.h>

/* Folds SIZE bytes of valid UTF-8 for comparison: lower case character by character, typographic
 * quotes, dashes, colons, angle brackets and spaces made ASCII, marks without width left out.
 * Line ends stay, carriage returns go, so lines keep their numbers. The caller frees it. */
char *phrases_fold(const char *text, size_t size);

/* What a phrase is, a bit each, in the order of the sections of phrases.txt. */
enum phrases_kind {
    PHRASE_SUBJECT_PREFIX = 1 << 0,
    PHRASE_SUBJECT = 1 << 1,
    PHRASE_TEXT = 1 << 2,
    PHRASE_BOUNCE_TEXT = 1 << 3,
    PHRASE_SEPARATOR = 1 << 4,
    PHRASE_SEPARATOR_BEFORE = 1 << 5,
    PHRASE_BARE_SEPARATOR = 1 << 6,
    PHRASE_VERB = 1 << 7,
    PHRASE_LEAD = 1 << 8,
    PHRASE_LABEL_FROM = 1 << 9,
    PHRASE_LABEL_DATE = 1 << 10,
    PHRASE_LABEL_TO = 1 << 11,
    PHRASE_LABEL_CC = 1 << 12,
    PHRASE_LABEL_SUBJECT = 1 << 13,
    PHRASE_LABEL_RAW = 1 << 14,
};

/* Each looks for whole words in TEXT (folded, valid UTF-8) and returns the phrase of the list that
 * it found first, or NULL. */

/* Subjects that begin so, with no reply prefix before: "automatic reply:". */
const char *phrases_auto_prefix(const char *subject);
/* Subjects that hold this or a prefix anywhere: "out of office". */
const char *phrases_auto_subject(const char *subject);
/* Whether a subject begins with either. */
bool phrases_auto_start(const char *subject);
/* Texts that hold this say of themselves that they are automatic, or that somebody is away. */
const char *phrases_auto_body(const char *text);
/* Texts that begin so are bounces of programs that make no MIME report. */
const char *phrases_bounce_body(const char *text);

/* Whether TEXT is what stands between dashes before an original: "original message". With BARE what
 * needs no dashes but a colon: "your message was". */
bool phrases_separator(const char *text, bool bare);

/* Finds "wrote" and its like in TEXT[SIZE]; the end of the last one found, or NULL. */
const char *phrases_verb_end(const char *text, size_t size);
/* Whether TEXT begins as attributions of some language do: "on ", "am ". */
bool phrases_attribution_lead(const char *text);

/* Labels of header blocks, bits so that those seen can be summed, in the order of the kinds. */
enum phrases_label {
    LABEL_NONE = 0,
    LABEL_FROM = 1,
    LABEL_DATE = 2,
    LABEL_TO = 4,
    LABEL_CC = 8,
    LABEL_SUBJECT = 16,
    LABEL_RAW = 32, /* a field that only machines write: "received" */
};
enum phrases_label phrases_label(const char *text, size_t size);

#endif
