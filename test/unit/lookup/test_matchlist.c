/* SPDX-License-Identifier: BSD-2-Clause */
#include <time.h>

#include "lookup/matchlist.h"
#include "scratch.h"

/* ASKED: "ADDRESS", "ADDRESS NAME" or, in a list of domains, "DOMAIN"; then "+" yes, "-" no, "?"
 * cannot tell. "@" in LIST stands for the scratch folder. */
struct row {
    const char *list;
    const char *file; /* content of the file "f" */
    const char *asked[10];
    const char *problems;
};

/* A line whose pattern may keep somebody out, and cannot be read for TEXT. */
#define UNTOLD(line, text)                                                                         \
    "f:" #line ": warning: " text "\nf:" #line                                                     \
    ": warning: until that is mended, nobody can tell whom it keeps out: who is not decided "      \
    "before is answered 451"
#define GAPS(table)                                                                                \
    "main:7: warning: " table ": not all of its lines can be read; until that is mended, nobody "  \
    "can tell whom it keeps out: who is not in it is answered 451"
#define BITS        "\"1.2.3.5/30\": bits outside the prefix are not zero; did you mean 1.2.3.4/30?"
#define UNBRACKETED "\"2001:db8::1\": an IPv6 address must stand in brackets here: [2001:db8::1]"

static const struct row network_rows[] = {
    {"", NULL, {"192.0.2.1-", "::1-"}, NULL},
    {"127.0.0.0/8 [::1]/128",
     NULL,
     {"127.0.0.1+", "127.255.255.255+", "128.0.0.1-", "::1+", "::2-", "::ffff:127.0.0.1+"},
     NULL},
    {"!192.0.2.1, 192.0.2.0/24", NULL, {"192.0.2.1-", "192.0.2.2+"}, NULL},
    {"192.0.2.0/24 !192.0.2.1", NULL, {"192.0.2.1+"}, NULL},
    {"!!192.0.2.1", NULL, {"192.0.2.1+"}, NULL},
    {"[192.0.2.1] [2001:db8::/32] [2001:db9::1]",
     NULL,
     {"192.0.2.1+", "2001:db8::7+", "2001:db9::1+", "2001:db9::2-"},
     NULL},
    {"example.com .sub.example",
     NULL,
     {"192.0.2.1-", "192.0.2.1 example.com+", "192.0.2.1 A.Example.COM.+",
      "192.0.2.1 badexample.com-", "192.0.2.1 sub.example-", "192.0.2.1 x.sub.example+",
      "192.0.2.1 unknown-"},
     NULL},
    {"unknown", NULL, {"192.0.2.1 unknown-", "192.0.2.1 UNKNOWN-"}, NULL},
    {"!bad.example.com example.com",
     NULL,
     {"192.0.2.1 bad.example.com-", "192.0.2.1 x.bad.example.com-", "192.0.2.1 b.example.com+"},
     NULL},
    {"inline:{192.0.2.1=x example=y}",
     NULL,
     {"192.0.2.1+", "192.0.2.2-", "192.0.2.2 a.example+", "192.0.2.2 unknown-"},
     NULL},
    {"[::ffff:0:0]/96 [::ffff:192.0.2.1] [::]/0",
     NULL,
     {"192.0.2.1-", "::ffff:192.0.2.1-", "127.0.0.1-", "2001:db8::1+"},
     NULL},
    {"!@/f 192.0.2.0/24", "1.2.3.5/30\n", {"192.0.2.1?", "198.51.100.1?"}, UNTOLD(1, BITS)},
    {"!@/f 192.0.2.0/24", "!1.2.3.5/30\n", {"192.0.2.1+"}, "f:1: warning: " BITS "; skipped"},
    {"@/f", "!1.2.3.5/30\n192.0.2.0/24\n", {"192.0.2.1?", "::1?"}, UNTOLD(1, BITS)},
    {"@/f", "192.0.2.0/24\n!1.2.3.5/30\n", {"192.0.2.1+", "192.0.3.1?"}, UNTOLD(2, BITS)},
    {"@/f 192.0.2.0/24", "!!1.2.3.5/30\n", {"192.0.2.1+"}, "f:1: warning: " BITS "; skipped"},
    {"@/f",
     "!inline:{\n 192.0.2.1=x\n {192.0.2.2 = y z}\n}\n192.0.2.0/24 inline:{\n192.0.3.1=x}\n",
     {"192.0.2.1-", "192.0.2.2-", "192.0.2.3+", "192.0.3.1+", "192.0.3.2-"},
     NULL},
    {"@/f",
     "!inline:{\n192.0.2.1=x\n192.0.2.0/24\n",
     {"192.0.2.7?"},
     UNTOLD(1, "a brace has no partner") "\nf:2: warning: \"192.0.2.1=x\" is no name; expected "
                                         "example.com, or .example.com for the names below it; "
                                         "skipped"},
    {"@/f", "!2001:db8::1\n192.0.2.1\n", {"192.0.2.1?"}, UNTOLD(1, UNBRACKETED)},
    {"@/f",
     "!192.0.2\n192.0.2.1\n",
     {"192.0.2.1?"},
     UNTOLD(1, "\"192.0.2\": not an IP address or network")},
    {"@/f",
     "/nowhere/x\n",
     {"192.0.2.1?"},
     UNTOLD(1, "cannot read /nowhere/x: No such file or directory")},
    {"!cidr:f [192.0.2.0]/24",
     "192.0.2.1 x\n192.0.2.2/33 x\n",
     {"192.0.2.1-", "192.0.2.2?", "::1?"},
     "f:2: warning: \"192.0.2.2/33\": the prefix length is too large; the line is skipped\n" GAPS(
         "cidr:f")},
    {"cidr:f [192.0.2.0]/24",
     "192.0.2.1 x\n192.0.2.2/33 x\n",
     {"192.0.2.1+", "192.0.2.2+", "::1-"},
     "f:2: warning: \"192.0.2.2/33\": the prefix length is too large; the line is skipped"},
    {"!texthash:f 192.0.2.0/24",
     "192.0.2.1 x\n192.0.2.2\n",
     {"192.0.2.1-", "192.0.2.2?"},
     "f:2: warning: expected a key, white space, a value; the line is skipped\n" GAPS(
         "texthash:f")},
    {"!!texthash:f 192.0.2.0/24",
     "192.0.2.1 x\n192.0.2.2\n",
     {"192.0.2.1+", "192.0.2.2+"},
     "f:2: warning: expected a key, white space, a value; the line is skipped"},
    {"!pcre:f 192.0.2.0/24",
     "/^192\\.0\\.2\\.1$/ x\n/(/ y\n",
     {"192.0.2.1-", "192.0.2.2?"},
     "f:2: warning: bad pattern at its byte 2: missing closing parenthesis; the line is "
     "skipped\n" GAPS("pcre:f")},
    {"192.0.2.1 cidr:f",
     "192.0.3.0/24 x\n!10.0.0.1/8 x\n",
     {"192.0.2.1+", "192.0.3.1+", "10.0.0.2?", "192.0.4.1?"},
     "f:2: warning: \"10.0.0.1/8\": bits outside the prefix are not zero; did you mean "
     "10.0.0.0/8?; until that is mended, nobody can tell what it keeps out: what gets as far as "
     "this line is answered 451"},
    {"192.0.2.1 fail: 192.0.2.2", NULL, {"192.0.2.1+", "192.0.2.2?", "::1?"}, NULL},
    {"!fail:", NULL, {"192.0.2.2?"}, NULL},
    {"!@/f 192.0.2.0/24",
     "192.0.2.1\n!192.0.2.2\n",
     {"192.0.2.1-", "192.0.2.2+", "192.0.2.3+"},
     NULL},
    {"cidr:f", "192.0.2.0/24 x\n", {"192.0.2.1+", "192.0.3.1-", "192.0.3.1 a.example-"}, NULL},
    {"@/f",
     "# c\n\n  192.0.2.1 192.0.2.2, 10.0.0.0/8 # more\n[2001:db8::]/32\nexample.com\n",
     {"192.0.2.1+", "192.0.2.2+", "10.1.1.1+", "2001:db8::1+", "192.0.2.3-", "::1 example.com+"},
     NULL},
    {"@/f", "", {"192.0.2.1-"}, NULL},
    {"@/f",
     "127.0.0.1/8\n2001:db8::/32\na{b\n192.0.2.1\n192.0.2\nfoo*\n!\n",
     {"192.0.2.1+", "127.0.0.1?"},
     "f:1: warning: \"127.0.0.1/8\": bits outside the prefix are not zero; did you mean "
     "127.0.0.0/8?; skipped\n"
     "f:2: warning: \"2001:db8::/32\": an IPv6 address must stand in brackets here: "
     "[2001:db8::]/32; skipped\n"
     "f:3: warning: a brace has no partner; skipped\n"
     "f:5: warning: \"192.0.2\": not an IP address or network; skipped\n"
     "f:6: warning: \"foo*\" is no name; expected example.com, or .example.com for the names below "
     "it; skipped\n" UNTOLD(7, "there is no pattern after \"!\"")},
    {"@/f",
     "10.0.0.0/8\n!nix:x\n192.0.2.1\n",
     {"10.0.0.1+", "192.0.2.1?"},
     "f:2: warning: unknown table type \"nix\""},
    {"@/f", "inline:{192.0.2.1=x}\n", {"192.0.2.1+", "192.0.2.2-"}, NULL},
    {"127.0.0.1/8 10.0.0.0/40 ! 2001:db8::1 nix:x @/missing a/b",
     NULL,
     {NULL},
     "main:7: error: \"127.0.0.1/8\": bits outside the prefix are not zero; did you mean "
     "127.0.0.0/8?\n"
     "main:7: error: \"10.0.0.0/40\": the prefix length is too large\n"
     "main:7: error: there is no pattern after \"!\"\n"
     "main:7: error: \"2001:db8::1\": an IPv6 address must stand in brackets here: "
     "[2001:db8::1]\n"
     "main:7: error: unknown table type \"nix\"\n"
     "main:7: error: cannot read missing: No such file or directory\n"
     "main:7: error: \"a/b\": not an IP address or network"},
    {"192.0.2.1-192.0.2.9 192.0.2.1-9 host.192 9.host",
     NULL,
     {NULL},
     "main:7: error: \"192.0.2.1-192.0.2.9\": not an IP address or network\n"
     "main:7: error: \"192.0.2.1-9\": not an IP address or network\n"
     "main:7: error: \"host.192\": not an IP address or network"},
    {"[2001:db8::1]/32 [::1",
     NULL,
     {NULL},
     "main:7: error: \"[2001:db8::1]/32\": bits outside the prefix are not zero; did you mean "
     "[2001:db8::]/32?\n"
     "main:7: error: \"[::1\": not an IP address or network"},
    {"{", NULL, {NULL}, "main:7: error: a brace has no partner"},
};

static const struct row domain_rows[] = {
    {"", NULL, {"example.com-", "-"}, NULL},
    {"Example.com. .sub.example",
     NULL,
     {"example.com+", "EXAMPLE.COM.+", "a.example.com-", "sub.example-", "a.sub.example+",
      "a.b.SUB.example+", "xsub.example-"},
     NULL},
    {"!a.example .example", NULL, {"a.example-", "b.example+", "c.a.example+", "example-"}, NULL},
    {"!.a.example a.example .example", NULL, {"a.example+", "b.a.example-"}, NULL},
    {"[192.0.2.1] [IPv6:2001:db8::1]",
     NULL,
     {"[192.0.2.1]+", "192.0.2.1-", "[192.0.2.2]-", "[IPv6:2001:DB8:0::1]+", "[ipv6:2001:db8::1]+"},
     NULL},
    {"\xd0\x9f.example", NULL, {"\xd0\xbf.example+"}, NULL},
    {"inline:{a.example=x .b.example=y [192.0.2.1]=z}",
     NULL,
     {"a.example+", "x.a.example-", "b.example-", "x.b.example+", "x.y.b.example+", "[192.0.2.1]+"},
     NULL},
    {"a.example fail:", NULL, {"a.example+", "b.example?"}, NULL},
    {"pcre:f", "/^a\\.example$/ x\n", {"a.example+", "x.a.example-"}, NULL},
    {"@/f",
     "# local-host-names\nlab.test\t# ours\n.lab.test\n[192.0.2.1]\n",
     {"lab.test+", "x.lab.test+", "test-", "[192.0.2.1]+", "ours-"},
     NULL},
    {"\"a.example\" a.example; b.example",
     NULL,
     {NULL},
     "main:7: error: \"\"a.example\"\" is no name; expected example.com, or .example.com for the "
     "names below it\n"
     "main:7: error: \"a.example;\" is no name; expected example.com, or .example.com for the "
     "names below it"},
    {"= \\.example\\.com _tcp.a-b.example",
     NULL,
     {NULL},
     "main:7: error: \"=\" is no name; expected example.com, or .example.com for the names below "
     "it\n"
     "main:7: error: \"\\\\.example\\\\.com\" is no name; expected example.com, or .example.com "
     "for "
     "the "
     "names below it"},
    {"a/b *.example . [x] ! a@b",
     NULL,
     {NULL},
     "main:7: error: \"a/b\" is no name; expected example.com, or .example.com for the names below "
     "it\n"
     "main:7: error: \"*.example\" is no name; expected example.com, or .example.com for the names "
     "below it\n"
     "main:7: error: \".\" is no name; expected example.com, or .example.com for the names below "
     "it\n"
     "main:7: error: \"[x]\" is no address literal; expected [192.0.2.1] or [IPv6:2001:db8::1]\n"
     "main:7: error: there is no pattern after \"!\"\n"
     "main:7: error: \"a@b\" is no name; expected example.com, or .example.com for the names below "
     "it"},
};

static enum lookup_status ask(struct match_list *list, enum match_kind kind, const char *what)
{
    if (kind == MATCH_DOMAINS)
        return match_list_find_domain(list, what);
    g_auto(GStrv) words = g_strsplit(what, " ", 2);
    struct ipaddr address;
    g_assert_true(ipaddr_parse(words[0], &address));
    if (!words[1])
        return match_list_find_address(list, &address);
    return match_list_find_client(list, &address, words[1], NULL);
}

static void check_asked(struct match_list *list, enum match_kind kind, const char *asked)
{
    size_t length = strlen(asked) - 1;
    g_autofree char *what = g_strndup(asked, length);
    enum lookup_status expected = asked[length] == '+'   ? LOOKUP_HIT
                                  : asked[length] == '-' ? LOOKUP_MISS
                                                         : LOOKUP_ERROR;
    g_autofree char *shown = g_strescape(asked, NULL);
    g_test_message("%s", shown);
    g_assert_cmpint(ask(list, kind, what), ==, expected);
}

static void check_row(const struct row *row, enum match_kind kind)
{
    struct scratch scratch = scratch_new();
    if (row->file)
        scratch_write(&scratch, "f", row->file, -1);
    g_autoptr(GString) value = g_string_new(row->list);
    if (strstr(row->list, "@/"))
        g_string_replace(value, "@", scratch.dir, 0);
    g_autofree char *shown = g_strescape(value->str, NULL);
    g_test_message("%s", shown);
    struct match_list *list = match_list_open(value->str, kind, &scratch.context);
    g_autofree char *problems = scratch_problems(&scratch);
    g_assert_cmpstr(problems, ==, row->problems ? row->problems : "");
    g_assert_cmpint(list != NULL, ==, row->asked[0] != NULL);
    for (size_t i = 0; row->asked[i]; i++)
        check_asked(list, kind, row->asked[i]);
    match_list_unref(list);
    scratch_clear(&scratch);
}

static void test_networks(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(network_rows); i++)
        check_row(&network_rows[i], MATCH_NETWORKS);
}

static void test_domains(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(domain_rows); i++)
        check_row(&domain_rows[i], MATCH_DOMAINS);
}

static void test_no_address(void)
{
    struct scratch scratch = scratch_new();
    struct ipaddr none = {0};
    struct match_list *list =
        match_list_open("0.0.0.0/0 [::]/0 example.com", MATCH_NETWORKS, &scratch.context);
    g_assert_cmpint(match_list_find_address(list, NULL), ==, LOOKUP_MISS);
    g_assert_cmpint(match_list_find_address(list, &none), ==, LOOKUP_MISS);
    g_assert_cmpint(match_list_find_client(list, NULL, "example.com", NULL), ==, LOOKUP_HIT);
    g_assert_cmpint(match_list_find_client(list, NULL, "", NULL), ==, LOOKUP_MISS);
    match_list_unref(list);
    scratch_clear(&scratch);
}

static void test_null_bytes(void)
{
    struct scratch scratch = scratch_new();
    scratch_write(&scratch, "f", "a.example\0b.example\nc.example\n", 30);
    g_autofree char *path = scratch_path(&scratch, "f");
    struct match_list *list = match_list_open(path, MATCH_DOMAINS, &scratch.context);
    g_autofree char *problems = scratch_problems(&scratch);
    g_assert_cmpstr(problems, ==,
                    "f:1: warning: the file holds null bytes; what follows one in its line is "
                    "ignored");
    check_asked(list, MATCH_DOMAINS, "a.example+");
    check_asked(list, MATCH_DOMAINS, "b.example-");
    check_asked(list, MATCH_DOMAINS, "c.example+");
    match_list_unref(list);
    scratch_clear(&scratch);
}

/* How much CPU it takes to read COUNT addresses, the least of a few times, us. */
static int64_t reading_takes(struct scratch *scratch, unsigned count)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < count; i++)
        g_string_append_printf(text, "10.%u.%u.%u\n", i >> 16, i >> 8 & 255, i & 255);
    scratch_write(scratch, "many", text->str, -1);
    g_autofree char *path = scratch_path(scratch, "many");
    int64_t least = INT64_MAX;
    for (unsigned i = 0; i < 3; i++) {
        struct timespec begun, done;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begun);
        match_list_unref(match_list_open(path, MATCH_NETWORKS, &scratch->context));
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &done);
        int64_t took =
            (done.tv_sec - begun.tv_sec) * G_USEC_PER_SEC + (done.tv_nsec - begun.tv_nsec) / 1000;
        least = MIN(least, took);
    }
    return least;
}

/* Eight times as long a file takes some eight times as long, not 64 times. */
static void test_long_file(void)
{
    struct scratch scratch = scratch_new();
    int64_t shorter = reading_takes(&scratch, 10000), longer = reading_takes(&scratch, 80000);
    g_test_message("%d us, %d us", (int)shorter, (int)longer);
    g_assert_cmpint(longer, <, 24 * shorter);
    scratch_clear(&scratch);
}

/* Writes TEXT, in which "@" stands for the folder, as file NAME. */
static void write_nested(const struct scratch *scratch, const char *name, const char *text)
{
    g_autoptr(GString) whole = g_string_new(text);
    g_string_replace(whole, "@", scratch->dir, 0);
    scratch_write(scratch, name, whole->str, -1);
}

/* Where the pattern stands: in a file, in a table; what is excluded has no entry. */
static void test_entries(void)
{
    static const struct {
        const char *address, *entry; /* "@": the folder */
    } rows[] = {
        {"192.0.2.1", ""},
        {"198.51.100.7", "@/f:2"},
        {"198.51.100.9", ""},
        {"203.0.113.5", "cidr:@/t:1"},
    };
    struct scratch scratch = scratch_new();
    write_nested(&scratch, "f", "# c\n198.51.100.7 !198.51.100.9\n");
    write_nested(&scratch, "t", "203.0.113.0/24 x\n");
    g_autofree char *value =
        g_strdup_printf("192.0.2.0/24 %s/f cidr:%s/t", scratch.dir, scratch.dir);
    struct match_list *list = match_list_open(value, MATCH_NETWORKS, &scratch.context);
    g_autoptr(GString) entry = g_string_new("leftover");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct ipaddr address;
        g_assert_true(ipaddr_parse(rows[i].address, &address));
        g_autoptr(GString) expected = g_string_new(rows[i].entry);
        g_string_replace(expected, "@", scratch.dir, 0);
        match_list_find_client(list, &address, NULL, entry);
        g_assert_cmpstr(entry->str, ==, expected->str);
    }
    match_list_unref(list);
    scratch_clear(&scratch);
}

/* A "!" turns round what stands in a file, and in the files that it names. */
static void test_nested_files(void)
{
    struct scratch scratch = scratch_new();
    write_nested(&scratch, "a", "!@/b @/c\n203.0.113.0/24\n");
    write_nested(&scratch, "b", "192.0.2.1\n!@/c 192.0.2.2\n");
    write_nested(&scratch, "c", "198.51.100.1\n!192.0.2.3/30\n");
    g_autofree char *path = scratch_path(&scratch, "a");
    struct match_list *list = match_list_open(path, MATCH_NETWORKS, &scratch.context);
    g_autofree char *problems = scratch_problems(&scratch);
    g_assert_nonnull(list);
    check_asked(list, MATCH_NETWORKS, "192.0.2.1-");
    check_asked(list, MATCH_NETWORKS, "198.51.100.1+");
    /* In c, reached by "!" twice, a "!" keeps out: nobody can tell what comes behind. */
    check_asked(list, MATCH_NETWORKS, "192.0.2.2?");
    check_asked(list, MATCH_NETWORKS, "203.0.113.1?");
    g_assert_nonnull(strstr(problems, "c:2: warning: \"192.0.2.3/30\""));
    write_nested(&scratch, "c", "198.51.100.1\n!192.0.2.4/30 # as it should be\n");
    g_usleep(G_USEC_PER_SEC + G_USEC_PER_SEC / 5);
    g_assert_true(match_list_refresh(list, scratch.context.problems));
    check_asked(list, MATCH_NETWORKS, "203.0.113.1+");
    check_asked(list, MATCH_NETWORKS, "192.0.2.2-");
    check_asked(list, MATCH_NETWORKS, "192.0.2.5-");
    match_list_unref(list);
    scratch_clear(&scratch);
}

/* A file that comes later is read then; one that names itself ends somewhere. */
static void test_odd_files(void)
{
    struct scratch scratch = scratch_new();
    write_nested(&scratch, "a", "192.0.2.1 @/late\n");
    write_nested(&scratch, "loop", "192.0.2.1 @/loop\n");
    g_autofree char *path = scratch_path(&scratch, "a"), *loop = scratch_path(&scratch, "loop");
    struct match_list *list = match_list_open(path, MATCH_NETWORKS, &scratch.context);
    check_asked(list, MATCH_NETWORKS, "192.0.2.1+");
    check_asked(list, MATCH_NETWORKS, "192.0.2.2?");
    write_nested(&scratch, "late", "192.0.2.2\n");
    g_usleep(G_USEC_PER_SEC + G_USEC_PER_SEC / 5);
    g_assert_true(match_list_refresh(list, scratch.context.problems));
    check_asked(list, MATCH_NETWORKS, "192.0.2.2+");
    check_asked(list, MATCH_NETWORKS, "192.0.2.3-");
    match_list_unref(list);
    list = match_list_open(loop, MATCH_NETWORKS, &scratch.context);
    g_autofree char *problems = scratch_problems(&scratch);
    g_assert_nonnull(strstr(problems, "too many files of patterns name each other"));
    check_asked(list, MATCH_NETWORKS, "192.0.2.1+");
    check_asked(list, MATCH_NETWORKS, "192.0.2.2?");
    g_assert_false(match_list_refresh(list, scratch.context.problems));
    match_list_unref(list);
    scratch_clear(&scratch);
}

static bool gather(void *data, const char *name)
{
    g_string_append_printf(data, "%s ", name);
    return true;
}

static void test_names(void)
{
    static const struct {
        const char *list, *names;
        bool all;
    } cases[] = {
        {"Lab.test, mail.lab.test [192.0.2.1]", "lab.test mail.lab.test ", true},
        {"!x.lab.test lab.test", "lab.test ", true},
        {"", "", true},
        {".lab.test lab.test", "lab.test ", false},
        {"inline:{a.test=x} lab.test", "lab.test ", false},
        {"a.test b.test c.test d.test", "a.test b.test c.test ", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct scratch scratch = scratch_new();
        g_autoptr(GString) names = g_string_new(NULL);
        struct match_list *list = match_list_open(cases[i].list, MATCH_DOMAINS, &scratch.context);
        g_assert_cmpint(match_list_each_name(list, 3, gather, names), ==, cases[i].all);
        g_assert_cmpstr(names->str, ==, cases[i].names);
        match_list_unref(list);
        scratch_clear(&scratch);
    }
}

/* A long list is searched by index, one of a single pattern is not: the first pattern that by
 * itself decides is the one that decides. */
static enum lookup_status one_by_one(GPtrArray *singles, const struct ipaddr *address,
                                     const char *name, const bool *negated)
{
    for (guint i = 0; i < singles->len; i++)
        if (match_list_find_client(singles->pdata[i], address, name, NULL) == LOOKUP_HIT)
            return negated[i] ? LOOKUP_MISS : LOOKUP_HIT;
    return LOOKUP_MISS;
}

static void test_index(void)
{
    enum { PATTERNS = 40 };
    static const char *const names[] = {"a.example", "b.a.example", ".c.example", "example"};
    static const char *const asked[] = {NULL,          "a.example", "x.b.a.example", "c.example",
                                        "d.c.example", "x.example", "other"};
    for (unsigned round = 0; round < 100; round++) {
        struct scratch scratch = scratch_new();
        bool negated[PATTERNS];
        g_autoptr(GString) whole = g_string_new(NULL);
        g_autoptr(GPtrArray) singles =
            g_ptr_array_new_with_free_func((GDestroyNotify)match_list_unref);
        for (unsigned i = 0; i < PATTERNS; i++) {
            unsigned prefix = (unsigned)g_test_rand_int_range(0, 9);
            unsigned low = (unsigned)g_test_rand_int_range(0, 256) & (0xff00u >> prefix) & 0xff;
            g_autofree char *word =
                i % 8 == 7 ? g_strdup(names[g_test_rand_int_range(0, G_N_ELEMENTS(names))])
                : i % 2    ? g_strdup_printf("[2001:db8::%x]/%u", low, 120 + prefix)
                           : g_strdup_printf("192.0.2.%u/%u", low, 24 + prefix);
            negated[i] = g_test_rand_int_range(0, 3) == 0;
            g_string_append_printf(whole, "%s%s ", negated[i] ? "!" : "", word);
            g_ptr_array_add(singles, match_list_open(word, MATCH_NETWORKS, &scratch.context));
        }
        struct match_list *list = match_list_open(whole->str, MATCH_NETWORKS, &scratch.context);
        for (unsigned n = 0; n < 200; n++) {
            struct ipaddr address;
            g_autofree char *text = g_strdup_printf(n % 2 ? "192.0.2.%u" : "2001:db8::%x",
                                                    (unsigned)g_test_rand_int_range(0, 256));
            const char *name = asked[n % G_N_ELEMENTS(asked)];
            g_assert_true(ipaddr_parse(text, &address));
            g_assert_cmpint(match_list_find_client(list, &address, name, NULL), ==,
                            one_by_one(singles, &address, name, negated));
        }
        match_list_unref(list);
        scratch_clear(&scratch);
    }
}

/* A hundred thousand networks cost no more than ten: one by one this would take minutes. */
static void test_many(void)
{
    struct scratch scratch = scratch_new();
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < 100000; i++)
        g_string_append_printf(text, "10.%u.%u.%u/31\n", i >> 14, i >> 7 & 127, (i & 127) * 2);
    scratch_write(&scratch, "f", text->str, -1);
    g_autofree char *path = scratch_path(&scratch, "f");
    struct match_list *list = match_list_open(path, MATCH_NETWORKS, &scratch.context);
    struct ipaddr outside;
    ipaddr_parse("203.0.113.9", &outside);
    g_test_timer_start();
    for (unsigned i = 0; i < 100000; i++)
        g_assert_cmpint(match_list_find_client(list, &outside, "client.example", NULL), ==,
                        LOOKUP_MISS);
    g_assert_cmpfloat(g_test_timer_elapsed(), <, 10);
    match_list_unref(list);
    scratch_clear(&scratch);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/matchlist/networks", test_networks);
    g_test_add_func("/matchlist/domains", test_domains);
    g_test_add_func("/matchlist/no-address", test_no_address);
    g_test_add_func("/matchlist/null-bytes", test_null_bytes);
    g_test_add_func("/matchlist/entries", test_entries);
    g_test_add_func("/matchlist/nested-files", test_nested_files);
    g_test_add_func("/matchlist/odd-files", test_odd_files);
    g_test_add_func("/matchlist/index", test_index);
    g_test_add_func("/matchlist/many", test_many);
    g_test_add_func("/matchlist/names", test_names);
    g_test_add_func("/matchlist/long-file", test_long_file);
    return g_test_run();
}
