/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/mimeparam.h"
#include "mail/script.h"

#include <string.h>

static const struct {
    const char *value, *want; /* want: all values, a bar between them; NULL: no charset */
} params[] = {
    {"text/plain; charset=koi8-r", "koi8-r"},
    {"text/plain;charset=\"koi8-r\"; format=flowed", "koi8-r"},
    {"text/plain; format=flowed;\n\tCHARSET = \"koi\\8-r\"", "koi8-r"},
    {"text/plain; charset*=us-ascii'en'koi8-r", "koi8-r"},
    {"text/plain; charset*=''koi8%2Dr", "koi8-r"},
    {"text/plain; charset*1=-r; charset*0=koi8", "koi8-r"},
    {"text/plain; charset*0*=''koi; charset*1*=8%2D; charset*2=r", "koi8-r"},
    /* a reader that knows no comments sees the second */
    {"text/plain; (a comment; charset=x) charset (c) = (d) utf-8", "utf-8|x)"},
    {"text/plain; name=\"a;charset=x\"; charset=utf-8", "utf-8"},
    {"text/plain; charset=", ""},
    {"text/plain; charset=utf-8; charset=koi8-r", "utf-8|koi8-r"},
    {"text/plain; charset*0=a; charset*1=b; charset=c; charset*=''d%20", "c|d |ab"},
    {"text/plain; charset*1=b; charset=c", "c"},
    {"text/plain", NULL},
    {"charset=koi8-r", NULL},
    {"text/plain; xcharset=koi8-r", NULL},
    {"text/plain; charset*99999999999=x", NULL},
    {"text/plain; charset", NULL},
    {"", NULL},
    {"text/plain; charset=\"unclosed", "unclosed"},
};

static void test_params(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(params); i++) {
        g_autoptr(GPtrArray) values =
            mimeparam_all(params[i].value, strlen(params[i].value), "charset");
        g_string_truncate(out, 0);
        for (guint n = 0; n < values->len; n++)
            g_string_append_printf(out, "%s%s", n ? "|" : "", (char *)values->pdata[n]);
        g_assert_cmpstr(values->len > 0 ? out->str : NULL, ==, params[i].want);
    }
    mimeparam_type(" Multipart/Mixed; boundary=x", 28, out);
    g_assert_cmpstr(out->str, ==, "multipart/mixed");
}

static void test_scripts(void)
{
    struct script_counts counts = {0};
    const char *text = "Привет, мир! abc 123 \xff カタ 漢字";
    script_count(text, strlen(text), &counts);
    g_assert_cmpuint(counts.letters, ==, 9 + 3 + 2 + 2);
    g_assert_cmpuint(counts.of[script_find("Cyrillic")], ==, 9);
    g_assert_cmpuint(counts.of[script_find("latin")], ==, 3);
    g_assert_cmpuint(counts.of[script_find("Hani")], ==, 2);
    g_assert_cmpint(script_find("old-italic"), ==, script_find("Ital"));
    g_assert_cmpint(script_find("Klingon"), ==, -1);
    g_assert_cmpint(script_find("Zyyy"), ==, -1);
    g_assert_cmpstr(script_name(script_find("cyrl")), ==, "Cyrillic");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mimeparam/charset", test_params);
    g_test_add_func("/script/count", test_scripts);
    return g_test_run();
}
