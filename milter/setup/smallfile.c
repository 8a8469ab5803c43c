/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading a file that may be anything.
 */
#include "smallfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads what FILE holds into TEXT; errno, or 0. */
static int read_all(int file, GString *text)
{
    char buffer[16384];
    for (;;) {
        ssize_t got = read(file, buffer, sizeof(buffer));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? errno : 0;
        g_string_append_len(text, buffer, got);
        if (text->len > SMALLFILE_MAX)
            return EFBIG;
    }
}

/* Opening a FIFO or a device must neither hang nor do anything. */
static int read_plain(const char *path, GString *text)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        return errno;
    int reason = fstat(file, &status) != 0 ? errno : 0;
    if (reason == 0)
        reason = S_ISREG(status.st_mode) ? read_all(file, text) : EINVAL;
    close(file);
    return reason;
}

char **smallfile_lines(const char *path, const char **why_r)
{
    g_autoptr(GString) text = g_string_new(NULL);
    int reason = read_plain(path, text);
    if (reason != 0) {
        *why_r = reason == EINVAL ? "it is no plain file" : g_strerror(reason);
        return NULL;
    }
    for (gsize i = 0; i < text->len; i++)
        if (text->str[i] == '\0')
            text->str[i] = ' ';
    char **lines = g_strsplit(text->str, "\n", SMALLFILE_LINES_MAX + 1);
    for (char **line = lines; *line; line++)
        if (g_str_has_suffix(*line, "\r"))
            (*line)[strlen(*line) - 1] = '\0';
    guint count = g_strv_length(lines);
    if (count > SMALLFILE_LINES_MAX)
        g_clear_pointer(&lines[SMALLFILE_LINES_MAX], g_free);
    return lines;
}
