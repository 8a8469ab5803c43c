/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The words by which people and programs are recognised, in the languages of the common clients.
 * All are written as phrases_fold leaves them: lower case, plain quotes, hyphens and spaces.
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

/* Each finds TEXT (folded) in its list and returns the phrase of the list, or NULL. */

/* Subjects that begin so, with no reply prefix before: "automatic reply:". */
const char *phrases_auto_prefix(const char *subject);
/* Subjects that hold this anywhere: "out of office". */
const char *phrases_auto_subject(const char *subject);
/* Texts that hold this say of themselves that they are automatic. */
const char *phrases_auto_body(const char *text);
/* Texts that begin so are bounces of programs that make no MIME report. */
const char *phrases_bounce_body(const char *text);

/* Whether TEXT is what stands between dashes before an original: "original message". With BARE the
 * list of what needs no dashes but a colon: "your message was". */
const char *phrases_separator(const char *text, bool bare);

/* Finds "wrote" and its like in TEXT[SIZE]; the end of the last one found, or NULL. */
const char *phrases_verb_end(const char *text, size_t size);
/* Whether TEXT begins as attributions of some language do: "on ", "am ". */
bool phrases_attribution_lead(const char *text);

/* Labels of header blocks, bits so that those seen can be summed. */
enum phrases_label {
    LABEL_NONE = 0,
    LABEL_FROM = 1,
    LABEL_DATE = 2,
    LABEL_TO = 4,
    LABEL_SUBJECT = 8,
    LABEL_CC = 16,
    LABEL_RAW = 32, /* a field that only machines write: "received" */
};
enum phrases_label phrases_label(const char *text, size_t size);

#endif
