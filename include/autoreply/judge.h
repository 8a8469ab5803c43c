/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The guard's three questions together: is it an auto-reply, does it go to somebody who answers no
 * human, does it quote. Only when all three are yes is there anything to be done.
 *
 * Threads: pure but for the memory, which locks itself.
 */
#ifndef AUTOREPLY_JUDGE_H
#define AUTOREPLY_JUDGE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "autoreply/body.h"
#include "autoreply/bounce_memory.h"
#include "autoreply/bounce_senders.h"
#include "autoreply/classify.h"
#include "autoreply/headers.h"
#include "autoreply/parsed.h"

struct autoreply_message {
    struct autoreply_headers headers;
    const char *sender; /* envelope, as the MTA gives it; "" or "<>": null; NULL: unknown */
    const char *const *recipients; /* envelope, as the MTA gives them */
    const char *const *typed; /* the same as clients wrote them, for replies; NULL: no others */
    size_t recipient_count;
    const struct bounce_senders *bounce_senders;
    struct bounce_memory *memory; /* NULL: none is kept */
    int64_t now;                  /* Unix time */
};

struct autoreply_judgement {
    bool is_autoreply, to_bounce_sender, quotes_original;
    char *bounce_sender; /* the first recipient of the kind, without brackets; NULL: none */
    GPtrArray *evidence; /* struct autoreply_evidence */
};

/* Whether the body must be read: header and envelope alone leave it possible that all three
 * answers are yes. To be asked at the end of the header. */
bool autoreply_needs_body(const struct autoreply_message *message);

/* Answers all three, whatever the first ones are. PARSED is what was seen of the body; with
 * TRUNCATED there was more, and the evidence says so. Fills *JUDGEMENT_R, to be emptied with
 * autoreply_judgement_clear. */
void autoreply_judge(const struct autoreply_message *message, const struct autoreply_parsed *parsed,
                     bool truncated, struct autoreply_judgement *judgement_r);
void autoreply_judgement_clear(struct autoreply_judgement *judgement);

/* All three are yes: the guard acts. */
bool autoreply_leaks(const struct autoreply_judgement *judgement);

#endif
