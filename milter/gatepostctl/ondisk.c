/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Commands that read settings, rules and tables from the disk say when the daemon has older ones.
 */
#include "ondisk.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/control.h"
#include "daemon.h"

enum { SECONDS_MAX = 2 };

static bool same_file(const char *one, const char *other)
{
    char first[PATH_MAX], second[PATH_MAX];
    return realpath(one, first) && realpath(other, second) && strcmp(first, second) == 0;
}

void ondisk_warn(const struct invocation *invocation)
{
    g_autofree char *path = daemon_place(invocation, SETTING_CONTROL_SOCKET), *why = NULL;
    g_autoptr(GString) answer = g_string_new(NULL);
    int status;
    if (!control_call(path, "newer", SECONDS_MAX, &status, answer, &why) || status != 0)
        return;
    g_auto(GStrv) lines = g_strsplit(answer->str, "\n", -1); /* its settings come first */
    /* Who tries other settings than the daemon's does not ask for these. */
    if (!lines[0] || !same_file(lines[0], invocation->config))
        return;
    for (char **line = lines + 1; *line; line++)
        if (**line)
            complain("not in force yet: %s", *line);
    if (lines[1] && *lines[1])
        complain("the daemon goes by what it read before: gatepostctl reload");
}
