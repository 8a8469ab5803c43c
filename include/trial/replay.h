/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the policy of today would have decided on what came then: the facts of a recorded row are
 * told to the very engine as an MTA told them, with the answers of the DNS as they were. What
 * guard, limits, greylisting and rules said is taken as recorded, scores by the rule files of
 * today. What cannot be judged is said to be so, with the reason.
 *
 * Threads: one thread at a time; a replay for each thread.
 */
#ifndef TRIAL_REPLAY_H
#define TRIAL_REPLAY_H

#include "history/history_row.h"
#include "policy/snapshot.h"

enum replay_judgement { REPLAY_SAME, REPLAY_CHANGED, REPLAY_UNJUDGED };

/* A decision: what, by which restriction (NULL: none), whether it was marked as spam. */
struct replay_side {
    enum action action;
    const char *check;
    bool tagged;
};

struct replay_outcome {
    enum replay_judgement judgement;
    struct replay_side before, after;
    bool unseen;        /* CHANGED: recipients are accepted who were not; the message never came */
    const char *reason; /* UNJUDGED: static */
    const char *recipient; /* CHANGED: whom it meets; the row's, or NULL: all */
    char *reply;           /* the new one; NULL: none. Until the next run */
};

struct replay_options {
    bool asks_dns; /* ask the DNS now instead */
    /* The rules_text that a name stands for, for g_free; NULL: nobody knows. Called by the replay's
     * thread. */
    char *(*ruleset)(void *data, const char *name);
    /* Whether, before ROW, its session has a row of its sender that replay_is_told_mail; NULL: the
     * rows come in their order and all to this one replay, which remembers. */
    bool (*mail_told)(void *data, const struct history_row *row);
    void *data;
};

struct replay;

/* Holds a reference of its own to SNAPSHOT. */
struct replay *replay_new(struct snapshot *snapshot, const struct replay_options *options);
void replay_free(struct replay *replay); /* accepts NULL */

/* Whether ROW tells of a MAIL that monitor mode would have refused and let pass. */
bool replay_is_told_mail(const struct history_row *row);

/* Judges ROW anew. What *OUTCOME_R holds lives until the next run, or as long as ROW. */
void replay_run(struct replay *replay, const struct history_row *row,
                struct replay_outcome *outcome_r);

#endif
