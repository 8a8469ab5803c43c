/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/charset.h"
#include "mail/mimeword.h"

#include <string.h>

static const struct {
    const char *value, *want;
} words[] = {
    {"plain", "plain"},
    {" plain\n\tfolded \n", "plain folded"},
    {"=?koi8-r?Q?=F0=D2=C9=D7=C5=D4?=", "Привет"},
    {"=?KOI8-R?B?8NLJ18XU?= tail", "Привет tail"},
    {"=?windows-1251?b?z/Do4uXy?=", "Привет"},
    {"=?cp1251*ru?q?=CF=F0=E8_=E2?=", "При в"},
    /* White space between words goes, other text stays. */
    {"=?utf-8?q?a?= =?utf-8?q?b?=\n =?utf-8?q?c?= d", "abc d"},
    {"=?utf-8?q?a?=x=?utf-8?q?b?=", "axb"},
    {"=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b"},
    /* A character cut in two between words of one charset. */
    {"=?utf-8?q?=D0?= =?utf-8?q?=9F?=", "П"},
    {"=?utf-8?B?0A==?= =?UTF-8?B?nw==?=", "П"},
    {"=?utf-8?q?=D0?= =?us-ascii?q?=9F?=", "\xef\xbf\xbd\xef\xbf\xbd"},
    /* Broken ones. */
    {"=?utf-8?q?a", "=?utf-8?q?a"},
    {"=?utf-8?x?a?=", "=?utf-8?x?a?="},
    {"=?utf-8?q?=4?=", "=4"},
    {"=?\?q?a?=", "=?\?q?a?="},
    {"=?utf-8?B?0J/R?=", "П\xef\xbf\xbd"},
    {"=?utf-8?B?0J$/R$gA?=", "Пр"},
    {"=?utf-8?B?\?=", ""},
    {"=?utf-8?q?=C0=AF?=", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"=?utf-8?q?=F0=9F=98?=", "\xef\xbf\xbd"},
    /* A charset nobody knows is windows-1252, and so is iso-8859-1. */
    {"=?x-none?q?=93a=94?=", "“a”"},
    {"=?iso-8859-1?q?=80?=", "€"},
    {"=?us-ascii?q?=FFa?=", "\xef\xbf\xbd"
                            "a"},
    {"=?iso-2022-jp?B?GyRCJUYlOSVIGyhC?=", "テスト"},
    {"=?gb2312?B?1tDOxA==?=", "中文"},
    {"=?ks_c_5601-1987?B?x9Gx2w==?=", "한글"},
    {"=?big5?B?pKSk5Q==?=", "中文"},
    {"=?utf-16?B?BB8EQAQ4?=", "При"},
    {"=?utf-7?Q?+BB8EQAQ4-?=", "При"},
    /* Raw 8 bit: UTF-8 if it is, else windows-1252. */
    {"\xd0\x9f", "П"},
    {"caf\xe9", "café"},
    {"a\r\n b", "a\r b"},
};

static void test_decode(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        mimeword_decode_field("Subject", words[i].value, strlen(words[i].value), out);
        g_assert_cmpstr(out->str, ==, words[i].want);
    }
}

static void test_opaque(void)
{
    static const char *const names[] = {"Message-ID", "received", "List-Id", "Date", NULL};
    for (size_t i = 0; names[i]; i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        mimeword_decode_field(names[i], " =?utf-8?q?a?=", 14, out);
        g_assert_cmpstr(out->str, ==, "=?utf-8?q?a?=");
    }
}

static const struct {
    const char *label, *want;
} labels[] = {
    {"cp1251", "windows-1251"},
    {"CSWINDOWS1251", "windows-1251"},
    {"Windows-1251", "windows-1251"},
    {"win1251", "windows-1251"},
    {"koi8", "koi8-r"},
    {"csKOI8R", "koi8-r"},
    {"KOI8-R*ru", "koi8-r"},
    {"\"koi8-r\"", "koi8-r"},
    {" UTF8 ", "utf-8"},
    {"latin1", "iso-8859-1"},
    {"ISO_8859-1:1987", "iso-8859-1"},
    {"l5", "iso-8859-9"},
    {"ascii", "us-ascii"},
    {"ANSI_X3.4-1968", "us-ascii"},
    {"x-sjis", "shift_jis"},
    {"MS936", "gbk"},
    {"euc-cn", "gb2312"},
    {"ks_c_5601-1987", "euc-kr"},
    {"cp866", "ibm866"},
    {"IBM00858", "ibm00858"},
    {"csPTCP154", "ptcp154"},
    {"CP037", "ibm037"},
    {"ebcdic-us-37+euro", "ibm01140"},
    {"ISO_8859-5:1988", "iso-8859-5"},
    {"csISO54271981", "iso_5427:1981"},
    {"csUnknown8BiT", "unknown-8bit"},
    {"X-Unheard-Of", "x-unheard-of"},
    {"a b\x01", "a?b?"},
    {"", ""},
};

static void test_canonical(void)
{
    char name[CHARSET_NAME_MAX];
    for (size_t i = 0; i < G_N_ELEMENTS(labels); i++)
        g_assert_cmpstr(charset_canonical(labels[i].label, strlen(labels[i].label), name), ==,
                        labels[i].want);
    g_autofree char *lengthy = g_strnfill(500, 'x');
    g_assert_cmpuint(strlen(charset_canonical(lengthy, 500, name)), ==, CHARSET_NAME_MAX - 1);
}

static void test_output_is_utf8(void)
{
    static const char *const names[] = {"utf-8",       "utf-16",    "utf-7", "koi8-r",
                                        "iso-2022-jp", "shift_jis", "big5",  "euc-kr",
                                        "gb18030",     "x-unknown", "../x",  "//translit"};
    char bytes[512];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 256);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        charset_to_utf8(names[i], bytes, sizeof bytes, out);
        g_assert_true(charset_is_utf8(out->str, out->len));
        g_assert_cmpuint(out->len, <=, 3 * sizeof bytes + 16);
    }
}

static void test_bounded(void)
{
    g_autoptr(GString) value = g_string_new(NULL);
    while (value->len < 2 * MIMEWORD_OUTPUT_MAX)
        g_string_append(value, "=?koi8-r?B?8NLJ18XU?= ");
    g_autoptr(GString) out = g_string_new(NULL);
    mimeword_decode(value->str, value->len, out);
    g_assert_cmpuint(out->len, <=, 4 * MIMEWORD_OUTPUT_MAX);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mimeword/decode", test_decode);
    g_test_add_func("/mimeword/opaque", test_opaque);
    g_test_add_func("/mimeword/bounded", test_bounded);
    g_test_add_func("/charset/canonical", test_canonical);
    g_test_add_func("/charset/output", test_output_is_utf8);
    return g_test_run();
}
