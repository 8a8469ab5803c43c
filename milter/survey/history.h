/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What surveys found, kept in SQLite: which domains each run looked at, and a row for a finding
 * that lasts for as long as nothing about it changes. Certificates are kept once.
 *
 * Threads: one thread at a time.
 */
#ifndef SURVEY_HISTORY_H
#define SURVEY_HISTORY_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "finding.h"

struct history;

struct history_run {
    int64_t id;                /* from 1 */
    int64_t started, finished; /* seconds since 1970 */
    int64_t domains;
};

/* A finding that was the same in all runs from FIRST to LAST that looked at its domain. */
struct sighting {
    struct finding *finding;
    int64_t first, last; /* ids of runs */
    int64_t tries; /* how often it was seen in the first of them: asked again, it counts twice */
};

/* Opens the file, which is no symbolic link, or makes it and the folder that it is in (0700). NULL
 * with *WHY_R (the caller's). history_close accepts NULL. */
struct history *history_open(const char *path, char **why_r);
void history_close(struct history *history);

/* Adds a run with its FINDINGS; DOMAINS (of char *) are those that it looked at. false with *WHY_R,
 * and then nothing was added. */
bool history_add(struct history *history, int64_t started, int64_t finished,
                 const GPtrArray *domains, const GPtrArray *findings, char **why_r);

/* All runs, oldest first: of struct history_run. */
GArray *history_runs(struct history *history);

/* The runs up to UNTIL that looked at DOMAIN. */
GArray *history_runs_of(struct history *history, const char *domain, int64_t until);

/* The run that a person means by its number, or a date "YYYY-MM-DD" or "YYYY-MM-DDTHH:MM" (local
 * time): the last that began by then. false: there is none. */
bool history_find_run(struct history *history, const char *text, struct history_run *run_r);
/* Whether TEXT is a number or a date. */
bool history_names_run(const char *text);

/* The domains of a run, in its order: of char *. */
GPtrArray *history_domains(struct history *history, int64_t run);

/* All sightings of DOMAIN that began by UNTIL, oldest first; a LAST beyond it is cut to it. An
 * array that frees its struct sighting. */
GPtrArray *history_sightings(struct history *history, const char *domain, int64_t until);

/* The findings of DOMAIN in RUN; its elements belong to SIGHTINGS. */
GPtrArray *history_at(const GPtrArray *sightings, int64_t run);

#endif
