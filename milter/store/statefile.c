/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The file, its mode, and what is broken.
 */
#include "store/statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Another process (a person with sqlite3, a second daemon) may hold the file for a moment. */
enum { BUSY_MS = 2000 };

struct state_file {
    char *path;
    GMutex lock;
    sqlite3 *db; /* NULL: not open */
    dev_t device;
    ino_t inode;
    uint64_t generation;
    char *aside;
};

struct state_file *state_file_new(const char *path)
{
    struct state_file *file = g_new0(struct state_file, 1);
    file->path = g_strdup(path);
    g_mutex_init(&file->lock);
    return file;
}

static void close_file(struct state_file *file)
{
    sqlite3_stmt *left;
    while (file->db && (left = sqlite3_next_stmt(file->db, NULL)))
        sqlite3_finalize(left);
    sqlite3_close(file->db);
    file->db = NULL;
}

void state_file_free(struct state_file *file)
{
    if (!file)
        return;
    close_file(file);
    g_mutex_clear(&file->lock);
    g_free(file->path);
    g_free(file->aside);
    g_free(file);
}

const char *state_file_path(const struct state_file *file)
{
    return file->path;
}

uint64_t state_file_generation(const struct state_file *file)
{
    return file->generation;
}

static bool is_broken(int code)
{
    return (code & 0xff) == SQLITE_NOTADB || (code & 0xff) == SQLITE_CORRUPT;
}

/* Renames the file and what SQLite keeps beside it; the shared memory is worth nothing. */
static bool put_aside(struct state_file *file)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *date = g_date_time_format(now, "%Y%m%dT%H%M%S");
    g_autofree char *aside = g_strdup_printf("%s" STATE_FILE_ASIDE "%s", file->path, date);
    for (unsigned i = 1; access(aside, F_OK) == 0 && i < 100; i++) {
        g_free(aside);
        aside = g_strdup_printf("%s" STATE_FILE_ASIDE "%s-%u", file->path, date, i);
    }
    g_autofree char *log = g_strconcat(file->path, "-wal", NULL);
    g_autofree char *log_aside = g_strconcat(aside, "-wal", NULL);
    g_autofree char *index = g_strconcat(file->path, "-shm", NULL);
    close_file(file);
    if (rename(file->path, aside) != 0)
        return false;
    (void)rename(log, log_aside);
    (void)unlink(index);
    g_free(file->aside);
    file->aside = g_steal_pointer(&aside);
    return true;
}

char *state_file_put_aside(struct state_file *file)
{
    g_mutex_lock(&file->lock);
    char *aside = g_steal_pointer(&file->aside);
    g_mutex_unlock(&file->lock);
    return aside;
}

/* SQLite would make the file with the umask's mode. */
static bool create_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

/* Whether the open connection is that of what stands at the path now. */
static bool is_same_file(const struct state_file *file)
{
    struct stat status;
    return stat(file->path, &status) == 0 && status.st_dev == file->device &&
           status.st_ino == file->inode;
}

bool state_file_is_there(struct state_file *file)
{
    g_mutex_lock(&file->lock);
    bool there = file->db && is_same_file(file);
    g_mutex_unlock(&file->lock);
    return there;
}

static int open_file(struct state_file *file)
{
    static const char pragmas[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                                  "PRAGMA journal_size_limit=16777216;";
    struct stat status;
    int code =
        sqlite3_open_v2(file->path, &file->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(file->db, BUSY_MS);
        code = sqlite3_exec(file->db, pragmas, NULL, NULL, NULL);
    }
    if (code == SQLITE_OK && stat(file->path, &status) == 0) {
        file->device = status.st_dev;
        file->inode = status.st_ino;
        file->generation++;
    }
    return code;
}

static int run_once(struct state_file *file, bool writes, state_file_work *work, void *data)
{
    if (file->db && !is_same_file(file))
        close_file(file);
    int code = file->db ? SQLITE_OK : open_file(file);
    /* To write after having read in the same transaction would be refused at once when somebody
     * else has written, however long one is ready to wait. */
    if (code == SQLITE_OK)
        code = sqlite3_exec(file->db, writes ? "BEGIN IMMEDIATE" : "BEGIN", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = work(file->db, data);
    if (code == SQLITE_OK)
        code = sqlite3_exec(file->db, "COMMIT", NULL, NULL, NULL);
    if (code != SQLITE_OK && file->db)
        sqlite3_exec(file->db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

bool state_file_run(struct state_file *file, bool writes, state_file_work *work, void *data,
                    char **why_r)
{
    bool missing = access(file->path, F_OK) != 0 && errno == ENOENT;
    if (missing && !writes)
        return true;
    g_mutex_lock(&file->lock);
    int code = SQLITE_OK;
    const char *why = NULL;
    if (missing && !create_private(file->path)) {
        why = g_strerror(errno);
    } else {
        code = run_once(file, writes, work, data);
        if (is_broken(code) && put_aside(file) && create_private(file->path))
            code = run_once(file, writes, work, data);
        if (code != SQLITE_OK)
            why = sqlite3_errstr(code);
        /* what could not be opened is tried from the start the next time */
        if (code != SQLITE_OK && code != SQLITE_BUSY)
            close_file(file);
    }
    if (why)
        *why_r = g_strdup_printf("%s: %s", file->path, why);
    g_mutex_unlock(&file->lock);
    return !why;
}
