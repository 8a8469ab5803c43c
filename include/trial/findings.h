/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a message itself told: its score and the rules that made it, charsets and scripts.
 */
#ifndef TRIAL_FINDINGS_H
#define TRIAL_FINDINGS_H

#include <glib.h>

#include "trial/messagefile.h"
#include "policy/session.h"

struct script_share {
    const char *name; /* static */
    double share;     /* 0 to 1 */
};

struct findings {
    double score;
    double required;     /* from here on a message is tagged */
    const char *profile; /* whose thresholds and scores these are; of the snapshot; NULL: none */
    GPtrArray *rules;    /* of struct spam_hit *: those that hit */
    GPtrArray *charsets; /* of char *: canonical names, in the order in which they were met */
    GArray *scripts;     /* of struct script_share, the largest first */
};

void findings_init(struct findings *findings);
void findings_clear(struct findings *findings);

/* Fills FINDINGS, which was initialised, from a session that has come to its end. Charsets and
 * scripts are told of whether rules ask for them or not. MESSAGE NULL: the envelope alone. */
void findings_read(struct findings *findings, const struct session *session,
                   const struct message_file *message);

#endif
