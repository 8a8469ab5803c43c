/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is agreed on with an MTA before anything else: the numbers of the milter protocol, and what
 * gatepost wants of it. The same with every engine.
 *
 * Threads: pure.
 */
#ifndef MTA_AGREEMENT_H
#define MTA_AGREEMENT_H

#include <stdint.h>

#include "policy/snapshot.h"

/* What a filter may do to a message. */
enum {
    ACTION_ADD_HEADERS = 0x1,
    ACTION_CHANGE_BODY = 0x2,
    ACTION_CHANGE_HEADERS = 0x10,
    ACTION_QUARANTINE = 0x20,
    ACTION_SET_MACROS = 0x100, /* the filter says which macros it wants */
};

/* What is left out of the conversation: a command, or the answer to it. */
enum {
    STEP_NO_BODY = 0x10,
    STEP_NO_HEADERS = 0x20,
    STEP_NO_END_OF_HEADER = 0x40,
    STEP_SILENT_HEADER = 0x80,
    STEP_NO_UNKNOWN = 0x100,
    STEP_NO_DATA = 0x200,
    STEP_SKIP = 0x400, /* the rest of a body may be declined */
    STEP_SILENT_CONNECT = 0x1000,
    STEP_SILENT_HELO = 0x2000,
    STEP_SILENT_MAIL = 0x4000,
    STEP_SILENT_RCPT = 0x8000,
    STEP_SILENT_DATA = 0x10000,
    STEP_SILENT_UNKNOWN = 0x20000,
    STEP_SILENT_END_OF_HEADER = 0x40000,
    STEP_SILENT_BODY = 0x80000,
    STEP_LEADING_SPACE = 0x100000, /* header values stand as they are, their first space included */
    STEP_PACKETS_256K = 0x10000000,
    STEP_PACKETS_1M = 0x20000000,
};

/* What may become of a message, whatever the policy. */
#define AGREEMENT_ACTIONS                                                                          \
    (ACTION_ADD_HEADERS | ACTION_CHANGE_HEADERS | ACTION_CHANGE_BODY | ACTION_QUARANTINE)

/* The steps that a policy with NEEDS agrees on, as far as the MTA offers them. Nobody is refused at
 * CONNECT and HELO: an MTA drops the text of such a reply, and so it is given at MAIL. */
uint32_t agreement_steps(const struct snapshot_needs *needs);

/* The lists of macros to be asked for: PLACE is the protocol's number of the stage. Where NOTHING
 * is asked that is said, too, by a list of one space: for an empty list, or none, Postfix sends its
 * own, that for the end of the header before each field; and Sendmail takes ours for the end of a
 * message only beside one for the end of the header that is not empty. */
struct agreement_macros {
    int place;
    enum stage stage;
    bool nothing;
};
#define AGREEMENT_MACRO_LISTS 7
extern const struct agreement_macros agreement_macros[AGREEMENT_MACRO_LISTS];

/* The names for a row, separated by spaces; made once. */
const char *agreement_macro_list(const struct agreement_macros *row);

#endif
