/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl survey, onion-map: run by gatepost-survey, a program of its own, so that nothing else
 * needs OpenSSL and libcurl.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "command.h"
#include "config.h"

/* Where it is installed; or, for a gatepostctl in a build folder, beside that. */
static char *find_program(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = self ? g_path_get_dirname(self) : NULL;
    char *built = folder ? g_build_filename(folder, "..", "survey", "gatepost-survey", NULL) : NULL;
    if (built && g_file_test(built, G_FILE_TEST_IS_EXECUTABLE))
        return built;
    g_free(built);
    return g_strdup(GATEPOST_LIBEXECDIR "/gatepost-survey");
}

/* Takes this process's place; returns only if that cannot be. */
enum exit_code command_survey(struct invocation *invocation)
{
    g_autofree char *program = find_program();
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_ptr_array_add(words, (char *)"gatepost-survey");
    g_ptr_array_add(words, invocation->config);
    g_ptr_array_add(words, (char *)invocation->command->name);
    for (int i = 0; i < invocation->argc; i++)
        g_ptr_array_add(words, invocation->argv[i]);
    g_ptr_array_add(words, NULL);
    fflush(stdout);
    execv(program, (char **)words->pdata);
    if (errno == ENOENT)
        complain("%s is part of the package gatepost-survey, which is not installed (there is no "
                 "%s)",
                 invocation->command->name, program);
    else
        complain("%s: %s", program, g_strerror(errno));
    return CODE_UNAVAILABLE;
}
