/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Permissions, from the root down to the socket.
 */
#include "reach.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/system.h"

enum { GROUPS_MAX = 256 };

struct who {
    const char *name;
    uid_t user;
    gid_t groups[GROUPS_MAX];
    int count;
};

static bool find_who(const char *name, const char *group, struct who *who)
{
    const struct group *only = group && *group ? getgrnam(group) : NULL;
    const struct passwd *entry = getpwnam(name);
    if (!entry)
        return false;
    who->name = name;
    who->user = entry->pw_uid;
    who->groups[0] = only ? only->gr_gid : entry->pw_gid;
    who->count = group ? 1 : system_groups_of(name, entry->pw_gid, who->groups, GROUPS_MAX);
    return true;
}

static bool in_group(const struct who *who, gid_t group)
{
    for (int i = 0; i < who->count; i++)
        if (who->groups[i] == group)
            return true;
    return false;
}

/* BITS: of "others", as S_IWOTH. */
static bool may(const struct who *who, uid_t owner, gid_t group, mode_t mode, mode_t bits)
{
    if (who->user == 0)
        return true;
    unsigned shift = who->user == owner ? 6 : in_group(who, group) ? 3 : 0;
    return (mode & (bits << shift)) == bits << shift;
}

/* The folders of PATH, links resolved as far as they exist, from the root on. */
static GPtrArray *folders_of(const char *path)
{
    GPtrArray *folders = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *folder = g_path_get_dirname(path);
    char *real = realpath(folder, NULL);
    g_autofree char *whole = g_strdup(real ? real : folder);
    free(real);
    g_ptr_array_add(folders, g_strdup("/"));
    for (char *slash = strchr(whole + 1, '/'); slash; slash = strchr(slash + 1, '/'))
        g_ptr_array_add(folders, g_strndup(whole, (gsize)(slash - whole)));
    if (whole[1])
        g_ptr_array_add(folders, g_strdup(whole));
    return folders;
}

char *reach_writable_folder(const char *path, mode_t mode)
{
    g_autoptr(GPtrArray) folders = folders_of(path);
    for (guint i = 0; i < folders->len; i++) {
        struct stat status;
        if (stat(folders->pdata[i], &status) == 0 && (status.st_mode & mode))
            return g_strdup(folders->pdata[i]);
    }
    return NULL;
}

static char *closed_folder(const struct who *who, const char *path)
{
    g_autoptr(GPtrArray) folders = folders_of(path);
    for (guint i = 0; i < folders->len; i++) {
        struct stat status;
        if (stat(folders->pdata[i], &status) == 0 &&
            !may(who, status.st_uid, status.st_gid, status.st_mode, S_IXOTH))
            return g_strdup_printf("the user %s may not enter %s, where gatepost's socket is",
                                   who->name, (char *)folders->pdata[i]);
    }
    return NULL;
}

/* What the socket will be, or is. */
static struct stat socket_status(const struct settings *settings, const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && S_ISSOCK(status.st_mode))
        return status;
    const struct passwd *user = getpwnam(settings_get(settings, NULL, SETTING_USER)->text);
    const char *group_name = settings_get(settings, NULL, SETTING_MILTER_SOCKET_GROUP)->text;
    const struct group *group = *group_name ? getgrnam(group_name) : NULL;
    memset(&status, 0, sizeof(status));
    status.st_uid = user ? user->pw_uid : (uid_t)-1;
    status.st_gid = group ? group->gr_gid : user && !*group_name ? user->pw_gid : (gid_t)-1;
    status.st_mode = (mode_t)settings_integer(settings, NULL, SETTING_MILTER_SOCKET_MODE);
    return status;
}

/* The name of a group; for (gid_t)-1, which is none of this machine, what the settings call it. The
 * caller frees it. */
static char *group_name(const struct settings *settings, gid_t gid)
{
    const char *said = settings_get(settings, NULL, SETTING_MILTER_SOCKET_GROUP)->text;
    const struct group *entry = getgrgid(gid);
    if (gid == (gid_t)-1)
        return g_strdup(*said ? said : settings_get(settings, NULL, SETTING_USER)->text);
    return entry ? g_strdup(entry->gr_name) : g_strdup_printf("%lu", (unsigned long)gid);
}

/* gatepost, unless root starts it, can give its socket to its own groups alone. */
char *reach_fault(const struct settings *settings, const char *path, const char *user,
                  const char *group)
{
    struct who who;
    if (!find_who(user, group, &who))
        return g_strdup_printf("there is no user %s", user);
    char *why = closed_folder(&who, path);
    if (why)
        return why;
    struct stat status = socket_status(settings, path);
    if (may(&who, status.st_uid, status.st_gid, status.st_mode, S_IROTH | S_IWOTH))
        return NULL;
    const char *owner = settings_get(settings, NULL, SETTING_USER)->text;
    g_autofree char *theirs = group_name(settings, who.groups[0]);
    g_autofree char *ours = group_name(settings, status.st_gid);
    if (group)
        return g_strdup_printf(
            "the user %s may not connect to %s: make gatepost's user a member of "
            "its group (adduser %s %s), let gatepost.conf say "
            "milter_socket_group = %s, and restart gatepost",
            user, path, owner, theirs, theirs);
    return g_strdup_printf(
        "the user %s may not connect to %s: make it a member of gatepost's group "
        "(adduser %s %s), or let gatepost.conf say milter_socket_group = %s, "
        "where root starts gatepost or the folder gives that group",
        user, path, user, ours, theirs);
}
