/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Privileges.
 */
#include "daemon/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/system.h"

/* Open files that the kernel has room for from the start, 8 bytes each. */
enum { FILES_AT_ONCE = 16384 };

static bool find_user(const struct settings *settings, struct problems *problems,
                      struct identity *identity)
{
    const struct setting_value *value = settings_get(settings, NULL, SETTING_USER);
    if (geteuid() != 0)
        return true;
    const struct passwd *user = getpwnam(value->text);
    if (!user) {
        problems_error(problems, value->file, value->line,
                       "user: there is no user \"%s\"; create it (useradd --system %s), or name "
                       "another",
                       value->text, value->text);
        return false;
    }
    if (user->pw_uid == 0)
        problems_warning(problems, value->file, value->line,
                         "user: gatepost stays root, which it has no need of");
    identity->name = g_strdup(user->pw_name);
    identity->uid = user->pw_uid;
    identity->gid = user->pw_gid;
    identity->socket_group = user->pw_gid;
    return true;
}

static bool find_socket_group(const struct settings *settings, struct problems *problems,
                              struct identity *identity)
{
    const struct setting_value *value = settings_get(settings, NULL, SETTING_MILTER_SOCKET_GROUP);
    if (*value->text == '\0')
        return true;
    const struct group *group = getgrnam(value->text);
    if (!group) {
        problems_error(problems, value->file, value->line,
                       "milter_socket_group: there is no group \"%s\"", value->text);
        return false;
    }
    identity->socket_group = group->gr_gid;
    return true;
}

bool identity_find(const struct settings *settings, struct problems *problems,
                   struct identity *identity_r)
{
    *identity_r = (struct identity){.uid = (uid_t)-1, .gid = (gid_t)-1, .socket_group = (gid_t)-1};
    bool user = find_user(settings, problems, identity_r);
    return find_socket_group(settings, problems, identity_r) && user;
}

void identity_clear(struct identity *identity)
{
    g_free(identity->name);
    identity->name = NULL;
}

void identity_make_folder(const struct identity *identity, const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    struct stat status;
    if (mkdir(folder, 0755) != 0 || identity->uid == (uid_t)-1)
        return;
    /* What is there by now may be another's: a folder has one name, and links are not followed. */
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &status) == 0 && status.st_uid == geteuid()) {
        int given = fchown(fd, identity->uid, identity->gid);
        (void)given;
    }
    close(fd);
}

bool privileges_drop(const struct identity *identity, char **why_r)
{
    if (!identity->name)
        return true;
    if (!system_take_groups(identity->name, identity->gid) || setgid(identity->gid) != 0 ||
        setuid(identity->uid) != 0) {
        *why_r = g_strdup_printf("cannot become user %s: %s", identity->name, strerror(errno));
        return false;
    }
    if (identity->uid != 0 && (setuid(0) == 0 || seteuid(0) == 0 || geteuid() != identity->uid ||
                               getegid() != identity->gid)) {
        *why_r = g_strdup_printf("became user %s, but could become root again", identity->name);
        return false;
    }
    return true;
}

void privileges_raise_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    int highest = (int)MIN(limit.rlim_max, FILES_AT_ONCE) - 1;
    int made = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, highest);
    if (made >= 0)
        close(made);
}

void privileges_forbid_cores(void)
{
    const struct rlimit none = {0, 0};
    bool wanted = g_strcmp0(g_getenv("GATEPOST_CORE_DUMPS"), "1") == 0;
    if (!wanted)
        (void)setrlimit(RLIMIT_CORE, &none);
    /* The limit is no matter to a program that the kernel pipes dumps into. */
    system_allow_dumps(wanted);
}
