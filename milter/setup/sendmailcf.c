/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading a .cf line by line.
 */
#include "sendmailcf.h"

#include <string.h>

#include "mtatime.h"
#include "smallfile.h"

/* Lines of one kind that are kept; a site has tens. */
enum { KEPT_MAX = 10000 };

/* Small pieces */

static const char *skip_space(const char *text)
{
    while (g_ascii_isspace(*text))
        text++;
    return text;
}

static void keep(GPtrArray *list, void *element, GDestroyNotify release)
{
    if (list->len < KEPT_MAX)
        g_ptr_array_add(list, element);
    else
        release(element);
}

/* The text up to STOP, read as Sendmail reads a field: quotation marks are taken away and protect
 * STOP, a backslash protects anything. *REST_R: behind it, STOP skipped. */
static char *read_field(const char *text, char stop, const char **rest_r)
{
    GString *field = g_string_new(NULL);
    bool quoted = false;
    for (; *text && (quoted || *text != stop); text++) {
        if (*text == '\\' && text[1])
            g_string_append_c(field, *++text);
        else if (*text == '"')
            quoted = !quoted;
        else
            g_string_append_c(field, *text);
    }
    *rest_r = *text ? text + 1 : text;
    g_strchomp(field->str);
    return g_string_free(field, FALSE);
}

/* A list of filters, separated by any of STOPS. */
static GPtrArray *read_names(const char *text, const char *stops)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) words = g_strsplit_set(text, stops, -1);
    for (char **word = words; *word; word++)
        if (*g_strstrip(*word))
            keep(names, g_strdup(*word), g_free);
    return names;
}

static struct sendmailcf_class *new_class(const char *name, const char *value)
{
    struct sendmailcf_class *entry = g_new0(struct sendmailcf_class, 1);
    entry->name = g_strdup(name);
    entry->value = g_strdup(value);
    return entry;
}

static void free_class(void *data)
{
    struct sendmailcf_class *entry = data;
    g_free(entry->name);
    g_free(entry->value);
    g_free(entry);
}

/* "w..." or "{VirtHost}...": the name, and in *REST_R what stands behind it. */
static char *read_macro_name(const char *text, const char **rest_r)
{
    const char *end = text[0] == '{' ? strchr(text, '}') : NULL;
    *rest_r = end ? end + 1 : text[0] ? text + 1 : text;
    return end ? g_strndup(text + 1, (gsize)(end - text - 1)) : g_strndup(text, 1);
}

/* Filters */

static void free_filter(void *data)
{
    struct sendmailcf_filter *filter = data;
    g_free(filter->name);
    g_free(filter->socket);
    g_free(filter->flags);
    g_free(filter);
}

static void set_filter(struct sendmailcf_filter *filter, char key, const char *value)
{
    if (key == 'S') {
        g_free(filter->socket);
        filter->socket = g_strdup(value);
    } else if (key == 'F') {
        char *flags = g_strconcat(filter->flags, value, NULL);
        g_free(filter->flags);
        filter->flags = flags;
    } else if (key == 'T') {
        static const char letters[SENDMAILCF_TIMEOUTS + 1] = "CSRE";
        filter->given = true;
        g_auto(GStrv) words = g_strsplit(value, ";", -1);
        for (char **word = words; *word; word++) {
            const char *time = strchr(g_strstrip(*word), ':');
            const char *letter = **word ? strchr(letters, **word) : NULL;
            if (time && letter)
                filter->timeout[letter - letters] = mtatime_seconds(skip_space(time + 1));
        }
    }
}

/* NAME, S=socket, F=flags, T=C:time;S:time;R:time;E:time */
static void read_filter(struct sendmailcf *cf, const char *text)
{
    struct sendmailcf_filter *filter = g_new0(struct sendmailcf_filter, 1);
    static const unsigned defaults[SENDMAILCF_TIMEOUTS] = {300, 10, 10, 300};
    size_t length = strcspn(text, ", \t");
    filter->name = g_strndup(text, length);
    filter->socket = g_strdup("");
    filter->flags = g_strdup("");
    memcpy(filter->timeout, defaults, sizeof(defaults));
    text += length;
    for (;;) {
        while (*text == ',' || g_ascii_isspace(*text))
            text++;
        const char *equals = text + strcspn(text, "=,");
        if (*equals != '=')
            break;
        char key = *text;
        g_autofree char *value = read_field(skip_space(equals + 1), ',', &text);
        set_filter(filter, key, value);
    }
    keep(cf->filters, filter, free_filter);
}

const struct sendmailcf_filter *sendmailcf_find(const struct sendmailcf *cf, const char *name)
{
    for (guint i = 0; i < cf->filters->len; i++) {
        const struct sendmailcf_filter *filter = cf->filters->pdata[i];
        if (g_ascii_strcasecmp(filter->name, name) == 0)
            return filter;
    }
    return NULL;
}

bool sendmailcf_lists(const GPtrArray *names, const char *name)
{
    for (guint i = 0; i < names->len; i++)
        if (g_ascii_strcasecmp(names->pdata[i], name) == 0)
            return true;
    return false;
}

/* Listeners */

static void free_daemon(void *data)
{
    struct sendmailcf_daemon *listener = data;
    g_free(listener->name);
    g_free(listener->family);
    g_free(listener->address);
    g_free(listener->port);
    g_free(listener->modifiers);
    if (listener->input)
        g_ptr_array_unref(listener->input);
    g_free(listener);
}

static void set_text(char **place, const char *value)
{
    g_free(*place);
    *place = g_strdup(value);
}

/* Sendmail looks at the first letter of a key only. */
static void set_daemon(struct sendmailcf_daemon *listener, char key, const char *value)
{
    const struct {
        char key;
        char **place;
    } rows[] = {{'n', &listener->name},
                {'f', &listener->family},
                {'a', &listener->address},
                {'p', &listener->port},
                {'m', &listener->modifiers}};
    key = g_ascii_tolower(key);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].key == key)
            set_text(rows[i].place, value);
    if (key == 'n')
        listener->named = true;
    if (key != 'i')
        return;
    if (listener->input)
        g_ptr_array_unref(listener->input);
    listener->input = read_names(value, ";");
}

static void read_daemon(struct sendmailcf *cf, const char *text)
{
    struct sendmailcf_daemon *listener = g_new0(struct sendmailcf_daemon, 1);
    listener->name = g_strdup_printf("Daemon%u", cf->daemons->len);
    listener->family = g_strdup("inet");
    listener->address = g_strdup("");
    listener->port = g_strdup("smtp");
    listener->modifiers = g_strdup("");
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    for (char **part = parts; *part; part++) {
        char *equals = strchr(g_strstrip(*part), '=');
        if (equals)
            set_daemon(listener, **part, skip_space(equals + 1));
    }
    keep(cf->daemons, listener, free_daemon);
}

/* Lines */

static void set_option(struct sendmailcf *cf, const char *name, const char *value)
{
    char *key = g_ascii_strdown(name, -1);
    if (strcmp(key, "daemonportoptions") == 0)
        read_daemon(cf, value);
    if (strcmp(key, "inputmailfilters") == 0) {
        g_ptr_array_unref(cf->input);
        cf->input = read_names(value, ",;");
    }
    g_hash_table_insert(cf->options, key, g_strdup(value));
}

/* "O Name=value"; of the old one-letter options only the one that is of interest here. */
static void read_option(struct sendmailcf *cf, const char *text)
{
    if (*text == 'O') {
        read_daemon(cf, text + 1);
        return;
    }
    const char *equals = strchr(text, '=');
    if (*text != ' ' || !equals)
        return;
    g_autofree char *name = g_strndup(text + 1, (gsize)(equals - text - 1));
    g_autofree char *value = g_strdup(equals + 1);
    set_option(cf, g_strstrip(name), g_strstrip(value));
}

const char *sendmailcf_option(const struct sendmailcf *cf, const char *name)
{
    g_autofree char *key = g_ascii_strdown(name, -1);
    const char *value = g_hash_table_lookup(cf->options, key);
    return value ? value : "";
}

static void read_words(struct sendmailcf *cf, const char *text)
{
    g_autofree char *name = read_macro_name(text, &text);
    g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);
    for (char **word = words; *word; word++)
        if (**word)
            keep(cf->words, new_class(name, *word), free_class);
}

/* "w-o /path %[^\#]", "w/path", "w|program", "w@LDAP", "wkey@map:spec" */
static void read_file(struct sendmailcf *cf, const char *text)
{
    g_autofree char *name = read_macro_name(text, &text);
    text = skip_space(text);
    if (g_str_has_prefix(text, "-o"))
        text = skip_space(text + strcspn(text, " \t"));
    g_autofree char *path = g_strndup(text, strcspn(text, " \t"));
    g_strdelimit(path, "\"", ' ');
    g_strstrip(path);
    bool plain = path[0] == '/';
    keep(plain ? cf->files : cf->dynamic, new_class(name, plain ? path : text), free_class);
}

static void read_macro(struct sendmailcf *cf, const char *text)
{
    char *name = read_macro_name(text, &text);
    g_hash_table_insert(cf->macros, name, g_strdup(text));
}

static void read_map(struct sendmailcf *cf, const char *text)
{
    size_t length = strcspn(text, " \t");
    g_hash_table_insert(cf->maps, g_strndup(text, length), g_strdup(skip_space(text + length)));
}

/* "relay, P=[IPC], ..., A=TCP $h 587" */
static void read_mailer(struct sendmailcf *cf, const char *text)
{
    const char *arguments = strstr(text, "A=TCP $h ");
    if (!g_str_has_prefix(text, "relay,") || !arguments)
        return;
    arguments += strlen("A=TCP $h ");
    g_free(cf->relay_port);
    cf->relay_port = g_strndup(arguments, strcspn(arguments, " \t,"));
}

static void read_rule(struct sendmailcf *cf, const char *text)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);
    GString *rule = g_string_new(NULL);
    for (char **word = words; *word; word++)
        if (**word)
            g_string_append_printf(rule, "%s%s", rule->len ? " " : "", *word);
    keep(cf->rules, g_string_free(rule, FALSE), g_free);
}

bool sendmailcf_has_rule(const struct sendmailcf *cf, const char *text)
{
    for (guint i = 0; i < cf->rules->len; i++)
        if (strstr(cf->rules->pdata[i], text))
            return true;
    return false;
}

static void read_line(struct sendmailcf *cf, const char *line)
{
    static const struct {
        char letter;
        void (*read)(struct sendmailcf *cf, const char *text);
    } rows[] = {{'X', read_filter}, {'O', read_option}, {'C', read_words},  {'F', read_file},
                {'D', read_macro},  {'K', read_map},    {'M', read_mailer}, {'R', read_rule}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].letter == line[0])
            rows[i].read(cf, line + 1);
}

static struct sendmailcf *new_cf(void)
{
    struct sendmailcf *cf = g_new0(struct sendmailcf, 1);
    cf->filters = g_ptr_array_new_with_free_func(free_filter);
    cf->input = g_ptr_array_new_with_free_func(g_free);
    cf->daemons = g_ptr_array_new_with_free_func(free_daemon);
    cf->words = g_ptr_array_new_with_free_func(free_class);
    cf->files = g_ptr_array_new_with_free_func(free_class);
    cf->dynamic = g_ptr_array_new_with_free_func(free_class);
    cf->macros = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    cf->rules = g_ptr_array_new_with_free_func(g_free);
    cf->options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    cf->maps = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return cf;
}

struct sendmailcf *sendmailcf_default(void)
{
    struct sendmailcf *cf = new_cf();
    read_daemon(cf, "Name=MTA");
    read_daemon(cf, "Port=587, Name=MSA, M=E");
    read_file(cf, "w/etc/mail/local-host-names");
    read_file(cf, "R-o /etc/mail/relay-domains");
    return cf;
}

struct sendmailcf *sendmailcf_read(const char *path, const char **why_r)
{
    g_auto(GStrv) lines = smallfile_lines(path, why_r);
    if (!lines)
        return NULL;
    struct sendmailcf *cf = new_cf();
    g_autoptr(GString) folded = g_string_new(NULL);
    for (char **line = lines; *line; line++) {
        /* A line that begins with white space goes on with the one before. */
        g_string_append(folded, *line);
        if (line[1] && (line[1][0] == ' ' || line[1][0] == '\t'))
            continue;
        read_line(cf, folded->str);
        g_string_truncate(folded, 0);
    }
    if (cf->daemons->len == 0)
        read_daemon(cf, "Name=MTA");
    return cf;
}

void sendmailcf_free(struct sendmailcf *cf)
{
    if (!cf)
        return;
    g_ptr_array_unref(cf->filters);
    g_ptr_array_unref(cf->input);
    g_ptr_array_unref(cf->daemons);
    g_ptr_array_unref(cf->words);
    g_ptr_array_unref(cf->files);
    g_ptr_array_unref(cf->dynamic);
    g_ptr_array_unref(cf->rules);
    g_hash_table_unref(cf->macros);
    g_hash_table_unref(cf->options);
    g_hash_table_unref(cf->maps);
    g_free(cf->relay_port);
    g_free(cf);
}
