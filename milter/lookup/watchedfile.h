/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A file that is read whole, and read again when it changed and has been quiet for a second.
 *
 * Threads: one thread at a time.
 */
#ifndef LOOKUP_WATCHEDFILE_H
#define LOOKUP_WATCHEDFILE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/problems.h"
#include "lookup/tablestatus.h"

/* What tells that a file is another one or was written to. */
struct file_stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    int64_t modified, changed; /* nanoseconds since the epoch: mtime, ctime */
};

struct watched_file {
    char *path;
    struct file_stamp loaded;
    struct file_stamp seen; /* what differed from LOADED at the last look */
    int64_t seen_since;     /* monotonic, microseconds */
    int64_t loaded_at;      /* the same, when it was read */
    uint64_t digest;        /* of the text loaded, when HOT */
    bool hot; /* written to within a tick of the file system's clock when it was read: a later
                 write may have left the same stamp */
    int64_t read_at;   /* Unix time */
    unsigned warnings; /* about what was read; the reader sets it */
    char *trouble;     /* a warning that was given about the file's state; NULL: it is well */
    int64_t trouble_at;
};

void watched_file_init(struct watched_file *file, const char *path);
void watched_file_clear(struct watched_file *file);

/* Reads the file for the first time; waits a little while it changes under the reader. Returns
 * its text, ended by a NUL that *LENGTH_R does not count, for g_free; NULL with *WHY_R, for
 * g_free, if that cannot be. */
char *watched_file_read(struct watched_file *file, size_t *length_r, char **why_r);

/* Fills what a watched file knows of a status. */
void watched_file_status(const struct watched_file *file, struct table_status *status);

/* Whether the file is certainly as it was when it was read. */
bool watched_file_is_same(const struct watched_file *file);

/* The text if the file changed since it was read and is at rest, else NULL. That it cannot be read
 * is a warning, once until it can again. */
char *watched_file_poll(struct watched_file *file, size_t *length_r, struct problems *problems);

#endif
