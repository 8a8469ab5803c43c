/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Macros as packets bring them: which of them a name finds, and until when.
 */
#include "macros.h"

#include <string.h>

/* Takes the LENGTH bytes at DATA. */
static bool take(struct macros *macros, const char *data, size_t length)
{
    /* Of their own size, so that a sanitizer sees what is read beyond. */
    g_autofree unsigned char *copy = g_memdup2(data, length);
    const struct wire_packet packet = {.letter = 'D', .data = copy, .length = length};
    return macros_take(macros, &packet);
}
#define TAKE(macros, data) take(macros, data, sizeof(data) - 1)

static const char *get(struct macros *macros, const char *name)
{
    struct macro_source source = macros_source(macros);
    return source.get(source.context, name);
}

static void test_names(void)
{
    struct macros macros = {0};
    g_assert_true(TAKE(&macros, "Cj\0mail.test\0{v}\0Postfix\0{client_addr}\0"
                                "192.0.2.1\0empty\0\0\0no name\0{ab}\0braces\0j\0again\0"));
    static const char *const rows[][2] = {
        {"j", "mail.test"},
        {"{j}", "mail.test"},
        {"v", "Postfix"},
        {"{v}", "Postfix"},
        {"{client_addr}", "192.0.2.1"},
        {"client_addr", NULL},
        {"{client_add}", NULL},
        {"empty", ""},
        {"", "no name"},
        {"{ab}", "braces"},
        {"ab", NULL},
        {"{}", NULL},
        {"{", NULL},
        {"J", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpstr(get(&macros, rows[i][0]), ==, rows[i][1]);
    macros_forget(&macros, MACROS_CONNECT);
    g_assert_null(get(&macros, "j"));
}

/* A name without a value is none; what does not end is no packet of macros. */
static void test_odd(void)
{
    struct macros macros = {0};
    g_assert_true(TAKE(&macros, "Ma\0one\0b\0"));
    g_assert_cmpstr(get(&macros, "a"), ==, "one");
    g_assert_null(get(&macros, "b"));
    g_assert_true(TAKE(&macros, "Mb\0"));
    g_assert_null(get(&macros, "a"));
    g_assert_true(TAKE(&macros, "Ma\0one\0"));
    g_assert_true(TAKE(&macros, "M"));
    g_assert_null(get(&macros, "a"));
    g_assert_true(TAKE(&macros, "Za\0one\0"));
    g_assert_null(get(&macros, "a"));
    g_assert_false(TAKE(&macros, ""));
    g_assert_false(TAKE(&macros, "Ma\0one"));
    macros_forget(&macros, MACROS_CONNECT);
}

/* Later stages win, and are forgotten with earlier ones. */
static void test_stages(void)
{
    struct macros macros = {0};
    g_assert_true(TAKE(&macros, "Ci\0connect\0k\0kept\0"));
    g_assert_true(TAKE(&macros, "Mi\0mail\0"));
    g_assert_true(TAKE(&macros, "Ri\0rcpt\0"));
    g_assert_cmpstr(get(&macros, "i"), ==, "rcpt");
    macros_forget(&macros, MACROS_RCPT);
    g_assert_cmpstr(get(&macros, "i"), ==, "mail");
    g_assert_true(TAKE(&macros, "Hh\0helo\0"));
    g_assert_cmpstr(get(&macros, "i"), ==, "connect");
    g_assert_cmpstr(get(&macros, "k"), ==, "kept");
    macros_forget(&macros, MACROS_CONNECT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/macros/names", test_names);
    g_test_add_func("/macros/odd", test_odd);
    g_test_add_func("/macros/stages", test_stages);
    return g_test_run();
}
