/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading and replacing whole files.
 */
#include "base/wholefile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A file that changes while it is read is tried so often, with such pauses. */
enum { TRIES = 40, PAUSE = 50 * 1000 };

/* What is read at once where a size is not known. */
enum { PIECE = 16384 };

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Reads FD to its end, or one byte beyond MOST. ROOM: how many bytes there probably are. */
static bool read_to_end(int fd, size_t room, size_t most, struct whole_file *file)
{
    for (;;) {
        char *text = g_try_realloc(file->text, room + 2);
        if (!text) {
            errno = ENOMEM;
            return false;
        }
        file->text = text;
        while (file->length < room + 1) {
            ssize_t got = read(fd, text + file->length, room + 1 - file->length);
            if (got < 0 && errno == EINTR)
                continue;
            if (got < 0)
                return false;
            if (got == 0) {
                text[file->length] = '\0';
                return true;
            }
            file->length += (size_t)got;
        }
        if (room >= most)
            return true;
        room = MIN(most, 2 * room + PIECE);
    }
}

/* Whether what FD is may be read; makes reading wait where it must. */
static enum whole_file_result look(int fd, enum whole_file_kinds kinds, size_t most,
                                   struct stat *status_r)
{
    if (fstat(fd, status_r) != 0)
        return WHOLE_FILE_FAULT;
    if (S_ISDIR(status_r->st_mode))
        return WHOLE_FILE_FOLDER;
    if (S_ISREG(status_r->st_mode))
        return (uintmax_t)status_r->st_size > most ? WHOLE_FILE_TOO_LARGE : WHOLE_FILE_READ;
    if (kinds == WHOLE_FILE_REGULAR)
        return WHOLE_FILE_SPECIAL;
    int flags = fcntl(fd, F_GETFL);
    bool waits = flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0;
    return waits ? WHOLE_FILE_READ : WHOLE_FILE_FAULT;
}

static enum whole_file_result read_open(int fd, enum whole_file_kinds kinds, size_t most,
                                        struct whole_file *file)
{
    struct stat before;
    enum whole_file_result result = look(fd, kinds, most, &before);
    if (result != WHOLE_FILE_READ)
        return result;
    bool regular = S_ISREG(before.st_mode);
    size_t size = regular ? (size_t)before.st_size : MIN((size_t)PIECE, most);
    bool good = read_to_end(fd, size, regular ? size : most, file);
    /* Who writes to a FIFO may be a moment later than we are. */
    for (unsigned tries = 0; good && S_ISFIFO(before.st_mode) && file->length == 0 && tries < TRIES;
         tries++) {
        g_usleep(PAUSE);
        good = read_to_end(fd, size, most, file);
    }
    if (!good || fstat(fd, &file->status) != 0)
        return WHOLE_FILE_FAULT;
    if (regular && (file->length != size || !same_file(&before, &file->status)))
        return WHOLE_FILE_CHANGED;
    if (file->length > most)
        return WHOLE_FILE_TOO_LARGE;
    return S_ISFIFO(before.st_mode) && file->length == 0 ? WHOLE_FILE_UNWRITTEN : WHOLE_FILE_READ;
}

enum whole_file_result whole_file_read_open(int fd, enum whole_file_kinds kinds, size_t most,
                                            struct whole_file *file_r)
{
    *file_r = (struct whole_file){0};
    enum whole_file_result result = read_open(fd, kinds, most, file_r);
    if (result != WHOLE_FILE_READ) {
        int reason = errno;
        g_clear_pointer(&file_r->text, g_free);
        errno = reason;
    }
    return result;
}

enum whole_file_result whole_file_read(const char *path, enum whole_file_kinds kinds, size_t most,
                                       struct whole_file *file_r)
{
    *file_r = (struct whole_file){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return WHOLE_FILE_FAULT;
    enum whole_file_result result = whole_file_read_open(fd, kinds, most, file_r);
    int reason = errno;
    close(fd);
    errno = reason;
    return result;
}

enum whole_file_result whole_file_read_settled(const char *path, size_t most,
                                               struct whole_file *file_r)
{
    enum whole_file_result result;
    for (unsigned tries = 0; tries < TRIES; tries++) {
        result = whole_file_read(path, WHOLE_FILE_REGULAR, most, file_r);
        if (result != WHOLE_FILE_CHANGED)
            return result;
        g_usleep(PAUSE);
    }
    return WHOLE_FILE_CHANGED;
}

enum whole_file_result whole_file_first_line(const char *path, char **line_r)
{
    enum { MOST = 64 * 1024 };
    struct whole_file file;
    enum whole_file_result result = whole_file_read(path, WHOLE_FILE_REGULAR, MOST, &file);
    if (file.text)
        file.text[strcspn(file.text, "\r\n")] = '\0';
    *line_r = file.text;
    return result;
}

const char *whole_file_why(enum whole_file_result result)
{
    switch (result) {
    case WHOLE_FILE_FOLDER:
        return "it is a directory";
    case WHOLE_FILE_SPECIAL:
        return "it is not a regular file";
    case WHOLE_FILE_UNWRITTEN:
        return "it is a FIFO that nobody writes to";
    case WHOLE_FILE_TOO_LARGE:
        return "it is too large";
    case WHOLE_FILE_CHANGED:
        return "it does not stop changing";
    case WHOLE_FILE_READ:
    case WHOLE_FILE_FAULT:
        break;
    }
    return g_strerror(errno);
}

static bool has(const char *path, const char *bytes, size_t length)
{
    struct whole_file file;
    bool same = whole_file_read(path, WHOLE_FILE_REGULAR, length, &file) == WHOLE_FILE_READ &&
                file.length == length && memcmp(file.text, bytes, length) == 0;
    g_free(file.text);
    return same;
}

/* Gives FD what THERE has of owner, group and permissions. Where it cannot have the group, neither
 * the members of ours nor those of the old one, who are anybody now, may do more than both could.
 */
static bool keep_access(int fd, const struct stat *there)
{
    struct stat own;
    mode_t mode = there->st_mode & 0777;
    if (fchown(fd, there->st_uid, there->st_gid) != 0 &&
        fchown(fd, (uid_t)-1, there->st_gid) != 0 && fstat(fd, &own) == 0 &&
        own.st_gid != there->st_gid)
        mode &= 0700 | (mode & 07) << 3 | (mode & 070) >> 3;
    return fchmod(fd, mode) == 0;
}

char *whole_file_replace(const char *path, const char *bytes, size_t length, mode_t mode)
{
    struct stat there;
    bool is_there = lstat(path, &there) == 0;
    if (is_there && !S_ISREG(there.st_mode))
        return g_strdup_printf("%s: it is no regular file: name one, or - for standard output",
                               path);
    if (is_there && has(path, bytes, length))
        return NULL;
    g_autofree char *draft = g_strconcat(path, ".XXXXXX", NULL);
    int fd = g_mkstemp_full(draft, O_WRONLY | O_CLOEXEC, 0600);
    FILE *stream = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool good = stream && fwrite(bytes, 1, length, stream) == length && fflush(stream) == 0 &&
                (is_there ? keep_access(fd, &there) : fchmod(fd, mode) == 0) && fsync(fd) == 0;
    int error = errno;
    bool closed = stream ? fclose(stream) == 0 : fd < 0 || close(fd) == 0;
    if (good && !closed)
        error = errno;
    good = good && closed;
    if (good && rename(draft, path) == 0)
        return NULL;
    if (good)
        error = errno;
    if (fd >= 0)
        unlink(draft);
    return g_strdup_printf("%s: %s", path, g_strerror(error));
}
