/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Watching by stat(2): it works over NFS and bind mounts, and for files replaced by rename.
 */
#include "watchedfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/siphash.h"
#include "lookup/table.h"

#define NSEC_PER_SEC INT64_C(1000000000)

/* How long a file must have been left alone. */
#define QUIET_NSEC NSEC_PER_SEC
#define QUIET_USEC INT64_C(1000000)

/* Longer than a tick of any file system's clock but FAT's. */
#define TICK_NSEC (NSEC_PER_SEC / 20)

/* A file that changes while it is read for the first time is tried so often, with such pauses. */
enum { READ_TRIES = 40, READ_PAUSE_USEC = 50000 };

enum read_result { READ_OK, READ_CHANGING, READ_FAILED };

void watched_file_init(struct watched_file *file, const char *path)
{
    *file = (struct watched_file){.path = g_strdup(path)};
}

void watched_file_clear(struct watched_file *file)
{
    g_free(file->path);
    g_free(file->trouble);
    *file = (struct watched_file){0};
}

static void fill_stamp(struct file_stamp *stamp, const struct stat *st)
{
    *stamp = (struct file_stamp){
        .device = st->st_dev,
        .inode = st->st_ino,
        .size = st->st_size,
        .modified = st->st_mtim.tv_sec * NSEC_PER_SEC + st->st_mtim.tv_nsec,
        .changed = st->st_ctim.tv_sec * NSEC_PER_SEC + st->st_ctim.tv_nsec,
    };
}

static bool same_stamp(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified == b->modified && a->changed == b->changed;
}

/* Whether the last change lies less than NSEC ago, or in the future: some clock is wrong then. */
static bool changed_within(const struct file_stamp *stamp, int64_t nsec)
{
    int64_t now = g_get_real_time() * 1000, last = MAX(stamp->modified, stamp->changed);
    return now - last < nsec;
}

static const char *unreadable_kind(const struct stat *st)
{
    if (S_ISDIR(st->st_mode))
        return "it is a directory";
    if (!S_ISREG(st->st_mode))
        return "it is not a regular file";
    return (uintmax_t)st->st_size > TABLE_FILE_MAX ? "it is too large" : NULL;
}

/* Reads up to SIZE + 1 bytes, to see whether the file grew; -1 with errno. */
static ssize_t read_all(int fd, char *text, size_t size)
{
    size_t length = 0;
    while (length < size + 1) {
        ssize_t n = read(fd, text + length, size + 1 - length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        length += (size_t)n;
    }
    return (ssize_t)length;
}

/* Reads what FD is now; the stamp is that of the content read. */
static enum read_result read_open(int fd, char **text_r, struct file_stamp *stamp_r, char **why_r)
{
    struct stat before, after;
    if (fstat(fd, &before) != 0) {
        *why_r = g_strdup(g_strerror(errno));
        return READ_FAILED;
    }
    const char *kind = unreadable_kind(&before);
    if (kind) {
        *why_r = g_strdup(kind);
        return READ_FAILED;
    }
    size_t size = (size_t)before.st_size;
    g_autofree char *text = g_try_malloc(size + 2);
    ssize_t length = text ? read_all(fd, text, size) : -1;
    if (length < 0 || fstat(fd, &after) != 0) {
        *why_r = g_strdup(g_strerror(text ? errno : ENOMEM));
        return READ_FAILED;
    }
    struct file_stamp stamp;
    fill_stamp(&stamp, &before);
    fill_stamp(stamp_r, &after);
    if ((size_t)length != size || !same_stamp(&stamp, stamp_r))
        return READ_CHANGING;
    text[length] = '\0';
    *text_r = g_steal_pointer(&text);
    return READ_OK;
}

static enum read_result read_path(const char *path, char **text_r, struct file_stamp *stamp_r,
                                  char **why_r)
{
    /* O_NONBLOCK: opening a FIFO must not hang. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        *why_r = g_strdup(g_strerror(errno));
        return READ_FAILED;
    }
    enum read_result result = read_open(fd, text_r, stamp_r, why_r);
    close(fd);
    return result;
}

static uint64_t digest(const char *text, size_t length)
{
    static const struct siphash_seed seed = {1, 2};
    return siphash(&seed, text, length);
}

/* Notes that TEXT with STAMP is what is in force now. */
static void note_loaded(struct watched_file *file, const struct file_stamp *stamp, const char *text)
{
    file->loaded = *stamp;
    file->hot = changed_within(stamp, TICK_NSEC);
    file->digest = file->hot ? digest(text, (size_t)stamp->size) : 0;
    file->seen = *stamp;
    file->seen_since = g_get_monotonic_time();
    file->read_at = g_get_real_time() / G_USEC_PER_SEC;
}

char *watched_file_read(struct watched_file *file, size_t *length_r, char **why_r)
{
    for (unsigned tries = 0; tries < READ_TRIES; tries++) {
        struct file_stamp stamp;
        char *text = NULL;
        enum read_result result = read_path(file->path, &text, &stamp, why_r);
        if (result == READ_FAILED)
            return NULL;
        if (result == READ_OK) {
            note_loaded(file, &stamp, text);
            *length_r = (size_t)stamp.size;
            return text;
        }
        g_usleep(READ_PAUSE_USEC);
    }
    *why_r = g_strdup("it does not stop changing");
    return NULL;
}

static void warn_once(struct watched_file *file, const char *why, struct problems *problems)
{
    if (file->trouble)
        return;
    problems_warning(problems, file->path, 0,
                     "cannot be read again: %s; what was read before stays in force", why);
    file->trouble = g_strdup(why);
    file->trouble_at = g_get_real_time() / G_USEC_PER_SEC;
}

void watched_file_status(const struct watched_file *file, struct table_status *status)
{
    status->read_at = file->read_at;
    status->warnings = file->warnings;
    status->trouble = g_strdup(file->trouble);
    status->trouble_at = file->trouble_at;
}

/* Whether the file differs from what was loaded and has been like this for a while. */
static bool changed_and_quiet(struct watched_file *file, const struct file_stamp *now)
{
    if (same_stamp(now, &file->loaded) && !file->hot)
        return false;
    if (!changed_within(now, QUIET_NSEC))
        return true;
    /* Its clock may not be ours: a second without a change by our own clock is as good. */
    int64_t monotonic = g_get_monotonic_time();
    if (!same_stamp(now, &file->seen)) {
        file->seen = *now;
        file->seen_since = monotonic;
    }
    return monotonic - file->seen_since >= QUIET_USEC;
}

/* Whether TEXT is what was loaded while the file was hot. */
static bool same_as_loaded(const struct watched_file *file, const struct file_stamp *stamp,
                           const char *text)
{
    return file->hot && same_stamp(stamp, &file->loaded) &&
           digest(text, (size_t)stamp->size) == file->digest;
}

char *watched_file_poll(struct watched_file *file, size_t *length_r, struct problems *problems)
{
    struct stat st;
    struct file_stamp stamp;
    if (stat(file->path, &st) != 0) {
        warn_once(file, g_strerror(errno), problems);
        return NULL;
    }
    fill_stamp(&stamp, &st);
    if (!changed_and_quiet(file, &stamp)) {
        if (same_stamp(&stamp, &file->loaded))
            g_clear_pointer(&file->trouble, g_free);
        return NULL;
    }
    g_autofree char *text = NULL, *why = NULL;
    enum read_result result = read_path(file->path, &text, &stamp, &why);
    if (result == READ_FAILED)
        warn_once(file, why, problems);
    if (result != READ_OK)
        return NULL;
    g_clear_pointer(&file->trouble, g_free);
    if (same_as_loaded(file, &stamp, text)) {
        file->hot = false;
        return NULL;
    }
    note_loaded(file, &stamp, text);
    *length_r = (size_t)stamp.size;
    return g_steal_pointer(&text);
}
