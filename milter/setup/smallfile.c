/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The lines of a file.
 */
#include "smallfile.h"

#include <string.h>

#include "base/wholefile.h"

char **smallfile_lines(const char *path, const char **why_r)
{
    struct whole_file file;
    enum whole_file_result result = whole_file_read_settled(path, SMALLFILE_MAX, &file);
    if (result != WHOLE_FILE_READ) {
        *why_r = whole_file_why(result);
        return NULL;
    }
    for (size_t i = 0; i < file.length; i++)
        if (file.text[i] == '\0')
            file.text[i] = ' ';
    char **lines = g_strsplit(file.text, "\n", SMALLFILE_LINES_MAX + 1);
    g_free(file.text);
    for (char **line = lines; *line; line++)
        if (g_str_has_suffix(*line, "\r"))
            (*line)[strlen(*line) - 1] = '\0';
    guint count = g_strv_length(lines);
    if (count > SMALLFILE_LINES_MAX)
        g_clear_pointer(&lines[SMALLFILE_LINES_MAX], g_free);
    return lines;
}
