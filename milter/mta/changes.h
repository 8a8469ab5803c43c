/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is to be done to a message, one change after the other, in the order in which the MTA must
 * hear of them: so that an engine can say a body of 20 MB packet by packet.
 *
 *     changes_begin(&changes, answer, actions, leading_space);
 *     while (changes_next(&changes, &change) > CHANGES_CANNOT)
 *         tell the MTA;
 *
 * Threads: pure.
 */
#ifndef MTA_CHANGES_H
#define MTA_CHANGES_H

#include <stdint.h>

#include "policy/session.h"

/* Bytes of a body in one packet. */
#define CHANGES_PIECE_MAX 65535

enum changes_kind {
    CHANGES_DONE,
    CHANGES_CANNOT, /* the MTA does not allow it, or it would be no header: refuse for now */
    CHANGES_HEADER, /* name, value (NULL: delete it), index: which of that name, from 1 */
    CHANGES_BODY,   /* data, length: a piece of the new body */
    CHANGES_INSERT, /* name, value; index: its place from the top, from 0 */
    CHANGES_HOLD,   /* value: why */
};

/* One change; what it points at lives until the next call. */
struct change {
    enum changes_kind kind;
    const char *words; /* what it does: "add a header" */
    const char *name, *value;
    unsigned index;
    const void *data;
    size_t length;
};

struct changes {
    const struct session_answer *answer;
    uint32_t actions;
    bool leading_space;
    unsigned act; /* index in the table of acts */
    size_t done;  /* of it */
    char *name, *value;
};

/* ACTIONS: those that were agreed on (ACTION_ of agreement.h). LEADING_SPACE: a value is taken as
 * it stands behind the colon. ANSWER must live as long as CHANGES. */
void changes_begin(struct changes *changes, const struct session_answer *answer, uint32_t actions,
                   bool leading_space);

/* The next change; its kind. After CHANGES_DONE and CHANGES_CANNOT there is none. */
enum changes_kind changes_next(struct changes *changes, struct change *change_r);

void changes_clear(struct changes *changes);

#endif
