/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Going into the background.
 */
#include "daemon/background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

static int to_parent = -1;

bool background_begin(void)
{
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    pid_t child = fork();
    if (child < 0) {
        close(ends[0]);
        close(ends[1]);
        return false;
    }
    if (child > 0) {
        close(ends[1]);
        char byte;
        ssize_t got;
        int status;
        while ((got = read(ends[0], &byte, 1)) < 0 && errno == EINTR)
            continue;
        if (got == 1)
            _exit(0);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            continue;
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EX_UNAVAILABLE);
    }
    close(ends[0]);
    to_parent = ends[1];
    (void)fcntl(to_parent, F_SETFD, FD_CLOEXEC);
    umask(022);
    return setsid() >= 0 && chdir("/") == 0;
}

void background_ready(bool keep_stderr)
{
    if (to_parent < 0)
        return;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        (void)dup2(null, STDIN_FILENO);
        (void)dup2(null, STDOUT_FILENO);
        if (!keep_stderr)
            (void)dup2(null, STDERR_FILENO);
        if (null > STDERR_FILENO)
            close(null);
    }
    /* If the parent is gone there is nobody to tell. */
    ssize_t told = write(to_parent, "", 1);
    (void)told;
    close(to_parent);
    to_parent = -1;
}
