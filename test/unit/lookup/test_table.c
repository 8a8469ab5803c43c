/* SPDX-License-Identifier: BSD-2-Clause */
#include "scratch.h"

/* A rule that may keep out, and cannot be read; what of the table that leaves untold. */
#define UNTOLD(line, text, what)                                                                   \
    "t:" #line ": warning: " text                                                                  \
    "; until that is mended, nobody can tell what it keeps out: what gets as far as " what         \
    " is answered 451"
#define THIS_LINE    "this line"
#define ITS_BLOCK    "a rule of its block"
#define WHAT_FOLLOWS "a rule below it"

/* A table's TEXT, in a file "t", and what each key gives: "KEY=VALUE", "KEY" for a miss, "KEY!" for
 * an error. NULL for the text: SPEC is the whole spec. */
struct row {
    const char *spec;
    const char *text;
    const char *answers[9]; /* NULL at the end */
    const char *problems;
};

static void check_answer(struct table *table, const char *answer)
{
    g_autoptr(GString) value = g_string_new("leftover");
    const char *equals = strrchr(answer, '=');
    size_t length = strlen(answer);
    bool error = length > 0 && answer[length - 1] == '!';
    g_autofree char *key = equals ? g_strndup(answer, (gsize)(equals - answer))
                                  : g_strndup(answer, length - (error ? 1 : 0));
    enum lookup_status expected = equals ? LOOKUP_HIT : error ? LOOKUP_ERROR : LOOKUP_MISS;
    g_autofree char *shown = g_strescape(answer, NULL);
    g_test_message("%s: %s", table_name(table), shown);
    g_assert_cmpint(table_find(table, key, value), ==, expected);
    g_assert_cmpstr(value->str, ==, equals ? equals + 1 : "");
    g_assert_cmpint(table_find(table, key, NULL), ==, expected);
}

static void check_rows(const struct row *rows, size_t count)
{
    struct scratch scratch = scratch_new();
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        if (row->text)
            scratch_write(&scratch, "t", row->text, -1);
        g_autofree char *spec = row->text ? g_strconcat(row->spec, ":t", NULL) : NULL;
        struct table *table = table_open(spec ? spec : row->spec, false, &scratch.context);
        g_autofree char *problems = scratch_problems(&scratch);
        g_autofree char *shown = g_strescape(row->text ? row->text : "", NULL);
        g_test_message("%s: %s", row->spec, shown);
        g_assert_cmpstr(problems, ==, row->problems ? row->problems : "");
        g_assert_cmpint(table != NULL, ==, row->answers[0] != NULL);
        for (size_t j = 0; row->answers[j]; j++)
            check_answer(table, row->answers[j]);
        table_unref(table);
    }
    scratch_clear(&scratch);
}

static const struct row texthash_rows[] = {
    {"texthash", "", {"a", ""}, NULL},
    {"texthash", "a 1\nB\tTwo Words  \n", {"a=1", "A=1", "b=Two Words", "B=Two Words", "c"}, NULL},
    {"texthash", "a 1", {"a=1"}, NULL},
    {"texthash", "a 1\r\nb 2\r\n", {"a=1", "b=2"}, NULL},
    {"texthash", "# c\n\n  # d\na 1\n  # e\n\n  2\n#f\n\t3\nb 4\n", {"a=1  2\t3", "b=4"}, NULL},
    {"texthash",
     "  x 1\na 2\n",
     {"a=2", "x"},
     "t:1: warning: a line that begins with white space continues the one before, but there is "
     "none; ignored"},
    {"texthash",
     "a\nb 1\n",
     {"a", "b=1"},
     "t:1: warning: expected a key, white space, a value; the line is skipped"},
    {"texthash",
     "a:\t1\n",
     {"a:=1"},
     "t:1: warning: the key ends in a colon; is this an alias file?"},
    {"texthash",
     "a 1\nb 2\nA 3\n",
     {"a=1", "b=2"},
     "t:3: warning: the key \"a\" is there already; the first one counts here, but "
     "Postfix's smtpd cannot use a table with such a key (451); take one of the two out"},
    {"texthash",
     "\"a b\" 1\n\"c \\\" d\" 2\ne\\ f 3\n",
     {"\"a b\"=1", "a b", "\"c \\\\\" d\"", "\"c \\\" d\"=2", "e\\ f=3"},
     NULL},
    {"texthash",
     "\"a b 1\nc 2\n",
     {"c=2"},
     "t:1: warning: a quote (\") has no partner; the line is skipped"},
    {"texthash",
     "\xd0\x91\xd0\xb0 1\nb\xff 2\nc \xff\n",
     {"\xd0\xb1\xd0\xb0=1", "\xd0\x91\xd0\x90=1", "b\xff", "c"},
     "t:2: warning: the key is not UTF-8; the line is skipped\n"
     "t:3: warning: the value is not UTF-8; the line is skipped"},
    /* The folded form is longer than the key, in a table where that matters. */
    {"texthash",
     "stra\xc3\x9f"
     "e 1\n\xce\x90 2\nz 3\n",
     {"STRASSE=1", "\xce\x90=2", "z=3"},
     NULL},
    {"hash", "a 1\n", {"a=1"}, NULL},
    {"btree", "a 1\n", {"a=1"}, NULL},
    {"lmdb", "a 1\n", {"a=1"}, NULL},
    {"cdb", "a 1\n", {"a=1"}, NULL},
    {"dbm", "a 1\n", {"a=1"}, NULL},
    {"proxy:hash", "a 1\n", {"a=1"}, NULL},
    {"proxy:proxy:texthash", "a 1\n", {"a=1"}, NULL},
};

static const struct row name_rows[] = {
    {"inline:{a=1, B=two c=3,}", NULL, {"a=1", "A=1", "b=two", "c=3", "d"}, NULL},
    {"inline:{ {a = b c, d} , e = f }",
     NULL,
     {NULL},
     "main:7: error: table inline:{ {a = b c, d} , e = f }: expected {key=value, ...}"},
    {"inline:{ {a = b c, d} , {e = f=g} }", NULL, {"a=b c, d"}, NULL},
    {"inline:{a=1 a=2}", NULL, {"a=2"}, NULL},
    {"inline:{a=}", NULL, {"a="}, NULL},
    {"inline:{{\"a b\" = c}}", NULL, {"\"a b\"=c", "a b"}, NULL},
    {"inline:{}",
     NULL,
     {NULL},
     "main:7: error: table inline:{}: the table is empty; expected {key=value, ...}"},
    {"inline:{a}", NULL, {NULL}, "main:7: error: table inline:{a}: expected {key=value, ...}"},
    {"inline:{=a}", NULL, {NULL}, "main:7: error: table inline:{=a}: expected {key=value, ...}"},
    {"inline:{a=b", NULL, {NULL}, "main:7: error: table inline:{a=b: expected {key=value, ...}"},
    {"inline:a=b", NULL, {NULL}, "main:7: error: table inline:a=b: expected {key=value, ...}"},
    {"inline:{a=b}c",
     NULL,
     {NULL},
     "main:7: error: table inline:{a=b}c: expected {key=value, ...}"},
    {"inline:{{a=b}c}",
     NULL,
     {NULL},
     "main:7: error: table inline:{{a=b}c}: text follows a closing brace; expected {key=value, "
     "{key = value}, ...}"},
    {"inline:{{\"a=b}}",
     NULL,
     {NULL},
     "main:7: error: table inline:{{\"a=b}}: a quote (\") has no partner; expected {key=value, "
     "...}"},
    {"static:OK", NULL, {"a=OK", "=OK", "\xff=OK"}, NULL},
    {"static:", NULL, {"a="}, NULL},
    {"static:{ two words }", NULL, {"a=two words"}, NULL},
    {"static:{two",
     NULL,
     {NULL},
     "main:7: error: table static:{two: expected static:VALUE or static:{VALUE WITH SPACES}"},
    {"fail:x", NULL, {"a!", "!"}, NULL},
    {"fail:", NULL, {"a!"}, NULL},
    {"texthash:missing",
     NULL,
     {NULL},
     "main:7: error: cannot read table missing: No such file or directory"},
    {"texthash:.", NULL, {NULL}, "main:7: error: cannot read table .: it is a directory"},
    {"texthash:", NULL, {NULL}, "main:7: error: \"texthash:\" names no file"},
    {"cidr:/dev/null",
     NULL,
     {NULL},
     "main:7: error: cannot read table /dev/null: it is not a regular file"},
    {"texthsah:x",
     NULL,
     {NULL},
     "main:7: error: unknown table type \"texthsah\"; did you mean \"texthash\"?"},
    {"fali:x", NULL, {NULL}, "main:7: error: unknown table type \"fali\""},
    {"mysql:x",
     NULL,
     {NULL},
     "main:7: error: tables of type \"mysql\" are not supported; use texthash, cidr, pcre, "
     "regexp, inline or static"},
    {"/etc/passwd",
     NULL,
     {NULL},
     "main:7: error: \"/etc/passwd\" is no table; expected TYPE:NAME, such as "
     "texthash:/etc/gatepost/x"},
    {"",
     NULL,
     {NULL},
     "main:7: error: \"\" is no table; expected TYPE:NAME, such as texthash:/etc/gatepost/x"},
};

static const struct row cidr_rows[] = {
    {"cidr",
     "192.0.2.1 one\n192.0.2.0/24 net\n2001:db8::/32 six\n0.0.0.0/0 rest\n",
     {"192.0.2.1=one", "192.0.2.9=net", "192.0.3.1=rest", "2001:db8::5=six", "2001:DB8:0::5=six",
      "2001:db9::5", "192.0.2", "name"},
     NULL},
    {"cidr",
     "[2001:db8::]/32 a\n[2001:db9::/32] b\n[192.0.2.1] c\n::ffff:192.0.2.2 d\n",
     {"2001:db8::1=a", "2001:db9::1=b", "192.0.2.1=c", "::ffff:192.0.2.1=c", "192.0.2.2",
      "IPv6:2001:db8::1", "[192.0.2.1]", " 192.0.2.1"},
     NULL},
    {"cidr", "!10.0.0.0/8 out\n", {"192.0.2.1=out", "10.1.1.1", "::1"}, NULL},
    {"cidr", "! ! 10.0.0.0/8\tin it \n", {"192.0.2.1", "10.1.1.1=in it"}, NULL},
    {"cidr",
     "if 10.0.0.0/8\n10.1.0.0/16 a\nIF !10.2.0.0/16\n0.0.0.0/0 b\nendif\nENDIF\n"
     "0.0.0.0/0 c\n::/0 d\n",
     {"10.1.1.1=a", "10.2.1.1=c", "10.3.1.1=b", "192.0.2.1=c", "::1=d"},
     NULL},
    {"cidr",
     "if 10.0.0.0/8\n10.1.0.0/16 a\n",
     {"10.1.1.1=a", "10.2.1.1", "192.0.2.1"},
     "t:1: warning: if without endif"},
    {"cidr",
     "10.1.1.1/8 a\n10.0.0.0 b\n",
     {"10.0.0.0=b", "10.1.1.1"},
     "t:1: warning: \"10.1.1.1/8\": bits outside the prefix are not zero; did you mean "
     "10.0.0.0/8?; the line is skipped"},
    {"cidr",
     "10.0.0.0/33 a\n300.1.1.1 b\n10.0.0.1\n!\nendif\nif\nif x\nendif y\n[10.0.0.1 x\n",
     {"10.0.0.1!", "::1!", "x"},
     "t:1: warning: \"10.0.0.0/33\": the prefix length is too large; the line is skipped\n"
     "t:2: warning: \"300.1.1.1\": not an IP address or network; the line is skipped\n"
     "t:3: warning: there is no value; the line is skipped\n" UNTOLD(
         4, "there is no network",
         THIS_LINE) "\n"
                    "t:5: warning: endif without if; the line is skipped\n" UNTOLD(
                        6, "there is no network",
                        ITS_BLOCK) "\n" UNTOLD(7, "\"x\": not an IP address or network",
                                               ITS_BLOCK) "\n" UNTOLD(8, "text follows endif",
                                                                      WHAT_FOLLOWS) "\n"
                                                                                    "t:9: warning: "
                                                                                    "\"[10.0.0.1\":"
                                                                                    " not an IP "
                                                                                    "address or "
                                                                                    "network; the "
                                                                                    "line is "
                                                                                    "skipped\n"
                                                                                    "t:6: warning: "
                                                                                    "if without "
                                                                                    "endif"},
    {"cidr",
     "10.0.0.0/8 a\n!192.0.2.1/24 b\n192.0.2.0/24 c\n",
     {"10.1.1.1=a", "192.0.2.1!", "::1!", "x"},
     UNTOLD(2,
            "\"192.0.2.1/24\": bits outside the prefix are not zero; did you mean "
            "192.0.2.0/24?",
            THIS_LINE)},
    {"cidr",
     "! ! 1.2.3 a\n0.0.0.0/0 b\n",
     {"10.0.0.1=b"},
     "t:1: warning: \"1.2.3\": not an IP address or network; the line is skipped"},
    {"cidr",
     "!!!1.2.3 a\n0.0.0.0/0 b\n",
     {"10.0.0.1!"},
     UNTOLD(1, "\"1.2.3\": not an IP address or network", THIS_LINE)},
    {"cidr",
     "!10.0.0.0/8\n0.0.0.0/0 b\n",
     {"10.0.0.1!"},
     UNTOLD(1, "there is no value", THIS_LINE)},
    {"cidr",
     "if !10.0.0.1/8\nif 10.1.0.0/16\n10.1.1.0/24 a\nendif\n192.0.2.0/24 b\nendif\n"
     "10.1.1.1 c\n10.2.1.1 d\n192.0.2.1 e\n",
     {"10.1.1.1!", "10.2.1.1=d", "192.0.2.1!", "10.3.1.1"},
     UNTOLD(1, "\"10.0.0.1/8\": bits outside the prefix are not zero; did you mean 10.0.0.0/8?",
            ITS_BLOCK)},
    {"cidr",
     "if 10.0.0.0/8\n10.1.0.0/16 a\nendif # of 10\n10.2.0.0/16 b\n192.0.2.0/24 c\n",
     {"10.1.1.1=a", "10.2.1.1!", "192.0.2.1!", "192.0.3.1"},
     UNTOLD(3, "text follows endif", WHAT_FOLLOWS)},
};

#define EXPLODES "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaX"

static const struct row pcre_rows[] = {
    {"pcre", "/^a(.*)@(.*)$/ $2 ${1} $(1)$$x\n", {"Abc@d=d bc bc$x", "b"}, NULL},
    {"pcre", "/a/i A\n", {"A", "a=A"}, NULL},
    {"pcre", "!/a/ no a\n/b/ b\n", {"c=no a", "ab=b", "a"}, NULL},
    {"pcre", "# c\n!#a#\n  one\n!\n", {"b=one", "a!"}, UNTOLD(4, "there is no pattern", THIS_LINE)},
    {"pcre",
     "/a/ a\n!/(/ x\n/b/ b\n",
     {"ab=a", "b!", "c!"},
     UNTOLD(2, "bad pattern at its byte 2: missing closing parenthesis", THIS_LINE)},
    {"pcre",
     "!!/(/ x\n/b/ b\n",
     {"b=b", "c"},
     "t:1: warning: bad pattern at its byte 2: missing closing parenthesis; the line is skipped"},
    {"pcre",
     "!/a/q x\n!/b\n!/c/ $x\n",
     {"a!", "d!"},
     UNTOLD(1, "unknown pattern flag \"q\"",
            THIS_LINE) "\n" UNTOLD(2, "the pattern has no closing \"/\"",
                                   THIS_LINE) "\n" UNTOLD(3,
                                                          "$ in the value is not followed by the "
                                                          "number of a group ($1, ${1}); write $$ "
                                                          "for a dollar sign",
                                                          THIS_LINE)},
    {"pcre",
     "if !/(/\n/a/ a\nif /b/\n/bc/ bc\nendif\nendif\n/b/ b\n/c/ c\n/a/ d\n",
     {"a!", "bc!", "b=b", "c=c", "d"},
     UNTOLD(1, "bad pattern at its byte 2: missing closing parenthesis", ITS_BLOCK)},
    {"pcre",
     "if /x/\nif\n/a/ a\nendif\nendif\n/a/ b\n",
     {"a=b", "ax!", "x"},
     UNTOLD(2, "there is no pattern", ITS_BLOCK)},
    {"pcre",
     "if /a/\n/b/ 1\nif !/c/\n/d/ 2\nendif\nENDIF\n/./ 3\n",
     {"ab=1", "ad=2", "acd=3", "b=3", "a=3"},
     NULL},
    {"pcre",
     "if /a/\n  /b/ 1\n/b/ 2\nendif x\n",
     {"ab=2", "b"},
     "t:1: warning: text after \"if\" is ignored; lines in the block must not be indented\n"
     "t:4: warning: text after \"endif\" is ignored; lines in the block must not be indented"},
    {"pcre", "if /a/\n/b/ 2\n", {"ab=2", "b"}, "t:1: warning: if without endif"},
    {"pcre",
     "endif\nfoo bar\n/a/q x\n/a x\n/a\\\n!/(a)/ $1\n/a/ $1\n/a/ $x\n/a/ $0\n/a/ ${1\n"
     "/a/ $\n/(/ x\n/ok/ ok\n/a/ $100\n",
     {"ok!", "a!"},
     "t:1: warning: endif without if; the line is skipped\n"
     "t:2: warning: expected /pattern/flags value, if /pattern/flags, or endif; the line is "
     "skipped\n"
     "t:3: warning: unknown pattern flag \"q\"; the line is skipped\n"
     "t:4: warning: the pattern has no closing \"/\"; the line is skipped\n"
     "t:5: warning: the pattern has no closing \"/\"; the line is skipped\n" UNTOLD(
         6, "the value of a negated pattern cannot have $1",
         THIS_LINE) "\n"
                    "t:7: warning: the pattern has no group $1; the line is skipped\n"
                    "t:8: warning: $ in the value is not followed by the number of a group ($1, "
                    "${1}); write $$ "
                    "for a dollar sign; the line is skipped\n"
                    "t:9: warning: $ in the value is not followed by the number of a group ($1, "
                    "${1}); write $$ "
                    "for a dollar sign; the line is skipped\n"
                    "t:10: warning: a ${ or $( in the value is not closed; the line is skipped\n"
                    "t:11: warning: $ in the value is not followed by the number of a group ($1, "
                    "${1}); write $$ "
                    "for a dollar sign; the line is skipped\n"
                    "t:12: warning: bad pattern at its byte 2: missing closing parenthesis; the "
                    "line is skipped\n"
                    "t:14: warning: $ in the value is not followed by the number of a group ($1, "
                    "${1}); write $$ "
                    "for a dollar sign; the line is skipped"},
    {"pcre", "/a/\n", {"a="}, "t:1: warning: there is no value; it is taken to be empty"},
    {"pcre", "/(x)?a/ <$1>\n", {"a=<>", "xa=<x>"}, NULL},
    {"pcre", "/^(a+)+$/ x\n/X/ later\n", {"aaa=x", EXPLODES "!"}, NULL},
    {"pcre", "if /^(a+)+$/\n/a/ x\nendif\n/X/ later\n", {EXPLODES "!"}, NULL},
    {"pcre", "!/^(a+)+$/ x\n", {"b=x", EXPLODES "!"}, NULL},
    {"pcre", "/a.b/ dot\n", {"a\nb=dot"}, NULL},
    {"pcre", "/\xff/ eight\n", {"a\xff=eight"}, NULL},
    {"pcre", "/(*UTF)\xc3\xa9/ e\n", {"\xc3\xa9=e", "\xff!"}, NULL},
};

static const struct row regexp_rows[] = {
    {"regexp",
     "/^\\d+$/ x\n/^\\D$/ big\n",
     {"1", "dd", "d=big", "D=big"},
     "t:1: warning: a backslash before the letter d can never match, nor can what needs it; "
     "\"[[:digit:]]\" was probably "
     "meant\n"
     "t:2: warning: a backslash before the letter D matches that letter alone; \"[^[:digit:]]\" "
     "was probably meant"},
    {"regexp",
     "/a\\q/ x\n/a\\q/i y\n/b\\tc/i z\n/\\w\\./ w\n",
     {"aq=y", "b\tc", "btc=z", "e.=w"},
     "t:1: warning: a backslash before the letter q can never match, nor can what needs it; \"q\" "
     "was probably meant\n"
     "t:3: warning: a backslash before the letter t matches that letter alone; \"[[:blank:]]\" was "
     "probably meant"},
    {"regexp", "/^a(.*)@(.*)$/ $2 ${1} $$\n", {"Abc@d=d bc $", "b"}, NULL},
    {"regexp",
     "/a/i A\n/b\\(c/x B\n",
     {"A", "a=A", "b(c"},
     "t:2: warning: bad pattern: a ( has no partner; the line is skipped"},
    {"regexp", "/b\\(c\\)/x $1\n/b(d)/ $1\n", {"bc=c", "bd=d", "b(d)"}, NULL},
    {"regexp", "/a/!/b/ a without b\n/b/!/!a/i c\n", {"a=a without b", "ab=c", "b=c"}, NULL},
    {"regexp", "/a.b/ any\n/x.y/m line\n", {"a\nb=any", "x\ny", "x y=line"}, NULL},
    {"regexp",
     "/a/!/b(/ x\n/a/ y\n",
     {"a!", "c!"},
     UNTOLD(1, "bad pattern: a ( has no partner", THIS_LINE)},
    {"regexp",
     "/a(/!/b/ x\n/a/ y\n",
     {"a!"},
     UNTOLD(1, "bad pattern: a ( has no partner", THIS_LINE)},
    {"regexp", "if /a/\n/b/ 1\nendif\n/[[:digit:]]{3}/ 3\n", {"ab=1", "b", "a123=3", "12"}, NULL},
    {"regexp",
     "/a/s x\n/b/!\n",
     {"a!"},
     "t:1: warning: unknown pattern flag \"s\"; the line is skipped\n" UNTOLD(
         2, "there is no pattern", THIS_LINE)},
};

#define ROWS(name)                                                                                 \
    static void test_##name(void)                                                                  \
    {                                                                                              \
        check_rows(name##_rows, G_N_ELEMENTS(name##_rows));                                        \
    }
ROWS(texthash)
ROWS(name)
ROWS(cidr)
ROWS(pcre)
ROWS(regexp)

/* 330 kB in one alternation: beyond what PCRE2 links for bytes, and postmap's own limit. */
static void test_large(void)
{
    static const char *const forms[] = {"pcre:t", "/^(?:.*@)?(%s)$/ REJECT $1\n", "regexp:t",
                                        "/^(.*@)?(%s)$/ REJECT $2\n"};
    struct scratch scratch = scratch_new();
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i += 2) {
        g_auto(GStrv) halves = g_strsplit(forms[i + 1], "%s", 2);
        g_autoptr(GString) text = g_string_new(halves[0]);
        for (unsigned n = 0; n < 17000; n++)
            g_string_append_printf(text, "%sspam%u\\.example", n ? "|" : "", n);
        g_string_append(text, halves[1]);
        scratch_write(&scratch, "t", text->str, (gssize)text->len);
        struct table *table = table_open(forms[i], false, &scratch.context);
        check_answer(table, "bob@spam0.example=REJECT spam0.example");
        check_answer(table, "SPAM16999.example=REJECT SPAM16999.example");
        check_answer(table, "spam17000.example");
        g_autofree char *problems = scratch_problems(&scratch);
        g_assert_cmpstr(problems, ==, "");
        table_unref(table);
    }
    scratch_clear(&scratch);
}

static void test_null_bytes(void)
{
    struct scratch scratch = scratch_new();
    scratch_write(&scratch, "t", "a 1\0 2\nb\0 3\nc 4\n", 17);
    struct table *table = table_open("texthash:t", false, &scratch.context);
    check_answer(table, "a=1");
    check_answer(table, "b");
    check_answer(table, "c=4");
    table_unref(table);
    scratch_clear(&scratch);
}

static void test_long_keys(void)
{
    struct scratch scratch = scratch_new();
    g_autofree char *key = g_strnfill(3 * 1024 * 1024, 'a');
    g_autoptr(GString) text = g_string_new(key);
    g_string_append(text, " 1\nb 2\n");
    scratch_write(&scratch, "t", text->str, -1);
    scratch_write(&scratch, "p", "/^a+$/ yes\n", -1);
    struct table *table = table_open("texthash:t", false, &scratch.context);
    check_answer(table, "b=2");
    g_assert_cmpint(table_find(table, key, NULL), ==, LOOKUP_HIT);
    table_unref(table);
    table = table_open("pcre:p", false, &scratch.context);
    g_assert_cmpint(table_find(table, key, NULL), ==, LOOKUP_HIT);
    table_unref(table);
    table = table_open("regexp:p", false, &scratch.context);
    g_assert_cmpint(table_find(table, key, NULL), ==, LOOKUP_HIT);
    table_unref(table);
    scratch_clear(&scratch);
}

/* No piece of the key is beyond PCRE2's limits, but there are many. */
static void test_small_explosions(void)
{
    struct scratch scratch = scratch_new();
    g_autoptr(GString) key = g_string_new(NULL);
    while (key->len < 60000)
        g_string_append(key, "aaaaaaaaaaaaaaaaaaaa!");
    scratch_write(&scratch, "p", "/(a+)+$/ x\n", -1);
    struct table *table = table_open("pcre:p", false, &scratch.context);
    g_assert_cmpint(table_find(table, key->str, NULL), ==, LOOKUP_ERROR);
    g_string_append(key, "aaa");
    g_string_erase(key, 0, (gssize)key->len - 5000);
    for (char *p = key->str; *p; p++)
        *p = *p == '!' || p < key->str + 4990 ? '-' : *p;
    g_assert_cmpint(table_find(table, key->str, NULL), ==, LOOKUP_HIT);
    table_unref(table);
    scratch_clear(&scratch);
}

static void test_names(void)
{
    struct scratch scratch = scratch_new();
    scratch_write(&scratch, "t", "a 1\n", -1);
    g_autofree char *path = scratch_path(&scratch, "t");
    g_autofree char *name = g_strconcat("texthash:", path, NULL);
    const char *const specs[] = {path, name, "t", "proxy:hash:t"};
    scratch.context.set = table_set_new();
    struct table *first = table_open("texthash:t", true, &scratch.context);
    g_assert_cmpstr(table_name(first), ==, name);
    g_assert_cmpstr(table_file(first), ==, path);
    g_assert_false(table_is_pattern(first));
    for (size_t i = 0; i < G_N_ELEMENTS(specs); i++) {
        struct table *table = table_open(specs[i], true, &scratch.context);
        g_assert_true(table == first);
        table_unref(table);
    }
    struct table *other = table_open("cidr:t", true, &scratch.context);
    g_assert_true(other != first);
    g_assert_true(table_is_pattern(other));
    table_unref(other);
    table_unref(first);
    table_set_free(scratch.context.set);
    scratch_clear(&scratch);
}

/* The line is that of the file, whatever stood where and was folded on the way. */
static void test_entries(void)
{
    static const struct {
        const char *spec, *text, *key, *entry;
    } rows[] = {
        {"texthash", "# c\na 1\n\nb 2\n", "a", ":2"},
        {"texthash", "# c\na 1\n\nb 2\n", "B", ":4"},
        {"texthash", "a 1\n  more\nb 2\na 3\n", "b", ":3"},
        {"texthash", "a 1\nb 2\na 3\n", "a", ":1"},
        {"texthash", "a 1\n\xc4\xb0 x\nb 2\n\xef\xac\x83 y\nc 3\n", "\xc4\xb0", ":2"},
        {"texthash", "a 1\n\xc4\xb0 x\nb 2\n\xef\xac\x83 y\nc 3\n", "ffi", ":4"},
        {"texthash", "a 1\n\xc4\xb0 x\nb 2\n\xef\xac\x83 y\nc 3\n", "c", ":5"},
        {"texthash", "a 1\n", "b", NULL},
        {"cidr", "192.0.2.0/24 x\n\nif 10.0.0.0/8\n10.1.0.0/16 y\nendif\n", "10.1.2.3", ":4"},
        {"cidr", "192.0.2.0/24 x\n", "10.1.2.3", NULL},
        {"pcre", "/a/ x\n!/b/\n  y\n", "c", ":2"},
        {"regexp", "if /a/\n/b/ x\nendif\n/./ z\n", "c", ":4"},
    };
    struct scratch scratch = scratch_new();
    g_autoptr(GString) entry = g_string_new("leftover");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        scratch_write(&scratch, "t", rows[i].text, -1);
        g_autofree char *spec = g_strconcat(rows[i].spec, ":t", NULL);
        struct table *table = table_open(spec, false, &scratch.context);
        g_autofree char *whole = g_strconcat(table_name(table), rows[i].entry, NULL);
        g_test_message("%s: %s", rows[i].text, rows[i].key);
        enum lookup_status status = table_find_entry(table, rows[i].key, NULL, entry);
        g_assert_cmpint(status, ==, rows[i].entry ? LOOKUP_HIT : LOOKUP_MISS);
        g_assert_cmpstr(entry->str, ==, rows[i].entry ? whole : "");
        table_unref(table);
    }
    static const char *const named[][3] = {{"inline:{a@b=OK, c=d}", "A@B", "inline:a@b"},
                                           {"static:OK", "a", "static:OK"}};
    for (size_t i = 0; i < G_N_ELEMENTS(named); i++) {
        struct table *table = table_open(named[i][0], false, &scratch.context);
        g_assert_cmpint(table_find_entry(table, named[i][1], NULL, entry), ==, LOOKUP_HIT);
        g_assert_cmpstr(entry->str, ==, named[i][2]);
        table_unref(table);
    }
    scratch_clear(&scratch);
}

static void test_compiled_only(void)
{
    struct scratch scratch = scratch_new();
    scratch_write(&scratch, "t.db", "x", -1);
    g_assert_null(table_open("hash:t", false, &scratch.context));
    g_autofree char *problems = scratch_problems(&scratch);
    g_assert_cmpstr(problems, ==,
                    "main:7: error: cannot read table t: there is only t.db; the text it was made "
                    "from is needed");
    scratch_clear(&scratch);
}

static bool collect(void *data, const char *file, unsigned line, const char *key, const char *value)
{
    GString *all = data;
    g_autofree char *base = g_path_get_basename(file);
    g_string_append_printf(all, "%s:%u:%s=%s;", base, line, key, value);
    return strcmp(value, "stop") != 0;
}

static void test_foreach(void)
{
    static const struct {
        const char *spec, *text, *all;
        bool whole;
    } rows[] = {
        {"texthash:t", "A 1\nb 1\n\nc 2\n", "t:1:a=1;t:4:c=2;", true},
        {"texthash:t", "a 1\nb stop\nc 2\n", "t:1:a=1;t:2:b=stop;", false},
        {"cidr:t", "if ::/0\n::1 x\nendif\n", "t:2:::1=x;", true},
        {"pcre:t", "/(a)/i $1$$\n", "t:1:(a)=$1$$;", true},
        {"regexp:t", "/a/!/b/ x\n", "t:1:a=x;", true},
        {"inline:{a=b c=d}", NULL, "inline:{a=b c=d}:0:a=b;inline:{a=b c=d}:0:c=d;", true},
        {"static:x", NULL, "static:x:0:*=x;", true},
        {"fail:x", NULL, "", true},
    };
    struct scratch scratch = scratch_new();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].text)
            scratch_write(&scratch, "t", rows[i].text, -1);
        struct table *table = table_open(rows[i].spec, false, &scratch.context);
        g_autoptr(GString) all = g_string_new(NULL);
        g_assert_cmpint(table_foreach(table, collect, all), ==, rows[i].whole);
        g_assert_cmpstr(all->str, ==, rows[i].all);
        table_unref(table);
    }
    scratch_clear(&scratch);
}

/* Plain rules are found by index. A rule at a time, each in a table of its own, none is: the first
 * that holds decides. A block counts where its condition holds. */
static void test_cidr_index(void)
{
    enum { RULES = 30 };
    for (unsigned round = 0; round < 100; round++) {
        struct scratch scratch = scratch_new();
        struct table *singles[RULES], *conditions[RULES] = {NULL};
        g_autoptr(GString) whole = g_string_new(NULL);
        for (unsigned i = 0; i < RULES; i++) {
            unsigned prefix = (unsigned)g_test_rand_int_range(0, 9);
            unsigned low = (unsigned)g_test_rand_int_range(0, 256) & (0xff00u >> prefix) & 0xff;
            g_autofree char *line =
                g_strdup_printf("%s192.0.2.%u/%u v%u\n", g_test_rand_int_range(0, 6) ? "" : "!",
                                low, 24 + prefix, i);
            if (i % 10 == 4) {
                scratch_write(&scratch, "c", "192.0.2.64/26 yes\n", -1);
                conditions[i] = table_open("cidr:c", false, &scratch.context);
                g_string_append_printf(whole, "if 192.0.2.64/26\n%sendif\n", line);
            } else {
                g_string_append(whole, line);
            }
            scratch_write(&scratch, "s", line, -1);
            singles[i] = table_open("cidr:s", false, &scratch.context);
        }
        scratch_write(&scratch, "t", whole->str, -1);
        struct table *table = table_open("cidr:t", false, &scratch.context);
        for (unsigned n = 0; n < 256; n++) {
            g_autofree char *key = g_strdup_printf("192.0.2.%u", n);
            g_autoptr(GString) value = g_string_new(NULL);
            g_autoptr(GString) wanted = g_string_new(NULL);
            enum lookup_status status = LOOKUP_MISS;
            for (unsigned i = 0; i < RULES && status == LOOKUP_MISS; i++)
                if (!conditions[i] || table_find(conditions[i], key, NULL) == LOOKUP_HIT)
                    status = table_find(singles[i], key, wanted);
            g_assert_cmpint(table_find(table, key, value), ==, status);
            g_assert_cmpstr(value->str, ==, wanted->str);
        }
        table_unref(table);
        for (unsigned i = 0; i < RULES; i++) {
            table_unref(singles[i]);
            table_unref(conditions[i]);
        }
        scratch_clear(&scratch);
    }
}

/* Long keys are searched in stretches, which must not begin inside a character. */
static void test_long_utf(void)
{
    struct scratch scratch = scratch_new();
    scratch_write(&scratch, "p", "/(*UTF)\xc3\xa9+z/ found\n", -1);
    struct table *table = table_open("pcre:p", false, &scratch.context);
    for (int begins = 0; begins < 2; begins++) {
        g_autoptr(GString) key = g_string_new(begins ? "a" : "");
        for (int i = 0; i < 20000; i++)
            g_string_append(key, i % 50 ? "\xc3\xa9" : "\xe2\x82\xac");
        g_assert_cmpint(table_find(table, key->str, NULL), ==, LOOKUP_MISS);
        g_string_append_c(key, 'z');
        g_assert_cmpint(table_find(table, key->str, NULL), ==, LOOKUP_HIT);
    }
    table_unref(table);
    scratch_clear(&scratch);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/table/texthash", test_texthash);
    g_test_add_func("/table/name", test_name);
    g_test_add_func("/table/cidr", test_cidr);
    g_test_add_func("/table/pcre", test_pcre);
    g_test_add_func("/table/regexp", test_regexp);
    g_test_add_func("/table/large", test_large);
    g_test_add_func("/table/null-bytes", test_null_bytes);
    g_test_add_func("/table/long-keys", test_long_keys);
    g_test_add_func("/table/long-utf", test_long_utf);
    g_test_add_func("/table/small-explosions", test_small_explosions);
    g_test_add_func("/table/names", test_names);
    g_test_add_func("/table/compiled-only", test_compiled_only);
    g_test_add_func("/table/entries", test_entries);
    g_test_add_func("/table/cidr-index", test_cidr_index);
    g_test_add_func("/table/foreach", test_foreach);
    return g_test_run();
}
