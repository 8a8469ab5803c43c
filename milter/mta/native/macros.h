/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The macros of a connection, by the stage that the MTA sent them for. A macro is visible from its
 * stage on, until that stage comes again: so it is with libmilter, which MTAs were made for.
 *
 * Threads: one at a time.
 */
#ifndef NATIVE_MACROS_H
#define NATIVE_MACROS_H

#include <stdbool.h>

#include "facts/facts.h"
#include "wire.h"

enum macros_stage {
    MACROS_CONNECT,
    MACROS_HELO,
    MACROS_MAIL,
    MACROS_RCPT,
    MACROS_DATA,
    MACROS_END_OF_MESSAGE,
    MACROS_END_OF_HEADER,
};
#define MACROS_STAGES 7

struct macros {
    struct {
        struct macro *list; /* the text they point into follows; NULL: none */
        unsigned count;
    } of[MACROS_STAGES];
};

/* Takes those of PACKET, whose first letter says for which command they are; for a command that
 * has no macros of its own they are dropped. What was known of that stage and later ones is
 * forgotten. false: the packet is none of macros. */
bool macros_take(struct macros *macros, const struct wire_packet *packet);

/* Forgets those of STAGE and of all later ones. */
void macros_forget(struct macros *macros, enum macros_stage stage);

/* For the session. */
struct macro_source macros_source(struct macros *macros);

#endif
