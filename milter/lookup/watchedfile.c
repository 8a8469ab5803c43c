/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Watching by stat(2): it works over NFS and bind mounts, and for files replaced by rename.
 */
#include "watchedfile.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/siphash.h"
#include "base/wholefile.h"
#include "lookup/table.h"

#define NSEC_PER_SEC INT64_C(1000000000)

/* How long a file must have been left alone. */
#define QUIET_NSEC NSEC_PER_SEC
#define QUIET_USEC INT64_C(1000000)

/* Longer than a tick of any file system's clock but FAT's. */
#define TICK_NSEC (NSEC_PER_SEC / 20)

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

/* The text of WHOLE, which is in force from now on. */
static char *take(struct watched_file *file, const struct file_stamp *stamp,
                  const struct whole_file *whole, size_t *length_r)
{
    file->loaded = *stamp;
    file->hot = changed_within(stamp, TICK_NSEC);
    file->digest = file->hot ? siphash_digest(whole->text, (size_t)stamp->size) : 0;
    file->seen = *stamp;
    file->seen_since = file->loaded_at = g_get_monotonic_time();
    file->read_at = g_get_real_time() / G_USEC_PER_SEC;
    *length_r = whole->length;
    return whole->text;
}

char *watched_file_read(struct watched_file *file, size_t *length_r, char **why_r)
{
    struct whole_file whole;
    struct file_stamp stamp;
    enum whole_file_result result = whole_file_read_settled(file->path, TABLE_FILE_MAX, &whole);
    if (result != WHOLE_FILE_READ) {
        *why_r = g_strdup(whole_file_why(result));
        return NULL;
    }
    fill_stamp(&stamp, &whole.status);
    return take(file, &stamp, &whole, length_r);
}

static void warn_once(struct watched_file *file, const char *why, struct problems *problems)
{
    if (file->trouble)
        return;
    problems_warning(problems, file->path, PROBLEM_NO_LINE,
                     "cannot be read again: %s; what was read before stays in force", why);
    file->trouble = g_strdup(why);
    file->trouble_at = g_get_real_time() / G_USEC_PER_SEC;
}

void watched_file_status(const struct watched_file *file, struct table_status *status)
{
    status->file = g_strdup(file->path);
    status->read_at = file->read_at;
    status->loaded_at = file->loaded_at;
    status->size = file->loaded.size;
    status->modified = file->loaded.modified;
    status->warnings = file->warnings;
    status->trouble = g_strdup(file->trouble);
    status->trouble_at = file->trouble_at;
}

bool watched_file_is_same(const struct watched_file *file)
{
    struct stat st;
    struct file_stamp now;
    if (file->hot || file->trouble || stat(file->path, &st) != 0)
        return false;
    fill_stamp(&now, &st);
    return same_stamp(&now, &file->loaded);
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
           siphash_digest(text, (size_t)stamp->size) == file->digest;
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
    struct whole_file whole;
    enum whole_file_result result =
        whole_file_read(file->path, WHOLE_FILE_REGULAR, TABLE_FILE_MAX, &whole);
    if (result == WHOLE_FILE_CHANGED)
        return NULL;
    if (result != WHOLE_FILE_READ) {
        warn_once(file, whole_file_why(result), problems);
        return NULL;
    }
    g_clear_pointer(&file->trouble, g_free);
    fill_stamp(&stamp, &whole.status);
    if (same_as_loaded(file, &stamp, whole.text)) {
        file->hot = false;
        g_free(whole.text);
        return NULL;
    }
    return take(file, &stamp, &whole, length_r);
}
