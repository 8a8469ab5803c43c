/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepost.conf: each point of its syntax and each error, with the words that a person reads.
 */
#include <glib/gstdio.h>
#include <unistd.h>

#include "parse.h"

struct value_row {
    const char *text;
    const char *name;
    const char *value;
};

/* What a file makes of one parameter, without any problem. */
static const struct value_row values[] = {
    {"mode = monitor\n", "mode", "monitor"},
    {"mode=monitor\n", "mode", "monitor"},
    {"mode = monitor", "mode", "monitor"},
    {"  \n\t\n# c\nmode \t=\t monitor \t\n", "mode", "monitor"},
    {"mode = monitor\r\nmynetworks =\r\n", "mode", "monitor"},
    {"\xef\xbb\xbfmode = monitor\n", "mode", "monitor"},
    {"mynetworks = 10.0.0.0/8,\n  192.168.0.0/16\n", "mynetworks", "10.0.0.0/8, 192.168.0.0/16"},
    {"mynetworks =\n 10.0.0.0/8\n", "mynetworks", "10.0.0.0/8"},
    {"mynetworks = a\n# between\n   # indented\n\n  \n\tb\nmode = monitor\n", "mynetworks", "a b"},
    {"# caf\xe9\nmode = monitor\n", "mode", "monitor"},
    {"user = a=b = c\n", "user", "a=b = c"},
    {"user = \xd1\x82\ty\n", "user", "\xd1\x82\ty"},
    {"user = a#b\n", "user", "a#b"},
    {"client_restrictions = inline:{\n mode = x\n # no\n y #z}\n", "client_restrictions",
     "inline:{ mode = x y #z}"},
    {"", "mode", "enforce"},
    {"local_domains =\n", "local_domains", ""},
    {"", "local_domains", ""},
    {"", "milter_socket_mode", "0660"},
    {"", "submission_listeners", "submission submissions :587 :465"},
    /* expansion */
    {"mynetworks = 10.0.0.1\nclient_restrictions = x $mynetworks y\n", "client_restrictions",
     "x 10.0.0.1 y"},
    {"client_restrictions = x${mynetworks}y\nmynetworks = A\n", "client_restrictions", "xAy"},
    {"client_restrictions = $(mode)$mode.$mode\n", "client_restrictions", "enforceenforce.enforce"},
    {"user = $$mode$$$$\n", "user", "$mode$$"},
    {"user = a$1b$2\n", "user", "a$1b$2"},
    {"user = x $local_domains\n", "user", "x"},
    {"client_restrictions = $helo_restrictions\nhelo_restrictions = $mode\n", "client_restrictions",
     "enforce"},
    {"client_restrictions = inline:{ {a b = c}, d=$$x }\n", "client_restrictions",
     "inline:{ {a b = c}, d=$x }"},
    {"stop_timeout = ${auth_min_ssf}s\n", "stop_timeout", "128s"},
};

static void test_values(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        const struct value_row *row = &values[i];
        struct settings *settings = parse(row->text, "");
        enum setting setting;
        g_assert_true(setting_find(row->name, SECTION_MAIN, &setting));
        g_assert_cmpstr(settings_get(settings, NULL, setting)->text, ==, row->value);
        settings_free(settings);
    }
}

/* A file and everything that is told about it. */
static const char *const problems[][2] = {
    {"mynetwork = x\n", "c:1: error: unknown parameter \"mynetwork\"; did you mean "
                        "\"mynetworks\"?\n"},
    {"\n#\nzebra = x\n", "c:3: error: unknown parameter \"zebra\"\n"},
    {"smtpd_client_restrictions =\n", "c:1: error: unknown parameter "
                                      "\"smtpd_client_restrictions\"; did you mean "
                                      "\"client_restrictions\"?\n"},
    {"score X = 1\n", "c:1: error: score belongs in a section [profile NAME]\n"},
    {"mode x = monitor\n", "c:1: error: unknown parameter \"mode x\"; did you mean \"mode\"?\n"},
    {"a\nb\n", "c:1: error: no \"=\" in \"a\"; write NAME = VALUE, or [KIND NAME] for a section\n"
               "c:2: error: no \"=\" in \"b\"; write NAME = VALUE, or [KIND NAME] for a section\n"},
    {"= x\n", "c:1: error: no name stands before the \"=\" in \"= x\"\n"},
    {" mode = monitor\n mode = monitor\nuser = x\n",
     "c:1: error: a line that begins with white space continues the one before, and there is none; "
     "begin it in the first column\n"
     "c:2: error: a line that begins with white space continues the one before, and there is none; "
     "begin it in the first column\n"},
    {"[listener a]\n  mode = monitor\nuser = y\n",
     "c:2: error: a line that begins with white space continues the one before, and [listener a] "
     "cannot be continued; begin it in the first column\n"
     "c:3: error: user holds for the whole of gatepost and cannot be set in [listener a]; set it "
     "before the first section\n"},
    {"mode = monitor\n\n mynetworks = 10.0.0.0/8\n",
     "c:3: warning: this line begins with white space and so continues the one before; begin it in "
     "the first column if it is to set mynetworks\n"
     "c:1: error: mode: \"monitor mynetworks = 10.0.0.0/8\" is not one of enforce, monitor\n"},
    {"user = x # who\n", "c:1: warning: the \"#\" and what follows it are part of the value; a "
                         "comment needs a line of its own\n"},
    {"mode = monitor\nuser = x\nmode = enforce\n",
     "c:3: warning: mode is set again; this line counts, line 1 does not\n"},
    /* bytes */
    {"user = \xe9t\xe9\n more\nmode = x\xff\nuser = z\n",
     "c:1: error: the line is not valid UTF-8\n"
     "c:3: error: the line is not valid UTF-8\n"},
    {"user = a\n b\x01\n c\n", "c:2: error: the line holds a control character\n"},
    {"user = a\rmode = x\n", "c:1: error: the line holds a control character\n"},
    {"user = a\x7f\n", "c:1: error: the line holds a control character\n"},
    /* types */
    {"mode = monitr\n", "c:1: error: mode: \"monitr\" is not one of enforce, monitor; did you mean "
                        "\"monitor\"?\n"},
    {"mode =\n", "c:1: error: mode: no value is given; write one of enforce, monitor\n"},
    {"delay_checks = 1\n", "c:1: error: delay_checks: \"1\" is not yes or no\n"},
    {"header_limit = 12x\n", "c:1: error: header_limit: \"12x\" is not a size: a whole number of "
                             "bytes, or of k, m or g (1m)\n"},
    {"header_limit = 1g\n", "c:1: error: header_limit: \"1g\" is more than the most, 256m\n"},
    {"header_limit = 0\n", "c:1: error: header_limit: \"0\" is less than the least, 1\n"},
    {"stop_timeout = 5 m\n", "c:1: error: stop_timeout: \"5 m\" is not a time: a whole number and "
                             "s, m, h, d or w (5m)\n"},
    {"stop_timeout = 11m\n", "c:1: error: stop_timeout: \"11m\" is more than the most, 10m\n"},
    {"auth_min_ssf = -1\n", "c:1: error: auth_min_ssf: \"-1\" is less than the least, 0\n"},
    {"auth_min_ssf = high\n", "c:1: error: auth_min_ssf: \"high\" is not a whole number\n"},
    {"milter_socket_mode = 0669\n", "c:1: error: milter_socket_mode: \"0669\" is not an octal "
                                    "number (0660)\n"},
    {"milter_socket_mode = 1777\n", "c:1: error: milter_socket_mode: \"1777\" is more than the "
                                    "most, 0777\n"},
    {"user =\n", "c:1: error: user: it must not be empty\n"},
    {"pid_file =\ncontrol_socket = run/x\n", "c:2: error: control_socket: the path must be "
                                             "absolute\n"},
    {"milter_socket = inet:99999@127.0.0.1\n",
     "c:1: error: milter_socket: \"inet:99999@127.0.0.1\": the port must be a number from 1 to "
     "65535\n"},
    {"mynetworks = {a, b\nlocal_domains = a }\n", "c:1: error: mynetworks: a brace has no partner\n"
                                                  "c:2: error: local_domains: a brace has no "
                                                  "partner\n"},
    {"client_restrictions = check_client_access inline:{a=b\n",
     "c:1: error: client_restrictions: a brace has no partner\n"},
    /* expansion */
    {"user = $usr\n", "c:1: error: user: \"$\" is followed by the unknown parameter \"usr\"; did "
                      "you mean $user?\n"},
    {"user = ${xyzzy}\n", "c:1: error: user: \"$\" is followed by the unknown parameter "
                          "\"xyzzy\"; write $$ for a dollar sign\n"},
    {"user = $user\n", "c:1: error: user: $user leads back to itself; the parameters name each "
                       "other\n"},
    {"mynetworks = $local_domains\nlocal_domains = $user\nuser = $mynetworks\nmode = monitor\n",
     "c:3: error: user: $mynetworks leads back to itself; the parameters name each other\n"},
    {"user = a$\n", "c:1: error: user: a \"$\" stands alone; write $$ for a dollar sign\n"},
    {"user = a$-\n", "c:1: error: user: a \"$\" stands alone; write $$ for a dollar sign\n"},
    {"user = ${mode\n", "c:1: error: user: no name in parentheses follows a \"$\"\n"},
    {"user = $()\n", "c:1: error: user: no name in parentheses follows a \"$\"\n"},
    {"user = ${mode?x}\n", "c:1: error: user: no name in parentheses follows a \"$\"; "
                           "${name?value} and ${name:value} are not available\n"},
    {"header_limit = $mode\nmode = monitr\n", "c:2: error: mode: \"monitr\" is not one of enforce, "
                                              "monitor; did you mean \"monitor\"?\n"},
    /* sections */
    {"[listener a]\n[listener b]\n[listener a]\n",
     "c:3: error: section [listener a] was opened in line 1 already; join the two\n"},
    {"[listener a]\n[listener A]\n",
     "c:2: error: section [listener A] was opened in line 1 already; join the two\n"},
    {"[profile a]\n[profile A]\n", ""},
    {"[listner a]\nmode = rubbish\n[listener a]\n",
     "c:1: error: unknown kind of section \"listner\"; did you mean [listener NAME]?\n"},
    {"[limit a]\n", ""},
    {"[]\n", "c:1: error: unknown kind of section \"\"\n"},
    {"[listener]\n[listener  ]\n", "c:1: error: [listener] needs a name: [listener NAME]\n"
                                   "c:2: error: [listener] needs a name: [listener NAME]\n"},
    {"[listener a\n[\n[listener a] b\n[listener [a]]\n",
     "c:1: error: a section is opened by [KIND NAME], not by \"[listener a\"\n"
     "c:2: error: a section is opened by [KIND NAME], not by \"[\"\n"
     "c:3: error: a section is opened by [KIND NAME], not by \"[listener a] b\"\n"
     "c:4: error: a section is opened by [KIND NAME], not by \"[listener [a]]\"\n"},
    {"[listener :0]\n[listener :65536]\n[listener :smtp]\n[listener :025]\n",
     "c:1: error: a listener's port is a number from 1 to 65535 (:587), not \":0\"\n"
     "c:2: error: a listener's port is a number from 1 to 65535 (:587), not \":65536\"\n"
     "c:3: error: a listener's port is a number from 1 to 65535 (:587), not \":smtp\"\n"
     "c:4: error: a listener's port is a number from 1 to 65535 (:587), not \":025\"\n"},
    {"untrusted_listeners = ONION :1025, :0587\nsubmission_listeners = :587x\n"
     "[listener a]\nuntrusted_listeners = a :65536\n",
     "c:1: error: untrusted_listeners: a listener's port is a number from 1 to 65535 (:587), not "
     "\":0587\"\n"
     "c:2: error: submission_listeners: a listener's port is a number from 1 to 65535 (:587), not "
     "\":587x\"\n"
     "c:4: error: untrusted_listeners: a listener's port is a number from 1 to 65535 (:587), not "
     "\":65536\"\n"},
    {"[listener a]\nmynetwork = x\n", "c:2: error: unknown parameter \"mynetwork\" in [listener "
                                      "a]; did you mean \"mynetworks\"?\n"},
    {"[listener a]\nmode = x\n", "c:2: error: mode: \"x\" is not one of enforce, monitor\n"},
    {"mynetworks = $local_domains\nlocal_domains = x\n[listener a]\nlocal_domains = {\n",
     "c:4: error: local_domains: a brace has no partner\n"},
    {"helo_restrictions = $client_restrictions\n[listener a]\n"
     "client_restrictions = $helo_restrictions\n",
     "c:3: error: client_restrictions: $helo_restrictions leads back to itself; the parameters "
     "name "
     "each other\n"},
    {"header_limit = ${auth_min_ssf}m\n[listener a]\nauth_min_ssf = 512\n",
     "c:1: error: header_limit: \"512m\" is more than the most, 256m (in [listener a])\n"},
};

static void test_problems(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(problems); i++)
        settings_free(parse(problems[i][0], problems[i][1]));
}

static void test_nul(void)
{
    static const char text[] = "mode = mon\0itor\n# a\0b\nmode = monitor\n";
    struct settings *settings = parse_length(text, sizeof text - 1,
                                             "c:1: error: the line holds a NUL byte\n"
                                             "c:2: error: the line holds a NUL byte\n");
    g_assert_cmpint(settings_integer(settings, NULL, SETTING_MODE), ==, MODE_MONITOR);
    settings_free(settings);
}

static void test_given(void)
{
    struct settings *settings = parse("\nlocal_domains =\n\nmode = monitor\n", "");
    const struct setting_value *value = settings_get(settings, NULL, SETTING_LOCAL_DOMAINS);
    g_assert_true(value->given);
    g_assert_cmpuint(value->line, ==, 2);
    g_assert_cmpstr(value->file, ==, "c");
    value = settings_get(settings, NULL, SETTING_USER);
    g_assert_false(value->given);
    g_assert_cmpuint(value->line, ==, 0);
    settings_free(settings);
    settings = parse("", "");
    g_assert_false(settings_get(settings, NULL, SETTING_LOCAL_DOMAINS)->given);
    settings_free(settings);
}

static void test_integers(void)
{
    struct settings *settings = parse("mode = Monitor\nstop_timeout = 2m\nheader_limit = 64K\n"
                                      "milter_socket_mode = 0600\nlog_format = json\n"
                                      "delay_checks = No\nlog_target = journal\n",
                                      "");
    g_assert_cmpint(settings_integer(settings, NULL, SETTING_MODE), ==, MODE_MONITOR);
    g_assert_cmpint(settings_integer(settings, NULL, SETTING_STOP_TIMEOUT), ==, 120000000);
    g_assert_cmpint(settings_integer(settings, NULL, SETTING_HEADER_LIMIT), ==, 65536);
    g_assert_cmpint(settings_integer(settings, NULL, SETTING_MILTER_SOCKET_MODE), ==, 0600);
    g_assert_cmpint(settings_integer(settings, NULL, SETTING_LOG_FORMAT), ==, LOG_FORMAT_JSON);
    g_assert_cmpint(settings_integer(settings, NULL, SETTING_LOG_TARGET), ==, LOG_TARGET_JOURNAL);
    g_assert_cmpint(settings_integer(settings, NULL, SETTING_DELAY_CHECKS), ==, 0);
    g_assert_cmpint(settings_integer(settings, NULL, SETTING_USER), ==, 0);
    settings_free(settings);
}

/* A bad value leaves the default in force, so that what loads can be asked without care. */
static void test_fallback(void)
{
    struct settings *settings =
        parse("header_limit = 0\n", "c:1: error: header_limit: \"0\" is less than the least, 1\n");
    g_assert_cmpint(settings_integer(settings, NULL, SETTING_HEADER_LIMIT), ==, 1 << 20);
    settings_free(settings);
}

static void test_listeners(void)
{
    struct settings *settings =
        parse("mode = monitor\nmynetworks = A $recipient_delimiter\nrecipient_delimiter = +\n"
              "helo_restrictions = $delay_checks\n"
              "[listener smtpd]\nmynetworks = B\nclient_restrictions = $mynetworks $user\n"
              "[ listener\t:587 ]\nrecipient_delimiter = -\n",
              "");
    g_assert_cmpuint(settings_section_count(settings, SECTION_LISTENER), ==, 2);
    g_assert_cmpuint(settings_section_count(settings, SECTION_PROFILE), ==, 0);
    const struct section *first = settings_section(settings, SECTION_LISTENER, 0);
    const struct section *second = settings_find_section(settings, SECTION_LISTENER, ":587");
    g_assert_true(settings_section(settings, SECTION_LISTENER, 1) == second);
    g_assert_null(settings_section(settings, SECTION_LISTENER, 2));
    g_assert_null(settings_find_section(settings, SECTION_LISTENER, "SMTPD"));
    g_assert_cmpstr(section_name(first), ==, "smtpd");
    g_assert_cmpstr(section_file(first), ==, "c");
    g_assert_cmpuint(section_line(second), ==, 8);
    g_assert_cmpint(section_get_kind(second), ==, SECTION_LISTENER);
    /* said, inherited, inherited but expanded in the section's own scope */
    g_assert_cmpstr(settings_get(settings, first, SETTING_MYNETWORKS)->text, ==, "B");
    g_assert_cmpstr(settings_get(settings, first, SETTING_CLIENT_RESTRICTIONS)->text, ==,
                    "B gatepost");
    g_assert_cmpint(settings_integer(settings, first, SETTING_MODE), ==, MODE_MONITOR);
    g_assert_cmpstr(settings_get(settings, second, SETTING_MYNETWORKS)->text, ==, "A -");
    g_assert_cmpuint(settings_get(settings, second, SETTING_MYNETWORKS)->line, ==, 2);
    g_assert_cmpstr(settings_get(settings, NULL, SETTING_MYNETWORKS)->text, ==, "A +");
    g_assert_true(settings_get(settings, second, SETTING_HELO_RESTRICTIONS) ==
                  settings_get(settings, NULL, SETTING_HELO_RESTRICTIONS));
    settings_free(settings);
}

/* "billion laughs": each of ten parameters names the one before it ten times. */
static void test_growth(void)
{
    static const char *const names[] = {
        "mynetworks",        "recipient_delimiter",  "untrusted_listeners",
        "sender_login_maps", "submission_listeners", "sasl_local_realms",
        "relay_clientcerts", "auth_mechanisms",      "client_restrictions"};
    g_autoptr(GString) text = g_string_new("mynetworks = 0123456789\n");
    for (size_t i = 1; i < G_N_ELEMENTS(names); i++) {
        g_string_append_printf(text, "%s =", names[i]);
        for (int j = 0; j < 10; j++)
            g_string_append_printf(text, " $%s", names[i - 1]);
        g_string_append_c(text, '\n');
    }
    settings_free(parse(text->str, "c:6: error: sasl_local_realms: the value grows beyond 1048576 "
                                   "bytes (or those of all parameters beyond 16777216) when names "
                                   "are expanded\n"));
}

/* The same, spread over sections. */
static void test_growth_in_sections(void)
{
    g_autoptr(GString) text = g_string_new("mynetworks = ");
    for (int i = 0; i < 100000; i++)
        g_string_append_c(text, 'x');
    g_string_append(text, "\nclient_restrictions = $mynetworks$mynetworks$mynetworks\n");
    for (int i = 0; i < 900; i++)
        g_string_append_printf(text, "[listener l%d]\nhelo_restrictions = $client_restrictions\n",
                               i);
    struct problems *told = problems_new();
    settings_free(settings_parse(text->str, text->len, "c", told));
    g_assert_cmpuint(problems_errors(told), >, 800);
    problems_free(told);
}

static void test_maxima(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i <= SETTINGS_SECTIONS_MAX + 5; i++)
        g_string_append_printf(text, "[listener a%d]\nmode = monitor\n", i);
    struct settings *settings =
        parse(text->str, "c:2001: error: there are more than 1000 sections\n");
    g_assert_cmpuint(settings_section_count(settings, SECTION_LISTENER), ==, 1000);
    settings_free(settings);

    g_string_assign(text, "#");
    while (text->len < SETTINGS_FILE_MAX)
        g_string_append_c(text, 'x');
    settings_free(parse(text->str, ""));
    g_string_append_c(text, 'x');
    settings_free(parse(text->str, "c:1: error: the file is longer than 1048576 bytes\n"));

    g_autofree char *name = g_strnfill(256, 'n');
    g_string_printf(text, "[listener %s]\n", name);
    g_autofree char *want = g_strdup_printf(
        "c:1: error: the name of a section is at most 255 bytes long, not \"%.60s...\"\n", name);
    settings_free(parse(text->str, want));
}

static void test_load(void)
{
    g_autofree char *folder = g_dir_make_tmp("settings-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "gatepost.conf", NULL);
    struct problems *told = problems_new();
    g_assert_null(settings_load(path, told));
    g_autofree char *text = problems_text(told);
    g_autofree char *want =
        g_strdup_printf("%s:1: error: the file cannot be read: No such file or directory\n", path);
    g_assert_cmpstr(text, ==, want);

    told = problems_new();
    g_assert_null(settings_load(folder, told));
    g_autofree char *text2 = problems_text(told);
    g_autofree char *want2 =
        g_strdup_printf("%s:1: error: the file cannot be read: Is a directory\n", folder);
    g_assert_cmpstr(text2, ==, want2);

    g_assert_true(g_file_set_contents(path, "mode = monitor\nuser = x", -1, NULL));
    told = problems_new();
    struct settings *settings = settings_load(path, told);
    g_assert_cmpuint(problems_errors(told) + problems_warnings(told), ==, 0);
    g_assert_cmpstr(settings_get(settings, NULL, SETTING_USER)->text, ==, "x");
    g_assert_cmpstr(settings_get(settings, NULL, SETTING_USER)->file, ==, path);
    settings_free(settings);
    problems_free(told);
    g_unlink(path);
    g_rmdir(folder);
    settings_free(NULL);
}

static void test_print(void)
{
    struct settings *settings =
        parse("mynetworks = 10.0.0.0/8,\n  $recipient_delimiter\nlocal_domains =\n"
              "[listener a]\nmode = monitor\ndelay_checks = no\n[listener b]\n",
              "");
    bool known;
    struct settings_print_options given = {.only_given = true};
    g_autofree char *text = print(settings, &given, &known);
    g_assert_true(known);
    g_assert_cmpstr(text, ==,
                    "local_domains =\nmynetworks = 10.0.0.0/8, $recipient_delimiter\n"
                    "\n[listener a]\ndelay_checks = no\nmode = monitor\n\n[listener b]\n");

    const char *const names[] = {"mode", "nonsense", "mynetworks", NULL};
    struct settings_print_options named = {.names = names};
    g_autofree char *text2 = print(settings, &named, &known);
    g_assert_false(known);
    g_assert_cmpstr(text2, ==,
                    "mode = enforce\nmynetworks = 10.0.0.0/8, $recipient_delimiter\n"
                    "\n[listener a]\nmode = monitor\n");

    const char *const two[] = {"local_domains", "auth_min_ssf", NULL};
    struct settings_print_options defaults = {.defaults = true, .names = two};
    g_autofree char *text3 = print(NULL, &defaults, &known);
    g_assert_true(known);
    g_assert_cmpstr(text3, ==, "# local_domains is not set\nauth_min_ssf = 128\n");
    settings_free(settings);
}

/* What is printed is a configuration that says the same. */
static void test_print_again(void)
{
    struct settings *settings = parse(
        "user = $$x $mode\nmynetworks = a\n b\n[listener a]\nrecipient_delimiter = $user\n", "");
    struct settings_print_options all = {0};
    bool known;
    g_autofree char *once = print(settings, &all, &known);
    settings_free(settings);
    settings = parse(once, "");
    g_assert_false(settings_get(settings, NULL, SETTING_LOCAL_DOMAINS)->given);
    g_autofree char *twice = print(settings, &all, &known);
    g_assert_cmpstr(once, ==, twice);
    settings_free(settings);
}

/* Each row's default is a value of its type, within its bounds; its name is that of a parameter. */
static void test_rows(void)
{
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = setting_row((enum setting)i);
        g_assert_cmpuint(strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789_"), ==,
                         strlen(row->name));
        g_assert_true(row->meaning[0] && g_str_has_suffix(row->meaning, "."));
        g_assert_cmpint(row->type == SETTING_CHOICE, ==, row->choices != NULL);
    }
    struct settings_print_options defaults = {.defaults = true};
    bool known;
    g_autofree char *text = print(NULL, &defaults, &known);
    settings_free(parse(text, ""));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/settings/values", test_values);
    g_test_add_func("/settings/problems", test_problems);
    g_test_add_func("/settings/nul", test_nul);
    g_test_add_func("/settings/given", test_given);
    g_test_add_func("/settings/integers", test_integers);
    g_test_add_func("/settings/fallback", test_fallback);
    g_test_add_func("/settings/listeners", test_listeners);
    g_test_add_func("/settings/growth", test_growth);
    g_test_add_func("/settings/growth_in_sections", test_growth_in_sections);
    g_test_add_func("/settings/maxima", test_maxima);
    g_test_add_func("/settings/load", test_load);
    g_test_add_func("/settings/print", test_print);
    g_test_add_func("/settings/print_again", test_print_again);
    g_test_add_func("/settings/rows", test_rows);
    return g_test_run();
}
