/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The gatepost.conf that is shipped: it is good as it is, and so is each line that one may take the
 * comment sign from. Its path is the argument.
 */
#include "parse.h"

static char *shipped;

/* "#name = value" is a parameter to be uncommented; "# words" is a comment. */
static char *uncommented(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        if ((*line)[0] == '#' && (*line)[1] != ' ' && (*line)[1] != '\0')
            memmove(*line, *line + 1, strlen(*line));
    return g_strjoinv("\n", lines);
}

static void test_as_it_is(void)
{
    settings_free(parse(shipped, ""));
}

static void test_uncommented(void)
{
    g_autofree char *text = uncommented(shipped);
    struct settings *settings = parse(text, "");
    g_assert_cmpuint(settings_section_count(settings, SECTION_LISTENER), ==, 1);
    g_assert_true(settings_get(settings, NULL, SETTING_LOCAL_DOMAINS)->given);
    settings_free(settings);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(argc == 2 && g_file_get_contents(argv[1], &shipped, NULL, NULL));
    g_test_add_func("/shipped/as_it_is", test_as_it_is);
    g_test_add_func("/shipped/uncommented", test_uncommented);
    int result = g_test_run();
    g_free(shipped);
    return result;
}
