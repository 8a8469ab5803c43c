/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The pid file.
 */
#include "instance.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/system.h"

struct instance {
    char *path;
    int fd;
};

static char *lock_file(int fd, const char *path)
{
    if (!system_lock(fd)) {
        if (errno != EWOULDBLOCK)
            return g_strdup_printf("%s: cannot lock: %s", path, strerror(errno));
        char digits[32] = "";
        ssize_t got = pread(fd, digits, sizeof(digits) - 1, 0);
        digits[MAX(got, 0)] = '\0';
        g_strchomp(digits);
        g_autofree char *holder = strspn(digits, "0123456789") == strlen(digits) && *digits
                                      ? g_strdup_printf("process %s", digits)
                                      : g_strdup("another process");
        return g_strdup_printf("%s: gatepost runs already (%s)", path, holder);
    }
    /* Whoever owns the folder may have put another name of some file there. */
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1)
        return g_strdup_printf("%s: no file of its own; remove it", path);
    if (ftruncate(fd, 0) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0)
        return g_strdup_printf("%s: cannot write: %s", path, strerror(errno));
    return NULL;
}

struct instance *instance_lock(const char *path, char **why_r)
{
    struct instance *instance = g_new0(struct instance, 1);
    instance->fd = -1;
    if (*path == '\0')
        return instance;
    instance->path = g_strdup(path);
    instance->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    *why_r = instance->fd < 0
                 ? g_strdup_printf("%s: cannot create the pid file: %s", path, strerror(errno))
                 : lock_file(instance->fd, path);
    if (!*why_r)
        return instance;
    if (instance->fd >= 0)
        close(instance->fd);
    g_free(instance->path);
    g_free(instance);
    return NULL;
}

void instance_unlock(struct instance *instance)
{
    if (!instance)
        return;
    if (instance->fd >= 0) {
        if (unlink(instance->path) != 0) {
            int emptied = ftruncate(instance->fd, 0);
            (void)emptied;
        }
        close(instance->fd);
    }
    g_free(instance->path);
    g_free(instance);
}
