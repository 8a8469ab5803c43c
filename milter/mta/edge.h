/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What speaks the milter protocol with the MTA: a row an engine.
 *
 * Threads: as of mta/mta.h.
 */
#ifndef MTA_EDGE_H
#define MTA_EDGE_H

#include "mta/mta.h"

struct edge {
    const char *name; /* as milter_engine writes it */
    bool stops;       /* stop() ends all of it: nothing calls any more */
    bool (*bind)(const struct mta_listen *listen, char **why_r);
    int (*listener)(void); /* the descriptor of the socket that listens; -1: it is not known */
    /* Has FD listen in the place of that descriptor; the caller keeps FD. false with errno, also
     * when it is closed by now. */
    bool (*move)(int fd);
    bool (*serve)(struct engine *engine); /* until it has been stopped, or gives up */
    void (*drain)(void);
    void (*stop)(void); /* after drain(); serve() returns */
    void (*counts)(struct mta_counts *counts_r);
};

extern const struct edge edge_libmilter, edge_native;

#endif
