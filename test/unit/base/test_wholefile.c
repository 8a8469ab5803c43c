/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading and replacing whole files: what is at the path, and what comes of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/wholefile.h"

enum { MOST = 100000 };

static char *folder, *path;

static void check(enum whole_file_kinds kinds, enum whole_file_result expected, size_t length)
{
    struct whole_file file;
    gint64 begun = g_get_monotonic_time();
    g_assert_cmpint(whole_file_read(path, kinds, MOST, &file), ==, expected);
    g_assert_cmpint(g_get_monotonic_time() - begun, <, 60 * G_USEC_PER_SEC);
    g_assert_true((expected == WHOLE_FILE_READ) == (file.text != NULL));
    if (file.text) {
        g_assert_cmpuint(file.length, ==, length);
        g_assert_cmpint(file.text[length], ==, '\0');
    }
    g_free(file.text);
}

static void test_sizes(void)
{
    static const size_t sizes[] = {0, 1, 16383, 16384, 16385, MOST - 1, MOST, MOST + 1, 3 * MOST};
    g_autofree char *text = g_strnfill(3 * MOST, 'x');
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        enum whole_file_result expected = sizes[i] > MOST ? WHOLE_FILE_TOO_LARGE : WHOLE_FILE_READ;
        g_assert_true(g_file_set_contents(path, text, (gssize)sizes[i], NULL));
        check(WHOLE_FILE_REGULAR, expected, sizes[i]);
        check(WHOLE_FILE_STREAMS, expected, sizes[i]);
        g_unlink(path);
    }
}

static void test_no_file(void)
{
    check(WHOLE_FILE_REGULAR, WHOLE_FILE_FAULT, 0);
    g_assert_cmpint(errno, ==, ENOENT);
    g_assert_cmpstr(whole_file_why(WHOLE_FILE_FAULT), ==, g_strerror(ENOENT));
    g_mkdir(path, 0700);
    check(WHOLE_FILE_REGULAR, WHOLE_FILE_FOLDER, 0);
    check(WHOLE_FILE_STREAMS, WHOLE_FILE_FOLDER, 0);
    g_rmdir(path);
}

static void test_devices(void)
{
    static const struct {
        const char *device;
        enum whole_file_kinds kinds;
        enum whole_file_result expected;
    } rows[] = {
        {"/dev/null", WHOLE_FILE_REGULAR, WHOLE_FILE_SPECIAL},
        {"/dev/null", WHOLE_FILE_STREAMS, WHOLE_FILE_READ},
        {"/dev/zero", WHOLE_FILE_REGULAR, WHOLE_FILE_SPECIAL},
        {"/dev/zero", WHOLE_FILE_STREAMS, WHOLE_FILE_TOO_LARGE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpint(symlink(rows[i].device, path), ==, 0);
        check(rows[i].kinds, rows[i].expected, 0);
        g_unlink(path);
    }
}

/* Writes SIZE bytes into the FIFO after a moment. */
static void *write_late(void *data)
{
    size_t size = GPOINTER_TO_SIZE(data);
    g_autofree char *text = g_strnfill(size, 'x');
    g_usleep(G_USEC_PER_SEC / 4);
    int fd = open(path, O_WRONLY);
    for (size_t done = 0; done < size;) {
        ssize_t written = write(fd, text + done, size - done);
        if (written <= 0)
            break;
        done += (size_t)written;
    }
    close(fd);
    return NULL;
}

static void test_fifos(void)
{
    static const size_t sizes[] = {1, 70000, MOST, MOST + 1};
    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    check(WHOLE_FILE_REGULAR, WHOLE_FILE_SPECIAL, 0);
    check(WHOLE_FILE_STREAMS, WHOLE_FILE_UNWRITTEN, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        GThread *thread = g_thread_new("writer", write_late, GSIZE_TO_POINTER(sizes[i]));
        check(WHOLE_FILE_STREAMS, sizes[i] > MOST ? WHOLE_FILE_TOO_LARGE : WHOLE_FILE_READ,
              sizes[i]);
        g_thread_join(thread);
    }
    g_unlink(path);
}

static gint stop;

static void *keep_writing(void *data)
{
    int fd = GPOINTER_TO_INT(data);
    while (!g_atomic_int_get(&stop)) {
        g_assert_cmpint(pwrite(fd, "x", 1, 0), ==, 1);
        g_usleep(100);
    }
    return NULL;
}

/* What is read at rest only is never taken while somebody writes; then it is. */
static void test_changing(void)
{
    struct whole_file file;
    unsigned changed = 0;
    g_autofree char *text = g_strnfill(MOST, 'x');
    g_assert_true(g_file_set_contents(path, text, MOST, NULL));
    int fd = open(path, O_WRONLY);
    GThread *thread = g_thread_new("writer", keep_writing, GINT_TO_POINTER(fd));
    for (unsigned i = 0; i < 20000 && changed == 0; i++) {
        changed += whole_file_read(path, WHOLE_FILE_REGULAR, MOST, &file) == WHOLE_FILE_CHANGED;
        g_free(file.text);
    }
    g_assert_cmpuint(changed, >, 0);
    g_atomic_int_set(&stop, 1);
    g_thread_join(thread);
    close(fd);
    g_assert_cmpint(whole_file_read_settled(path, MOST, &file), ==, WHOLE_FILE_READ);
    g_free(file.text);
    g_unlink(path);
}

static void replace(const char *bytes, size_t length, const char *why)
{
    g_autofree char *said = whole_file_replace(path, bytes, length, 0640);
    g_assert_true(why ? said && strstr(said, why) : !said);
}

/* The bytes of a file, its permissions, and that nothing else is in the folder. */
static void is_replaced(const char *bytes, size_t length, mode_t mode)
{
    struct whole_file file;
    GDir *dir = g_dir_open(folder, 0, NULL);
    g_assert_cmpint(whole_file_read(path, WHOLE_FILE_REGULAR, MOST, &file), ==, WHOLE_FILE_READ);
    g_assert_cmpmem(file.text, file.length, bytes, length);
    g_assert_cmpint(file.status.st_mode & 07777, ==, mode);
    g_assert_cmpstr(g_dir_read_name(dir), ==, "file");
    g_assert_null(g_dir_read_name(dir));
    g_dir_close(dir);
    g_free(file.text);
}

static void test_replacing(void)
{
    struct stat before, after;
    mode_t mask = umask(0077);
    replace("one\0two", 7, NULL);
    is_replaced("one\0two", 7, 0640);
    g_assert_cmpint(g_chmod(path, 0604), ==, 0);
    replace("another", 7, NULL);
    is_replaced("another", 7, 0604);
    g_assert_cmpint(stat(path, &before), ==, 0);
    replace("another", 7, NULL);
    g_assert_cmpint(stat(path, &after), ==, 0);
    g_assert_true(before.st_ino == after.st_ino);
    replace("", 0, NULL);
    is_replaced("", 0, 0604);
    g_assert_cmpint(g_unlink(path), ==, 0);
    umask(mask);
}

/* Whose the file was, his it is, and nobody runs as him by what we wrote. */
static void test_replacing_others(void)
{
    enum { OTHER_USER = 12345, OTHER_GROUP = 23456 };
    struct stat status;
    if (geteuid() != 0) {
        g_test_skip("only root has files of others");
        return;
    }
    replace("one", 3, NULL);
    g_assert_cmpint(chown(path, OTHER_USER, OTHER_GROUP), ==, 0);
    g_assert_cmpint(chmod(path, 06751), ==, 0);
    replace("two", 3, NULL);
    is_replaced("two", 3, 0751);
    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpint(status.st_uid, ==, OTHER_USER);
    g_assert_cmpint(status.st_gid, ==, OTHER_GROUP);
    /* who may not give it away does not open it to his own group */
    pid_t child = fork();
    if (child == 0) {
        gboolean left = chmod(path, 0640) == 0 && chmod(folder, 0777) == 0 &&
                        setgid(OTHER_USER) == 0 && setuid(OTHER_USER) == 0;
        _exit(left && !whole_file_replace(path, "three", 5, 0644) ? 0 : 1);
    }
    int ended;
    g_assert_cmpint(waitpid(child, &ended, 0), ==, child);
    g_assert_cmpint(ended, ==, 0);
    g_assert_cmpint(g_chmod(folder, 0700), ==, 0);
    is_replaced("three", 5, 0600);
    g_assert_cmpint(g_unlink(path), ==, 0);
}

/* What is at the path is as it was, and so is what it leads to. */
static void test_replacing_no_file(void)
{
    g_autofree char *target = g_strconcat(folder, "/target", NULL);
    g_autofree char *text = NULL;
    struct stat status;
    g_assert_true(g_file_set_contents(target, "theirs", -1, NULL));
    g_assert_cmpint(symlink(target, path), ==, 0);
    replace("ours", 4, "no regular file");
    g_assert_true(g_file_get_contents(target, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "theirs");
    g_assert_cmpint(lstat(path, &status), ==, 0);
    g_assert_true(S_ISLNK(status.st_mode));
    g_unlink(path);
    g_unlink(target);
    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    replace("ours", 4, "no regular file");
    g_unlink(path);
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    replace("ours", 4, "no regular file");
    g_assert_cmpint(g_rmdir(path), ==, 0);
    g_autofree char *none = g_strconcat(folder, "/none/file", NULL);
    g_autofree char *why = whole_file_replace(none, "ours", 4, 0600);
    g_assert_nonnull(strstr(why, g_strerror(ENOENT)));
}

/* Whoever starts must not hang on what is no file. */
static void test_first_line(void)
{
    static const struct {
        const char *text, *line;
    } rows[] = {{"secret\nmore\n", "secret"},
                {"secret\r\n", "secret"},
                {"secret", "secret"},
                {"\nsecret", ""},
                {"", ""}};
    char *line;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_true(g_file_set_contents(path, rows[i].text, -1, NULL));
        g_assert_cmpint(whole_file_first_line(path, &line), ==, WHOLE_FILE_READ);
        g_assert_cmpstr(line, ==, rows[i].line);
        g_free(line);
    }
    g_unlink(path);
    g_assert_cmpint(whole_file_first_line(path, &line), ==, WHOLE_FILE_FAULT);
    g_assert_null(line);
    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    g_assert_cmpint(whole_file_first_line(path, &line), ==, WHOLE_FILE_SPECIAL);
    g_assert_null(line);
    g_unlink(path);
    g_assert_cmpint(whole_file_first_line("/dev/zero", &line), ==, WHOLE_FILE_SPECIAL);
    g_assert_null(line);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("gatepost-XXXXXX", NULL);
    path = g_build_filename(folder, "file", NULL);
    g_test_add_func("/wholefile/sizes", test_sizes);
    g_test_add_func("/wholefile/no_file", test_no_file);
    g_test_add_func("/wholefile/devices", test_devices);
    g_test_add_func("/wholefile/fifos", test_fifos);
    g_test_add_func("/wholefile/changing", test_changing);
    g_test_add_func("/wholefile/replacing", test_replacing);
    g_test_add_func("/wholefile/replacing_others", test_replacing_others);
    g_test_add_func("/wholefile/replacing_no_file", test_replacing_no_file);
    g_test_add_func("/wholefile/first_line", test_first_line);
    int status = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    g_free(path);
    return status;
}
