/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The secret of this installation.
 */
#include "statekey.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/system.h"

void state_key_random(unsigned char key_r[STATE_KEY_SIZE])
{
    system_random(key_r, STATE_KEY_SIZE);
}

static char *why_not(const char *path, const char *what)
{
    return g_strdup_printf("%s: %s", path, what);
}

/* NULL if the key is good; else what is wrong with the file. *LOST_R is set where the file could
 * not be read: what it holds may be the key all the same, and is left alone. */
static const char *fault_of(int file, unsigned char key_r[STATE_KEY_SIZE], bool *lost_r)
{
    struct stat status;
    unsigned char bytes[STATE_KEY_SIZE + 1];
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
        return "is no file";
    if (status.st_mode & (S_IRWXG | S_IRWXO))
        return "could be read by others";
    ssize_t got = read(file, bytes, sizeof(bytes));
    *lost_r = got < 0;
    if (got < 0)
        return g_strerror(errno);
    if (got != STATE_KEY_SIZE)
        return "holds no key";
    memcpy(key_r, bytes, STATE_KEY_SIZE);
    return NULL;
}

/* Writes KEY to a new file beside PATH, whose name the caller frees; NULL with errno. */
static char *write_beside(const char *path, const unsigned char key[STATE_KEY_SIZE])
{
    g_autofree char *name = g_strdup_printf("%s.%ld.new", path, (long)getpid());
    (void)unlink(name);
    int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return NULL;
    ssize_t written = write(file, key, STATE_KEY_SIZE);
    bool good = written == STATE_KEY_SIZE && fsync(file) == 0;
    int fault = written >= 0 && written != STATE_KEY_SIZE ? ENOSPC : errno;
    close(file);
    if (good)
        return g_steal_pointer(&name);
    (void)unlink(name);
    errno = fault;
    return NULL;
}

static enum state_key_result read_key(const char *path, unsigned char key_r[STATE_KEY_SIZE],
                                      char **why_r)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0) {
        *why_r = why_not(path, g_strerror(errno));
        return STATE_KEY_LOST;
    }
    bool lost = false;
    const char *fault = fault_of(file, key_r, &lost);
    close(file);
    if (!fault)
        return STATE_KEY_FOUND;
    *why_r = why_not(path, fault);
    return lost ? STATE_KEY_LOST : STATE_KEY_REPLACED;
}

/* Puts KEY at PATH: with link(2), where nothing is, so that of two processes one wins; with
 * rename(2) in place of what is no key. */
static bool put_key(const char *path, const unsigned char key[STATE_KEY_SIZE], bool replace)
{
    g_autofree char *name = write_beside(path, key);
    if (!name)
        return false;
    bool put = replace ? rename(name, path) == 0 : link(name, path) == 0;
    int fault = errno;
    if (!replace || !put)
        (void)unlink(name);
    errno = fault;
    return put;
}

static enum state_key_result make_key(const char *path, unsigned char key_r[STATE_KEY_SIZE],
                                      bool replace, char **why_r)
{
    state_key_random(key_r);
    if (put_key(path, key_r, replace))
        return replace ? STATE_KEY_REPLACED : STATE_KEY_MADE;
    if (errno == EEXIST && !replace && read_key(path, key_r, why_r) == STATE_KEY_FOUND)
        return STATE_KEY_FOUND;
    int fault = errno;
    if (!*why_r)
        *why_r = why_not(path, g_strerror(fault));
    state_key_random(key_r);
    return STATE_KEY_LOST;
}

enum state_key_result state_key_get(const char *path, unsigned char key_r[STATE_KEY_SIZE],
                                    char **why_r)
{
    struct stat status;
    if (lstat(path, &status) != 0 && errno == ENOENT)
        return make_key(path, key_r, false, why_r);
    enum state_key_result result = read_key(path, key_r, why_r);
    if (result == STATE_KEY_REPLACED)
        return make_key(path, key_r, true, why_r);
    if (result == STATE_KEY_LOST)
        state_key_random(key_r);
    return result;
}
