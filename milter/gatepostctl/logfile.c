/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading packed files. zlib tells what gzip packed from what nobody did; another one's first bytes
 * tell which program to run.
 */
#include "logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "history/history_log.h"

static const struct packer {
    const char *program;
    const char *magic;
} packers[] = {{"xz", "\xfd"
                      "7zXZ"},
               {"zstd", "\x28\xb5\x2f\xfd"},
               {"bzip2", "BZh"}};

/* Who unpacks what FD begins with; NULL: nobody need. */
static const struct packer *packer_of(int fd)
{
    char begin[8] = {0};
    if (pread(fd, begin, sizeof begin - 1, 0) <= 0)
        return NULL; /* a pipe, say */
    for (size_t i = 0; i < G_N_ELEMENTS(packers); i++)
        if (g_str_has_prefix(begin, packers[i].magic))
            return &packers[i];
    return NULL;
}

/* Runs the program over FD, which it takes; what it says comes from the descriptor that is
 * returned, -1 with *WHY_R. */
static int unpack(const struct packer *packer, int fd, GPid *process_r, char **why_r)
{
    const char *const argv[] = {packer->program, "-dc", NULL};
    g_autoptr(GError) error = NULL;
    int ends[2];
    if (!g_unix_open_pipe(ends, FD_CLOEXEC, &error)) {
        *why_r = g_strdup(error->message);
        close(fd);
        return -1;
    }
    bool begun = g_spawn_async_with_fds(NULL, (char **)(uintptr_t)argv, NULL,
                                        G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                                            G_SPAWN_STDERR_TO_DEV_NULL,
                                        NULL, NULL, process_r, fd, ends[1], -1, &error);
    close(fd);
    close(ends[1]);
    if (begun)
        return ends[0];
    close(ends[0]);
    *why_r = g_strdup_printf("it is packed by %s, which cannot be run: %s; install it, or unpack "
                             "the file",
                             packer->program, error->message);
    return -1;
}

static void read_lines(gzFile file, void (*take)(void *data, char *line), void *data)
{
    enum { LINE_SIZE = HISTORY_LOG_LINE_MAX + 2 };
    g_autofree char *line = g_malloc(LINE_SIZE);
    bool begins = true; /* what is too long is none of ours, and its rest no line */
    for (z_off_t at = gztell(file); gzgets(file, line, LINE_SIZE); at = gztell(file)) {
        size_t length = (size_t)(gztell(file) - at);
        bool ends = line[length - 1] == '\n';
        /* a machine that lost its power leaves NULs in its log, and goes on behind them */
        char *text = line;
        while (text < line + length && *text == '\0')
            text++;
        text[strcspn(text, "\r\n")] = '\0';
        if (begins)
            take(data, text);
        begins = ends;
    }
}

/* Reads what FD gives, which it takes. */
static char *read_packed(int fd, void (*take)(void *data, char *line), void *data, bool *cut_r)
{
    errno = 0;
    gzFile file = gzdopen(fd, "r");
    if (!file) {
        close(fd);
        return g_strdup(g_strerror(ENOMEM));
    }
    read_lines(file, take, data);
    int code, fault = errno;
    const char *said = gzerror(file, &code);
    *cut_r = code == Z_BUF_ERROR;
    char *why = code == Z_OK || code == Z_BUF_ERROR
                    ? NULL
                    : g_strdup(code == Z_ERRNO ? g_strerror(fault) : said);
    gzclose_r(file);
    return why;
}

static char *read_file(const char *path, void (*take)(void *data, char *line), void *data,
                       bool *cut_r)
{
    char *why = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC), status = 0;
    if (fd < 0)
        return g_strdup(g_strerror(errno));
    const struct packer *packer = packer_of(fd);
    GPid process = 0;
    if (packer && (fd = unpack(packer, fd, &process, &why)) < 0)
        return why;
    why = read_packed(fd, take, data, cut_r);
    if (packer && waitpid(process, &status, 0) == process && status != 0 && !why)
        why = g_strdup_printf("%s cannot unpack it to its end", packer->program);
    return why;
}

char *log_file_read(const char *path, void (*take)(void *data, char *line), void *data, bool *cut_r)
{
    *cut_r = false;
    g_autofree char *why = read_file(path, take, data, cut_r);
    return why ? g_strdup_printf("%s: %s", path, why) : NULL;
}
