/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sockets as files: what is given to whom, and what is left alone.
 */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/unixsocket.h"

static char *folder, *path, *victim;

static int bind_at(const char *where)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, where, sizeof(address.sun_path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    g_assert_cmpint(bind(fd, (const struct sockaddr *)&address, sizeof(address)), ==, 0);
    return fd;
}

static struct stat look(const char *where)
{
    struct stat status;
    g_assert_cmpint(lstat(where, &status), ==, 0);
    return status;
}

static void test_given(void)
{
    static const mode_t modes[] = {0600, 0660, 0666, 0777};
    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        char *why = NULL;
        int fd = bind_at(path);
        bool root = geteuid() == 0;
        g_assert_true(unixsocket_set_access(path, root ? 65534 : (uid_t)-1, root ? 1 : (gid_t)-1,
                                            modes[i], &why));
        struct stat status = look(path);
        g_assert_cmpint(status.st_mode & 07777, ==, modes[i]);
        if (root) {
            g_assert_cmpint(status.st_uid, ==, 65534);
            g_assert_cmpint(status.st_gid, ==, 1);
        }
        close(fd);
        g_assert_cmpint(unlink(path), ==, 0);
    }
}

/* What the owner of the folder puts in the place of the socket. */

static void put_symlink(void)
{
    g_assert_cmpint(symlink(victim, path), ==, 0);
}

static void put_name(void)
{
    g_assert_cmpint(link(victim, path), ==, 0);
}

static void put_folder(void)
{
    g_assert_cmpint(mkdir(path, 0700), ==, 0);
}

static void put_nothing(void)
{
}

static void test_left_alone(void)
{
    static void (*const rows[])(void) = {put_symlink, put_name, put_folder, put_nothing};
    g_autofree char *socket_victim = g_strconcat(victim, ".sock", NULL);
    int fd = bind_at(socket_victim);
    g_assert_true(g_file_set_contents(victim, "x", 1, NULL));
    for (size_t i = 0; i < 2 * G_N_ELEMENTS(rows); i++) {
        g_autofree char *why = NULL;
        bool second = i >= G_N_ELEMENTS(rows);
        char *file = victim;
        if (second)
            victim = socket_victim; /* another socket of ours, by another name */
        struct stat before = look(victim);
        rows[i % G_N_ELEMENTS(rows)]();
        g_assert_false(unixsocket_set_access(path, (uid_t)-1, (gid_t)-1, 0777, &why));
        g_assert_nonnull(strstr(why, path));
        struct stat after = look(victim);
        g_assert_cmpint(before.st_mode, ==, after.st_mode);
        (void)g_remove(path);
        victim = file;
    }
    close(fd);
    g_assert_cmpint(unlink(socket_victim), ==, 0);
    g_assert_cmpint(unlink(victim), ==, 0);
}

static void test_of_another(void)
{
    if (geteuid() != 0) {
        g_test_skip("takes root");
        return;
    }
    g_autofree char *why = NULL;
    int fd = bind_at(path);
    g_assert_cmpint(lchown(path, 65534, 65534), ==, 0);
    struct stat before = look(path);
    g_assert_false(unixsocket_set_access(path, 0, 0, 0777, &why));
    struct stat after = look(path);
    g_assert_cmpint(after.st_uid, ==, 65534);
    g_assert_cmpint(before.st_mode, ==, after.st_mode);
    close(fd);
    g_assert_cmpint(unlink(path), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("gatepost-XXXXXX", NULL);
    path = g_build_filename(folder, "socket", NULL);
    victim = g_build_filename(folder, "victim", NULL);
    g_test_add_func("/unixsocket/given", test_given);
    g_test_add_func("/unixsocket/left_alone", test_left_alone);
    g_test_add_func("/unixsocket/of_another", test_of_another);
    int status = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    g_free(path);
    g_free(victim);
    return status;
}
