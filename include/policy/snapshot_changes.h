/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What differs between two policies, and between the one in force and the files it was made of.
 *
 * Threads: any.
 */
#ifndef POLICY_SNAPSHOT_CHANGES_H
#define POLICY_SNAPSHOT_CHANGES_H

#include <glib.h>

#include "policy/snapshot.h"

/* Appends what NOW has that BEFORE had not, a line each for settings, tables and rules: how many
 * there are, and by name what is changed, new and gone. */
void changes_between(const struct snapshot *before, const struct snapshot *now, GString *out);

/* What the disk has that SNAPSHOT, which was loaded from the settings PATH, has not: of char *, a
 * line each, "/etc/gatepost/gatepost.conf: mode, tag_score"; empty: it is as the disk is. Reads the
 * settings and the rule files; of tables it looks at size and time alone. The caller unrefs it. */
GPtrArray *changes_on_disk(const struct snapshot *snapshot, const char *path);

/* Appends NAMES (of char *), separated by commas; of many the first, and how many more. */
void changes_add_names(GString *out, const GPtrArray *names);

#endif
