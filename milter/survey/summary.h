/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Findings and differences as a person would write them.
 *
 * Threads: all functions are pure.
 */
#ifndef SURVEY_SUMMARY_H
#define SURVEY_SUMMARY_H

#include "diff.h"
#include "finding.h"

/* "otenet.gr: 4 servers: 2 TLS 1.0, 2 TLS 1.2; certificate of another name": what FINDINGS, all of
 * one domain, come to. The caller frees it. */
char *summary_line(const GPtrArray *findings);

/* The same, and a line for each server. */
void summary_table(GString *out, const GPtrArray *findings);

/* What one server came to: "TLS 1.2", "no STARTTLS" ... Static or the finding's own. */
const char *summary_outcome(const struct finding *finding);

/* "alarm  example.org mx.example.org[192.0.2.1]: STARTTLS is gone ..." and a line end. */
void summary_difference(GString *out, const struct difference *difference);

/* Calls EACH for the findings of each domain; FINDINGS are sorted by domain. */
void summary_each(const GPtrArray *findings, void (*each)(const GPtrArray *of_domain, void *data),
                  void *data);

#endif
