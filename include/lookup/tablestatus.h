/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How the tables of a configuration are, and the files of patterns of its match lists: what is in
 * force, since when, and what is wrong with the file now.
 *
 * Threads: a status is the caller's own.
 */
#ifndef LOOKUP_TABLESTATUS_H
#define LOOKUP_TABLESTATUS_H

#include <stddef.h>
#include <stdint.h>

#include "lookup/table.h"

struct table_status {
    char *name;         /* "type:name"; of a file of patterns: its path */
    char *file;         /* that it is read from; NULL: none, it stands in the settings */
    size_t entries;     /* keys, rules or patterns in force */
    int64_t size;       /* bytes of the file, as it was read */
    int64_t modified;   /* its mtime then, nanoseconds since 1970 */
    int64_t loaded_at;  /* when it was read, monotonic microseconds */
    int64_t read_at;    /* Unix time when they were read; 0: they stand in the settings */
    unsigned warnings;  /* about lines, when they were read: most are lines that were skipped */
    char *trouble;      /* why the file cannot be read again; NULL: it can */
    int64_t trouble_at; /* Unix time when that was seen first */
};

/* Of struct table_status *, which the array frees; tables in the order they were opened, then files
 * of patterns. Nothing is read. */
GPtrArray *table_set_status(struct table_set *set);

#endif
