/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From what was written to what is in force: for each section and parameter the value that counts,
 * expanded in that section's scope, its type and bounds checked.
 *
 * A section's $name is what the section says of name, else what main does; that goes for values it
 * inherits, too, as a Postfix service's `-o name=value` shows in main.cf's $name.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "expand.h"
#include "private.h"
#include "value.h"

#define SUGGESTIONS_MAX 100 /* unknown names that a nearest one is looked for: it takes time */
#define CLASS_DEPTH_MAX 100 /* $class in classes; circles go further */
#define CLASS_TEXTS_MAX 10000

struct resolution {
    struct settings *settings;
    struct problems *problems;
    struct section *section;  /* the scope; main is done before all others */
    bool busy[SETTING_COUNT]; /* being worked out: to be asked again is a circle */
    size_t expanded;          /* bytes that expansion has made so far */
    unsigned class_depth;     /* restriction classes that are being expanded, one in another */
    GPtrArray *class_texts;   /* of char *: what they expanded to */
    unsigned suggestions;
};

/* The value that is being expanded, for messages. */
struct frame {
    struct resolution *resolver;
    const char *name;
    unsigned line;
};

static struct cell *resolve(struct resolution *resolver, enum setting setting);

static void tell(const struct frame *frame, const char *why)
{
    const struct section *section = frame->resolver->section;
    struct problems *problems = frame->resolver->problems;
    const char *file = frame->resolver->settings->file;
    if (section->kind != SECTION_MAIN && frame->line < section->line)
        problems_error(problems, file, frame->line, "%s: %s (in [%s %s])", frame->name, why,
                       section_kind_word(section->kind), section->name);
    else
        problems_error(problems, file, frame->line, "%s: %s", frame->name, why);
}

/* Whether `$name` can mean this parameter in a section of that kind. */
static bool is_visible(const struct setting_row *row, enum section_kind kind)
{
    return !(row->where & SETTING_KEYED) &&
           (setting_row_fits(row, kind) || setting_row_fits(row, SECTION_MAIN));
}

static const char *nearest_visible(struct resolution *resolver, const char *name)
{
    if (++resolver->suggestions > SUGGESTIONS_MAX)
        return NULL;
    const char *names[SETTING_COUNT];
    size_t count = 0;
    for (unsigned i = 0; i < SETTING_COUNT; i++)
        if (is_visible(&setting_rows[i], resolver->section->kind))
            names[count++] = setting_rows[i].name;
    return text_nearest(name, names, count);
}

static void tell_unknown(const struct frame *frame, const char *name)
{
    const char *near = nearest_visible(frame->resolver, name);
    g_autofree char *quoted = value_quote(name);
    g_autofree char *hint =
        near ? g_strdup_printf("did you mean $%s?", near) : g_strdup("write $$ for a dollar sign");
    g_autofree char *why =
        g_strdup_printf("\"$\" is followed by the unknown parameter %s; %s", quoted, hint);
    tell(frame, why);
}

static char *expand_value(struct frame *frame, const char *raw);

/* What a restriction class holds, as the scope or main says it. *FOUND_R: there is such a class.
 * NULL after an error. */
static const char *class_value(struct frame *frame, const char *name, bool *found_r)
{
    struct resolution *resolver = frame->resolver;
    struct keyed_line *line = g_hash_table_lookup(resolver->section->keyed_index, name);
    if (!line)
        line = g_hash_table_lookup(resolver->settings->main->keyed_index, name);
    *found_r = line && line->setting == SETTING_RESTRICTION_CLASSES;
    if (!*found_r)
        return NULL;
    if (resolver->class_depth >= CLASS_DEPTH_MAX || resolver->class_texts->len >= CLASS_TEXTS_MAX) {
        g_autofree char *why =
            g_strdup_printf("$%s leads back to itself; the classes name each other", name);
        tell(frame, why);
        return NULL;
    }
    resolver->class_depth++;
    char *text = expand_value(frame, line->raw);
    resolver->class_depth--;
    if (text)
        g_ptr_array_add(resolver->class_texts, text);
    return text;
}

/* The value of `$name` for expand(). */
static const char *value_of(void *context, const char *name)
{
    struct frame *frame = context;
    struct resolution *resolver = frame->resolver;
    enum section_kind kind = resolver->section->kind;
    enum setting setting;
    bool is_class = false;
    if (!setting_find(name, SECTION_MAIN, &setting)) {
        const char *text = class_value(frame, name, &is_class);
        if (is_class)
            return text;
    }
    if (!setting_find(name, kind, &setting) || !is_visible(&setting_rows[setting], kind)) {
        tell_unknown(frame, name);
        return NULL;
    }
    if (resolver->busy[setting]) {
        g_autofree char *why =
            g_strdup_printf("$%s leads back to itself; the parameters name each other", name);
        tell(frame, why);
        return NULL;
    }
    const struct cell *cell = resolve(resolver, setting);
    return cell->has_failed ? NULL : cell->value.text;
}

/* RAW with names expanded, to be freed; NULL after an error. */
static char *expand_value(struct frame *frame, const char *raw)
{
    if (!strchr(raw, '$'))
        return g_strdup(raw);
    struct resolution *resolver = frame->resolver;
    struct expansion expansion = {
        .limit = MIN(SETTINGS_VALUE_MAX, SETTINGS_EXPANDED_MAX - resolver->expanded),
        .value_of = value_of,
        .context = frame,
    };
    GString *out = g_string_new(NULL);
    g_autofree char *why = NULL;
    bool is_good = expand(&expansion, raw, out, &why);
    if (why)
        tell(frame, why);
    /* Values that this one names have been counted meanwhile, and this one may be the last drop. */
    resolver->expanded = MIN(SETTINGS_EXPANDED_MAX, resolver->expanded + out->len);
    char *text = g_string_free(out, !is_good);
    return text ? g_strstrip(text) : NULL;
}

/* Gives CELL the number and text of RAW; false, with an error told, if it is no value of ROW. */
static bool fill(struct frame *frame, const struct setting_row *row, const char *raw,
                 struct cell *cell)
{
    struct value_number number;
    g_autofree char *text = expand_value(frame, raw);
    if (!text)
        return false;
    g_autofree char *why = value_read(row, text, &number);
    if (why) {
        tell(frame, why);
        return false;
    }
    cell->text = g_steal_pointer(&text);
    cell->integer = number.integer;
    cell->score = number.score;
    return true;
}

/* What is used in place of a value that is an error, until its file is mended. */
static void fill_default(const struct setting_row *row, struct cell *cell)
{
    struct value_number number = {0};
    cell->text = g_strdup(row->default_text ? row->default_text : "");
    g_free(value_read(row, cell->text, &number));
    cell->integer = number.integer;
    cell->score = number.score;
    cell->has_failed = true;
}

static struct cell *make_cell(struct resolution *resolver, enum setting setting,
                              const struct given *given)
{
    const struct setting_row *row = &setting_rows[setting];
    struct frame frame = {resolver, row->name, given->line};
    struct cell *cell = g_new0(struct cell, 1);
    const char *raw = given_text(given, setting);
    resolver->busy[setting] = true;
    if (!raw)
        cell->text = g_strdup("");
    else if (!fill(&frame, row, raw, cell))
        fill_default(row, cell);
    resolver->busy[setting] = false;
    cell->value.text = cell->text;
    cell->value.file = resolver->settings->file;
    cell->value.line = given->line;
    cell->value.given = given->text != NULL;
    return cell;
}

/* The cell of a parameter that the scope inherits: main's own, unless `$name` makes it another. */
static struct cell *inherit(struct resolution *resolver, enum setting setting)
{
    const struct section *main = resolver->settings->main;
    struct cell *theirs = main->cells[setting];
    const struct given *given = &main->given[setting];
    const char *raw = given_text(given, setting);
    if (theirs->has_failed || !raw || !strchr(raw, '$'))
        return theirs;
    struct cell *ours = make_cell(resolver, setting, given);
    if (ours->has_failed || strcmp(ours->text, theirs->text) != 0)
        return ours;
    cell_free(ours);
    return theirs;
}

static struct cell *resolve(struct resolution *resolver, enum setting setting)
{
    struct section *section = resolver->section;
    if (section->cells[setting])
        return section->cells[setting];
    const struct given *given = &section->given[setting];
    struct cell *cell = section->kind == SECTION_MAIN || given->text
                            ? make_cell(resolver, setting, given)
                            : inherit(resolver, setting);
    section->cells[setting] = cell;
    return cell;
}

char *keyed_name(enum setting setting, const char *key)
{
    return setting == SETTING_RESTRICTION_CLASSES
               ? g_strdup(key)
               : g_strdup_printf("%s %s", setting_rows[setting].name, key);
}

static void resolve_keyed(struct resolution *resolver, struct keyed_line *line)
{
    g_autofree char *name = keyed_name(line->setting, line->keyed.key);
    struct frame frame = {resolver, name, line->keyed.value.line};
    struct cell cell = {0};
    if (!fill(&frame, &setting_rows[line->setting], line->raw, &cell))
        fill_default(&setting_rows[line->setting], &cell);
    line->keyed.value.text = cell.text;
    line->keyed.integer = cell.integer;
    line->keyed.score = cell.score;
}

struct place {
    unsigned line;
    enum setting setting;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *left = a, *right = b;
    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    return left->setting < right->setting ? -1 : left->setting > right->setting;
}

/* In the order of the lines, so that errors come in that order. */
static void resolve_section(struct resolution *resolver, struct section *section)
{
    struct place order[SETTING_COUNT];
    /* What main does not say comes last, behind all that its default may name. */
    unsigned less = section->kind == SECTION_MAIN ? 1 : 0;
    for (unsigned i = 0; i < SETTING_COUNT; i++)
        order[i] = (struct place){section->given[i].line - less, (enum setting)i};
    qsort(order, SETTING_COUNT, sizeof order[0], compare_places);
    resolver->section = section;
    for (unsigned i = 0; i < SETTING_COUNT; i++)
        resolve(resolver, order[i].setting);
    for (guint i = 0; i < section->keyed->len; i++)
        resolve_keyed(resolver, section->keyed->pdata[i]);
}

void resolve_all(struct settings *settings, struct problems *problems)
{
    struct resolution resolver = {.settings = settings,
                                  .problems = problems,
                                  .class_texts = g_ptr_array_new_with_free_func(g_free)};
    resolve_section(&resolver, settings->main);
    for (unsigned kind = 0; kind < SECTION_KIND_COUNT; kind++)
        for (guint i = 0; i < settings->sections[kind]->len; i++)
            resolve_section(&resolver, settings->sections[kind]->pdata[i]);
    g_ptr_array_unref(resolver.class_texts);
}
