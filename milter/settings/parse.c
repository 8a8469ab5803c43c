/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From logical lines to what each section says: parameters and section headers, not yet expanded.
 */
#include <string.h>

#include "base/text.h"
#include "setting_lines.h"
#include "private.h"
#include "value.h"

#define SUGGESTIONS_MAX 100 /* unknown names that a nearest one is looked for: it takes time */

struct parser {
    struct settings *settings;
    struct problems *problems;
    struct section *section; /* the one that lines go to; NULL: passed over up to the next */
    unsigned line;
    unsigned suggestions;
    bool has_too_many;
    size_t taken_over;   /* bytes of main's lists and defaults that sections add to */
    GHashTable *classes; /* the words of restriction_classes, wherever it stands */
};

/* " in [listener NAME]", or "" for main. */
static char *where(const struct section *section)
{
    if (section->kind == SECTION_MAIN)
        return g_strdup("");
    return g_strdup_printf(" in [%s %s]", section_kind_word(section->kind), section->name);
}

static const char *nearest_name(struct parser *parser, const char *name)
{
    if (++parser->suggestions > SUGGESTIONS_MAX)
        return NULL;
    const char *names[SETTING_COUNT];
    size_t count = 0;
    for (unsigned i = 0; i < SETTING_COUNT; i++)
        if (setting_row_fits(&setting_rows[i], parser->section->kind))
            names[count++] = setting_rows[i].name;
    return text_nearest(name, names, count);
}

static void tell_unknown(struct parser *parser, const char *name)
{
    g_autofree char *quoted = value_quote(name);
    g_autofree char *place = where(parser->section);
    const char *near = nearest_name(parser, name);
    if (near)
        problems_error(parser->problems, parser->settings->file, parser->line,
                       "unknown parameter %s%s; did you mean \"%s\"?", quoted, place, near);
    else
        problems_error(parser->problems, parser->settings->file, parser->line,
                       "unknown parameter %s%s", quoted, place);
}

/* A known parameter in a section that cannot have it. */
static void tell_misplaced(struct parser *parser, const struct setting_row *row)
{
    g_autofree char *place = where(parser->section);
    if (setting_row_fits(row, SECTION_MAIN)) {
        bool everywhere = !setting_row_fits(row, SECTION_LISTENER);
        problems_error(parser->problems, parser->settings->file, parser->line,
                       "%s %scannot be set%s; set it before the first section%s", row->name,
                       everywhere ? "holds for the whole of gatepost and " : "", place,
                       everywhere ? "" : " or in a [listener NAME]");
        return;
    }
    for (unsigned kind = 0; kind < SECTION_KIND_COUNT; kind++) {
        if (setting_row_fits(row, (enum section_kind)kind)) {
            problems_error(parser->problems, parser->settings->file, parser->line,
                           "%s belongs in a section [%s NAME]", row->name,
                           section_kind_word((enum section_kind)kind));
            return;
        }
    }
}

static void warn_twice(struct parser *parser, const char *name, unsigned before)
{
    problems_warning(parser->problems, parser->settings->file, parser->line,
                     "%s is set again; this line counts, line %u does not", name, before);
}

/* " # words" at the end of a line is part of the value, which is rarely what was meant. */
static void warn_of_comment(struct parser *parser, const char *value)
{
    unsigned depth = 0;
    for (const char *p = value; *p; p++) {
        if (*p == '{') {
            depth++;
        } else if (*p == '}' && depth > 0) {
            depth--;
        } else if (depth == 0 && *p == '#' && (p == value || p[-1] == ' ' || p[-1] == '\t')) {
            problems_warning(parser->problems, parser->settings->file, parser->line,
                             "the \"#\" and what follows it are part of the value; a comment needs "
                             "a line of its own");
            return;
        }
    }
}

static void set_keyed(struct parser *parser, enum setting setting, const char *key,
                      const char *value)
{
    struct section *section = parser->section;
    g_autofree char *name = keyed_name(setting, key);
    struct keyed_line *keyed = g_hash_table_lookup(section->keyed_index, name);
    if (keyed) {
        warn_twice(parser, name, keyed->keyed.value.line);
        g_free(keyed->raw);
    } else {
        keyed = g_new0(struct keyed_line, 1);
        keyed->setting = setting;
        keyed->keyed.key = g_strdup(key);
        g_ptr_array_add(section->keyed, keyed);
        if (!section->keyed_of[setting])
            section->keyed_of[setting] = g_ptr_array_new();
        g_ptr_array_add(section->keyed_of[setting], keyed);
        g_hash_table_replace(section->keyed_index, g_strdup(name), keyed);
    }
    keyed->raw = g_strdup(value);
    keyed->keyed.value.line = parser->line;
    keyed->keyed.value.file = parser->settings->file;
    keyed->keyed.value.given = true;
}

static bool is_list(const struct setting_row *row)
{
    static const enum setting_type lists[] = {
        SETTING_LIST,   SETTING_WORDS,    SETTING_LISTENERS, SETTING_RESTRICTIONS,
        SETTING_TABLES, SETTING_NETWORKS, SETTING_DOMAINS};
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        if (row->type == lists[i] && !(row->where & SETTING_KEYED))
            return true;
    return false;
}

/* `name += words`: behind what the section has by now, what main has, or the default. */
static void add_to_list(struct parser *parser, const char *name, const char *value)
{
    enum setting setting;
    enum section_kind kind = parser->section->kind;
    if (!setting_find(name, kind, &setting) || !setting_row_fits(&setting_rows[setting], kind) ||
        !is_list(&setting_rows[setting])) {
        problems_error(parser->problems, parser->settings->file, parser->line,
                       "\"+=\" adds to the lists of this section, and \"%s\" is none", name);
        return;
    }
    struct given *given = &parser->section->given[setting];
    if (!given->text) {
        /* a list of the section's own begins with what main has, or the default */
        const char *before = given_text(&parser->settings->main->given[setting], setting);
        size_t length = before ? strlen(before) : 0;
        if (length > SETTINGS_EXPANDED_MAX - parser->taken_over) {
            problems_error(
                parser->problems, parser->settings->file, parser->line,
                "the lists that sections add to with \"+=\" grow beyond %d bytes in all; "
                "keep what is long in a table",
                SETTINGS_EXPANDED_MAX);
            before = "";
        } else if (parser->section->kind != SECTION_MAIN) {
            parser->taken_over += length;
        }
        given_set(given, before ? before : "");
    }
    if (given->text->len > 0)
        g_string_append_c(given->text, ' ');
    g_string_append(given->text, value);
    given->line = parser->line;
    warn_of_comment(parser, value);
}

/* NAME may be `NAME KEY`, which splits it; *KEY_R is "" otherwise. */
static void split_key(char *name, const char **key_r)
{
    char *end = name + strcspn(name, " \t");
    *key_r = end;
    if (*end == '\0')
        return;
    *end = '\0';
    *key_r = end + 1 + strspn(end + 1, " \t");
}

/* Whether NAME is a restriction class, and may be said here. */
static bool is_class(const struct parser *parser, const char *name)
{
    bool fits = parser->section->kind == SECTION_MAIN || parser->section->kind == SECTION_LISTENER;
    return fits && g_hash_table_contains(parser->classes, name);
}

static void set(struct parser *parser, const char *name, const char *value)
{
    g_autofree char *word = g_strdup(name);
    const char *key;
    split_key(word, &key);
    enum setting setting;
    if (*key == '\0' && !setting_find(word, SECTION_MAIN, &setting) && is_class(parser, word)) {
        set_keyed(parser, SETTING_RESTRICTION_CLASSES, word, value);
        warn_of_comment(parser, value);
        return;
    }
    if (!setting_find(word, parser->section->kind, &setting)) {
        tell_unknown(parser, name);
        return;
    }
    const struct setting_row *row = &setting_rows[setting];
    bool is_keyed = row->where & SETTING_KEYED;
    if (!setting_row_fits(row, parser->section->kind)) {
        tell_misplaced(parser, row);
    } else if (is_keyed && *key == '\0') {
        problems_error(parser->problems, parser->settings->file, parser->line,
                       "%s needs a name: %s NAME = value", row->name, row->name);
    } else if (!is_keyed && *key != '\0') {
        tell_unknown(parser, name);
    } else if (is_keyed) {
        set_keyed(parser, setting, key, value);
    } else {
        struct given *given = &parser->section->given[setting];
        if (given->text)
            warn_twice(parser, setting_rows[setting].name, given->line);
        given_set(given, value);
        given->line = parser->line;
    }
    warn_of_comment(parser, value);
}

static void parse_parameter(struct parser *parser, const char *line)
{
    if (!parser->section)
        return;
    const char *equals = strchr(line, '=');
    if (!equals || equals == line) {
        g_autofree char *quoted = value_quote(line);
        problems_error(parser->problems, parser->settings->file, parser->line,
                       equals ? "no name stands before the \"=\" in %s"
                              : "no \"=\" in %s; write NAME = VALUE, or [KIND NAME] for a section",
                       quoted);
        return;
    }
    g_autofree char *name = g_strndup(line, (gsize)(equals - line));
    g_autofree char *value = g_strdup(equals + 1);
    size_t length = strlen(name);
    bool adds = length > 1 && name[length - 1] == '+';
    if (adds)
        name[length - 1] = '\0';
    (adds ? add_to_list : set)(parser, g_strchomp(name), g_strstrip(value));
}

static void tell_section(struct parser *parser, const char *why, const char *line)
{
    g_autofree char *quoted = value_quote(line);
    problems_error(parser->problems, parser->settings->file, parser->line, "%s %s", why, quoted);
}

static void tell_unknown_kind(struct parser *parser, const char *word, const char *const *words,
                              size_t count)
{
    g_autofree char *quoted = value_quote(word);
    const char *near =
        ++parser->suggestions > SUGGESTIONS_MAX ? NULL : text_nearest(word, words, count);
    if (near)
        problems_error(parser->problems, parser->settings->file, parser->line,
                       "unknown kind of section %s; did you mean [%s NAME]?", quoted, near);
    else
        problems_error(parser->problems, parser->settings->file, parser->line,
                       "unknown kind of section %s", quoted);
}

/* The kind whose word is WORD; SECTION_MAIN, with an error, if there is none. */
static enum section_kind find_kind(struct parser *parser, const char *word)
{
    const char *words[SECTION_KIND_COUNT];
    size_t count = 0;
    for (unsigned i = SECTION_MAIN + 1; i < SECTION_KIND_COUNT; i++) {
        enum section_kind kind = (enum section_kind)i;
        bool is_it = strcmp(word, section_kind_word(kind)) == 0;
        bool exists = section_kind_exists(kind);
        if (is_it && exists)
            return kind;
        if (is_it) {
            problems_error(parser->problems, parser->settings->file, parser->line,
                           "this version has no [%s NAME] sections yet; take the section out",
                           word);
            return SECTION_MAIN;
        }
        if (exists)
            words[count++] = section_kind_word(kind);
    }
    tell_unknown_kind(parser, word, words, count);
    return SECTION_MAIN;
}

static const char *name_fault(enum section_kind kind, const char *name)
{
    if (strlen(name) > SETTINGS_NAME_MAX)
        return "the name of a section is at most 255 bytes long, not";
    return kind == SECTION_LISTENER ? value_listener_fault(name) : NULL;
}

static struct section *open_section(struct parser *parser, enum section_kind kind, const char *name)
{
    struct settings *settings = parser->settings;
    for (guint i = 0; i < settings->sections[kind]->len; i++) {
        struct section *section = settings->sections[kind]->pdata[i];
        /* The MTA's name of a listener is matched without regard to case. */
        if ((kind == SECTION_LISTENER ? g_ascii_strcasecmp : strcmp)(section->name, name) == 0) {
            problems_error(parser->problems, settings->file, parser->line,
                           "section [%s %s] was opened in line %u already; join the two",
                           section_kind_word(kind), name, section->line);
            return section;
        }
    }
    guint total = 0;
    for (unsigned i = 0; i < SECTION_KIND_COUNT; i++)
        total += settings->sections[i]->len;
    if (total >= SETTINGS_SECTIONS_MAX) {
        if (!parser->has_too_many)
            problems_error(parser->problems, settings->file, parser->line,
                           "there are more than %d sections", SETTINGS_SECTIONS_MAX);
        parser->has_too_many = true;
        return NULL;
    }
    struct section *section = section_new(settings, kind, name, parser->line);
    g_ptr_array_add(settings->sections[kind], section);
    return section;
}

static void parse_section(struct parser *parser, const char *line)
{
    parser->section = NULL;
    size_t length = strlen(line);
    if (line[length - 1] != ']' || strcspn(line + 1, "[]") != length - 2) {
        tell_section(parser, "a section is opened by [KIND NAME], not by", line);
        return;
    }
    g_autofree char *inner = g_strndup(line + 1, length - 2);
    char *word = g_strstrip(inner);
    const char *name;
    split_key(word, &name);
    enum section_kind kind = find_kind(parser, word);
    if (kind == SECTION_MAIN)
        return;
    const char *fault = name_fault(kind, name);
    if (*name == '\0')
        problems_error(parser->problems, parser->settings->file, parser->line,
                       "[%s] needs a name: [%s NAME]", word, word);
    else if (fault)
        tell_section(parser, fault, name);
    else
        parser->section = open_section(parser, kind, name);
}

/* The classes may be said before restriction_classes names them: it is looked for first, in main
 * and sections. The caller unrefs it. */
static GHashTable *find_classes(const char *text, size_t length)
{
    struct problems *unheard = problems_new();
    GHashTable *classes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    struct setting_lines lines;
    unsigned number;
    settings_lines_init(&lines, text, length, "", unheard);
    g_autoptr(GString) line = g_string_new(NULL);
    while (settings_lines_next(&lines, line, &number)) {
        char *equals = strchr(line->str, '=');
        if (!equals)
            continue;
        *equals = '\0';
        if (g_str_has_suffix(line->str, "+"))
            equals[-1] = '\0';
        if (strcmp(g_strchomp(line->str), setting_rows[SETTING_RESTRICTION_CLASSES].name) != 0)
            continue;
        g_autoptr(GPtrArray) words = text_split_list(equals + 1, NULL);
        for (guint i = 0; words && i < words->len; i++)
            g_hash_table_add(classes, g_strdup(words->pdata[i]));
    }
    problems_free(unheard);
    return classes;
}

void parse_text(struct settings *settings, const char *text, size_t length,
                struct problems *problems)
{
    g_autoptr(GHashTable) classes = find_classes(text, length);
    struct parser parser = {
        .settings = settings, .problems = problems, .section = settings->main, .classes = classes};
    struct setting_lines lines;
    settings_lines_init(&lines, text, length, settings->file, problems);
    g_autoptr(GString) line = g_string_new(NULL);
    while (settings_lines_next(&lines, line, &parser.line)) {
        if (line->str[0] == '[')
            parse_section(&parser, line->str);
        else
            parse_parameter(&parser, line->str);
    }
}
