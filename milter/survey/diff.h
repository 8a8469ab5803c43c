/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What changed between two runs, and how much it means.
 *
 * Threads: one thread at a time (the history's).
 */
#ifndef SURVEY_DIFF_H
#define SURVEY_DIFF_H

#include "history.h"

enum diff_class {
    DIFF_ALARM,       /* something was lost for certain: encryption, a version, DANE, the MX */
    DIFF_UNCONFIRMED, /* the same, seen too few times or too close together to be certain */
    DIFF_CHANGE,
    DIFF_RENEWAL, /* another certificate with the same key, or that DANE's records still match */
    DIFF_NOISE,   /* what says nothing: no answer, another address of the same MX */
};

/* A loss is certain when the last three definite observations agree on it, or when those that agree
 * span a day. */
enum { DIFF_AGREE = 3, DIFF_SPAN_S = 86400 };

struct difference {
    enum diff_class class;
    char *domain;
    char *mx;      /* NULL: of the domain */
    char *address; /* NULL: of the MX */
    char *text;    /* "STARTTLS is gone (was TLS 1.2), seen 3 times since 2016-05-01" */
};

/* "alarm" "unconfirmed" "change" "renewal" "noise" */
const char *diff_class_text(enum diff_class class);

/* What is different in run B from run A, judged by all observations up to B; of the domains that
 * both looked at, in B's order, the worst of a domain first. An alarm is told by the comparison in
 * which it became certain and by no later one. An array that frees its struct difference. */
GPtrArray *diff_runs(struct history *history, int64_t a, int64_t b);

/* Whether FINDING, of a run that is not in the history yet, is a loss against what was last known
 * for certain. */
bool diff_is_loss(struct history *history, const struct finding *finding);

#endif
