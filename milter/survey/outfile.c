/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files replaced whole. Through the pipe to the writer goes the length, then the content: what is
 * cut off is not written. What the writer has to say comes back: "" if all is well.
 */
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/wholefile.h"

/* Of a file that was not there. */
enum { NEW_MODE = 0644 };

struct outfile {
    char *path;
    pid_t writer; /* 0: none, this process writes itself */
    int to, from;
};

static bool write_all(int fd, const void *data, size_t length)
{
    const char *at = data;
    while (length > 0) {
        ssize_t written = write(fd, at, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        at += written;
        length -= (size_t)written;
    }
    return true;
}

static bool read_all(int fd, void *data, size_t length)
{
    char *at = data;
    while (length > 0) {
        ssize_t got = read(fd, at, length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        length -= (size_t)got;
    }
    return true;
}

/* The writer's life. It ends when its pipe does: what a terminal or systemd sends to all of a
 * program is for the one that has the content to mind. */
static void serve(const struct outfile *file, int from, int to)
{
    guint64 length;
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (read_all(from, &length, sizeof length) && length <= OUTFILE_MAX) {
        g_autofree char *text = g_malloc(length + 1);
        if (read_all(from, text, length)) {
            g_autofree char *why = whole_file_replace(file->path, text, length, NEW_MODE);
            const char *answer = why ? why : "";
            write_all(to, answer, strlen(answer) + 1);
        }
    }
    _exit(0);
}

static bool is_standard_output(const struct outfile *file)
{
    return strcmp(file->path, "-") == 0;
}

struct outfile *outfile_begin(const char *path, bool split, char **why_r)
{
    struct outfile *file = g_new0(struct outfile, 1);
    int down[2], up[2];
    file->path = g_strdup(path);
    file->to = file->from = -1;
    if (!split || is_standard_output(file))
        return file;
    if (pipe(down) != 0 || pipe(up) != 0 || (file->writer = fork()) < 0) {
        *why_r = g_strdup_printf("%s: %s", path, g_strerror(errno));
        g_free(file->path);
        g_free(file);
        return NULL;
    }
    if (file->writer == 0) {
        close(down[1]);
        close(up[0]);
        serve(file, down[0], up[1]);
    }
    close(down[0]);
    close(up[1]);
    file->to = down[1];
    file->from = up[0];
    fcntl(file->to, F_SETFD, FD_CLOEXEC);
    fcntl(file->from, F_SETFD, FD_CLOEXEC);
    return file;
}

void outfile_drop(struct outfile *file)
{
    if (!file)
        return;
    if (file->writer > 0) {
        close(file->to);
        close(file->from);
        waitpid(file->writer, NULL, 0);
    }
    g_free(file->path);
    g_free(file);
}

static char *ask_writer(const struct outfile *file, const char *text, size_t length)
{
    guint64 size = length;
    GString *answer = g_string_new(NULL);
    char byte = 1;
    bool sent = write_all(file->to, &size, sizeof size) && write_all(file->to, text, length);
    while (sent && answer->len < 4096 && read_all(file->from, &byte, 1) && byte)
        g_string_append_c(answer, byte);
    if (!sent || byte)
        g_string_printf(answer, "%s: its writer has ended", file->path);
    if (answer->len > 0)
        return g_string_free(answer, FALSE);
    g_string_free(answer, TRUE);
    return NULL;
}

bool outfile_commit(struct outfile *file, const char *text, size_t length, char **why_r)
{
    if (!is_standard_output(file))
        *why_r = file->writer > 0 ? ask_writer(file, text, length)
                                  : whole_file_replace(file->path, text, length, NEW_MODE);
    else if (fwrite(text, 1, length, stdout) != length || fflush(stdout) != 0)
        *why_r = g_strdup_printf("standard output: %s", g_strerror(errno));
    outfile_drop(file);
    return !*why_r;
}
