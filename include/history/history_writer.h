/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The history: what was decided, kept in an SQLite file that the daemon's user alone may read.
 * Decisions are handed over by a listener of the engine and written in batches by a thread of its
 * own; what it cannot take in time, or not write, is counted and lost. Mail never waits for it.
 *
 * Who reads it: history_reader.h.
 *
 * Threads: history_writer_event may be called by any; history_writer_get_state, _configure and
 * _flush too.
 * The others are the main thread's.
 */
#ifndef HISTORY_HISTORY_WRITER_H
#define HISTORY_HISTORY_WRITER_H

#include "policy/event.h"
#include "settings/settings.h"

/* Bytes of decisions that wait to be written; refusals before DATA have no more than half. */
#define HISTORY_WAITING_MAX ((size_t)16 << 20)

/* As many as there are signs, and the NUL. */
#define HISTORY_DELIMITERS_MAX 128

struct history_writer;

struct history_options {
    int64_t keep; /* us that a decision is kept */
    int64_t size; /* bytes of the file */
    /* what begins an extension of an address, which is found by the one without as well: those of
     * recipient_delimiter, of every listener, and "+", which other sites have */
    char delimiters[HISTORY_DELIMITERS_MAX];
};

/* Where SETTINGS keep the history: an absolute path, theirs; NULL: nowhere. */
const char *history_path(const struct settings *settings);

/* What they say of it. */
struct history_options history_options_from(const struct settings *settings);

/* What the history has to say, once, until it has changed: it cannot be written, it is written
 * again, a broken file was put aside. By its thread. */
struct history_log {
    void (*warning)(void *data, const char *text);
    void (*info)(void *data, const char *text);
    void *data;
};

/* Begins a history in the file PATH, which is looked at by the thread. The caller stops and frees
 * it. */
struct history_writer *history_writer_new(const char *path, const struct history_options *options,
                                          const struct history_log *log);

/* Starts the thread, with the signals that are blocked now. */
void history_writer_start(struct history_writer *history);

/* Other bounds from now on. */
void history_writer_configure(struct history_writer *history,
                              const struct history_options *options);

/* For struct engine_listener: takes what EVENT decides; DATA is the struct history_writer. */
void history_writer_event(void *data, const struct event *event);

/* Has the thread write what waits and end, and waits for that, MICROSECONDS at most. false: it has
 * not; the history must not be freed then. Accepts NULL. */
bool history_writer_stop(struct history_writer *history, gint64 microseconds);
void history_writer_free(
    struct history_writer *history); /* stopped, or never started; accepts NULL */

/* Waits until what was decided before is written, MICROSECONDS at most. How many rows of it are
 * not: 0 is all of it. By any thread. */
uint64_t history_writer_flush(struct history_writer *history, gint64 microseconds);

/* How it is doing, since the start. */
struct history_state {
    uint64_t written;      /* rows */
    uint64_t dropped;      /* rows that are lost: the queue was full, or they cannot be written */
    uint64_t evicted;      /* rows that were older or more than is kept */
    unsigned waiting;      /* rows that are not written yet */
    uint64_t bytes;        /* of the file, as far as it is used; 0: not known yet */
    int64_t failing_since; /* us since 1970; 0: it can be written */
    int64_t thread_us;     /* CPU time of the thread */
};
void history_writer_get_state(struct history_writer *history, struct history_state *state_r);

#endif
