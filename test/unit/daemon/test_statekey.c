/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The key in its file: made once, found again, made anew where it is none, and left alone where it
 * cannot be read.
 */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "statekey.h"

static char *folder;

static void write_key(const char *path, const void *bytes, size_t length, int mode)
{
    g_assert_true(g_file_set_contents(path, bytes, (gssize)length, NULL));
    g_assert_cmpint(g_chmod(path, mode), ==, 0);
}

static void test_kept(void)
{
    g_autofree char *path = g_build_filename(folder, "kept", NULL);
    unsigned char made[STATE_KEY_SIZE];
    unsigned char found[STATE_KEY_SIZE];
    char *why = NULL;
    struct stat status;
    g_assert_cmpint(state_key_get(path, made, &why), ==, STATE_KEY_MADE);
    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 07777, ==, 0600);
    g_assert_cmpint(state_key_get(path, found, &why), ==, STATE_KEY_FOUND);
    g_assert_cmpmem(made, STATE_KEY_SIZE, found, STATE_KEY_SIZE);
    g_assert_null(why);
}

/* What is no key, or was read by others, is one no more. */
static void test_replaced(void)
{
    static const struct {
        size_t length;
        int mode;
        const char *why;
    } rows[] = {
        {0, 0600, "holds no key"},
        {STATE_KEY_SIZE - 1, 0600, "holds no key"},
        {STATE_KEY_SIZE + 1, 0600, "holds no key"},
        {STATE_KEY_SIZE, 0640, "could be read by others"},
        {STATE_KEY_SIZE, 0604, "could be read by others"},
    };
    g_autofree char *path = g_build_filename(folder, "replaced", NULL);
    static const unsigned char old[STATE_KEY_SIZE + 1] = "an old key";
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        unsigned char key[STATE_KEY_SIZE];
        unsigned char again[STATE_KEY_SIZE];
        g_autofree char *why = NULL;
        char *nothing = NULL;
        write_key(path, old, rows[i].length, rows[i].mode);
        g_assert_cmpint(state_key_get(path, key, &why), ==, STATE_KEY_REPLACED);
        g_assert_nonnull(strstr(why, rows[i].why));
        g_assert_cmpint(memcmp(key, old, STATE_KEY_SIZE), !=, 0);
        g_assert_cmpint(state_key_get(path, again, &nothing), ==, STATE_KEY_FOUND);
        g_assert_cmpmem(key, STATE_KEY_SIZE, again, STATE_KEY_SIZE);
    }
}

/* A file that opens and cannot be read may hold the key all the same: nothing takes its place.
 * A process's own memory is such a file, whose first page is nobody's. */
static void test_unreadable(void)
{
    unsigned char key[STATE_KEY_SIZE] = {0};
    static const unsigned char none[STATE_KEY_SIZE];
    g_autofree char *why = NULL;
    g_assert_cmpint(state_key_get("/proc/self/mem", key, &why), ==, STATE_KEY_LOST);
    g_assert_nonnull(strstr(why, g_strerror(EIO)));
    g_assert_cmpint(memcmp(key, none, STATE_KEY_SIZE), !=, 0);
}

/* A link leads where its maker wants. */
static void test_link(void)
{
    g_autofree char *path = g_build_filename(folder, "link", NULL);
    g_autofree char *other = g_build_filename(folder, "other", NULL);
    unsigned char key[STATE_KEY_SIZE];
    static const unsigned char known[STATE_KEY_SIZE] = "known to the maker of the link";
    g_autofree char *why = NULL;
    write_key(other, known, STATE_KEY_SIZE, 0600);
    g_assert_cmpint(symlink(other, path), ==, 0);
    g_assert_cmpint(state_key_get(path, key, &why), ==, STATE_KEY_LOST);
    g_assert_nonnull(why);
    g_assert_cmpint(memcmp(key, known, STATE_KEY_SIZE), !=, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("gatepost-XXXXXX", NULL);
    g_test_add_func("/statekey/kept", test_kept);
    g_test_add_func("/statekey/replaced", test_replaced);
    g_test_add_func("/statekey/unreadable", test_unreadable);
    g_test_add_func("/statekey/link", test_link);
    int result = g_test_run();
    static const char *const names[] = {"kept", "replaced", "link", "other"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        (void)g_unlink(path);
    }
    (void)g_rmdir(folder);
    g_free(folder);
    return result;
}
