/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What to add to an MTA's configuration, and what is wrong with what is there. Lines to take over
 * go to standard output, doubts to whom the task names; nothing is changed.
 *
 * Threads: one thread at a time.
 */
#ifndef SETUP_SETUP_H
#define SETUP_SETUP_H

#include <stdbool.h>

#include "settings/settings.h"

/* What is to be done, and what was found. */
struct setup_task {
    const struct settings *settings;
    const char *settings_file; /* for the text */
    const char *folder;        /* NULL: where the MTA has its configuration */
    const char *file;          /* a .cf; NULL: that of the folder */
    bool check;                /* nothing is printed but doubts */
    bool remove; /* how to take gatepost out again is printed; nothing where it is not in */
    void (*complain)(const char *format, ...)
        G_GNUC_PRINTF(1, 2); /* gets each doubt, and escapes it */
    unsigned warnings;       /* counted */
};

enum setup_result {
    SETUP_DONE,
    SETUP_NO_MTA,     /* there is none, and it was to be checked */
    SETUP_UNREADABLE, /* its configuration cannot be read; complained of */
};

/* An MTA each. */
struct setup_mta {
    const char *name;
    enum setup_result (*run)(struct setup_task *task);
    bool has_file; /* task->file means something to it */
};

/* The MTA of that name, or NULL. */
const struct setup_mta *setup_find(const char *name);

#endif
