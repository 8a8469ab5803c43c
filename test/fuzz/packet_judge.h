/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The session oracle for who sees packets only: which macros a step of the session sees, and where
 * a message begins and ends, worked out from what the MTA says. What does not hold aborts.
 */
#ifndef PACKET_JUDGE_H
#define PACKET_JUDGE_H

#include <stddef.h>
#include <stdint.h>

#include "session_oracle.h"

#define PACKET_STAGES 7

struct packet_judge {
    struct oracle oracle;
    uint32_t steps;                    /* that were agreed on */
    GByteArray *macros[PACKET_STAGES]; /* as they came, by the stage they came for */
    bool connected, in_message;
    bool ahead;  /* macros of a MAIL to come */
    bool judged; /* the message: its MAIL was not refused in silence */
    char letter; /* of the step that is to be judged; 0: none is */
    char *path;  /* of a RCPT */
};

void packet_judge_clear(struct packet_judge *judge);

/* The MTA said a packet. */
void packet_judge_said(struct packet_judge *judge, char letter, const unsigned char *data,
                       size_t length);

/* The step is done, and SESSION ready; or, where only the answer is seen, LETTER. */
void packet_judge_session(struct packet_judge *judge, const struct session *session);
void packet_judge_answer(struct packet_judge *judge, char letter);

#endif
