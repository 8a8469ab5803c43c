/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines for standard error: some by one call, and what becomes of them where it cannot be written.
 */
#include "../../../milter/report/log_target.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LINES = 4 };

static struct log_line *line_of(const char *text)
{
    return log_line_new(LOG_TARGET_STDERR, 0, LOG_KIND_NOTE, g_string_new(text), NULL);
}

/* What comes to a file that is standard error while LINES are written by one call. */
static char *written(struct log_line *const *lines)
{
    g_autofree char *path = NULL;
    char *text = NULL;
    int file = g_file_open_tmp("stderr-XXXXXX", &path, NULL), kept = dup(STDERR_FILENO);
    g_assert_cmpint(dup2(file, STDERR_FILENO), ==, STDERR_FILENO);
    unsigned count = log_target_write(lines, LINES);
    g_assert_cmpint(dup2(kept, STDERR_FILENO), ==, STDERR_FILENO);
    g_assert_cmpuint(count, ==, LINES);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    close(file);
    close(kept);
    unlink(path);
    return text;
}

static void limit(rlim_t bytes)
{
    struct rlimit room;
    getrlimit(RLIMIT_FSIZE, &room);
    room.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &room);
}

/* The room is there again once a write has failed. */
static void make_room(int number)
{
    (void)number;
    limit(RLIM_INFINITY);
}

/* Where there is no room for a while: the rest of a line is lost, and not those behind it. */
static void test_no_room(void)
{
    static const struct {
        rlim_t room;
        const char *written;
    } rows[] = {
        {0, "second\nthird\nfourth\n"},
        {3, "firsecond\nthird\nfourth\n"},
        {6, "first\nthird\nfourth\n"},
        {15, "first\nsecond\nthfourth\n"},
        {1000, "first\nsecond\nthird\nfourth\n"},
    };
    struct log_line *lines[LINES] = {line_of("first"), line_of("second"), line_of("third"),
                                     line_of("fourth")};
    struct sigaction action = {.sa_handler = make_room}, before;
    sigaction(SIGXFSZ, &action, &before);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        limit(rows[i].room);
        g_autofree char *text = written(lines);
        limit(RLIM_INFINITY);
        g_assert_cmpstr(text, ==, rows[i].written);
    }
    sigaction(SIGXFSZ, &before, NULL);
    for (int i = 0; i < LINES; i++)
        log_line_free(lines[i]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log_target/no_room", test_no_room);
    return g_test_run();
}
