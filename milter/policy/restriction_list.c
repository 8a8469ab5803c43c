/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Compiling restriction lists.
 */
#include "policy/restriction_list.h"

#include <string.h>

#include "base/text.h"
#include "checks/limit.h"

/* The words of a list while it is compiled. */
struct restriction_reader {
    const GPtrArray *words;
    guint next;
    const struct table_context *context; /* NULL: a table's result, silent and without tables */
    const char *header;                  /* the field whose table is read; NULL: no field */
    const struct site *site;
    struct restriction_list *list;
    const struct restriction_class *class; /* whose words these are, wherever it will stand; NULL:
                                              the list's own */
    bool warn_if_reject;
    bool failed;
};

enum setting restriction_list_setting(enum restriction_list_kind kind)
{
    static const enum setting settings[LIST_COUNT] = {
        [LIST_CLIENT] = SETTING_CLIENT_RESTRICTIONS,
        [LIST_HELO] = SETTING_HELO_RESTRICTIONS,
        [LIST_SENDER] = SETTING_SENDER_RESTRICTIONS,
        [LIST_RELAY] = SETTING_RELAY_RESTRICTIONS,
        [LIST_RECIPIENT] = SETTING_RECIPIENT_RESTRICTIONS,
        [LIST_MESSAGE] = SETTING_MESSAGE_RESTRICTIONS,
    };
    return settings[kind];
}

const char *restriction_list_name(enum restriction_list_kind kind)
{
    return setting_row(restriction_list_setting(kind))->name;
}

static void clear_item(void *data)
{
    struct restriction_item *item = data;
    if (item->is_borrowed)
        return;
    g_free(item->argument.word);
    table_list_free(item->argument.tables);
}

static void fail(struct restriction_reader *reader, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void fail(struct restriction_reader *reader, const char *format, ...)
{
    reader->failed = true;
    if (!reader->context)
        return;
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    /* Whose words they are: a class, or the parameter of the list. */
    problems_error(
        reader->context->problems, reader->context->file, reader->context->line, "%s: %s",
        reader->class ? reader->class->name : restriction_list_name(reader->list->kind), text);
}

/* Whether VALUE may stand in a table that a list of KIND asks: some words stand in some lists. */
static bool value_fits(const char *value, const struct restriction_reader *reader)
{
    if (reader->class || !access_value_is_list(value))
        return true;
    struct restriction_list *list =
        restriction_list_compile_result(value, reader->list->kind, reader->list->classes);
    bool fits = list != NULL;
    restriction_list_free(list);
    return fits;
}

/* Notes which classes a result of a table names. */
static void note_names(const char *value, const struct restriction_classes *classes)
{
    g_autoptr(GPtrArray) words = classes ? text_split_list(value, NULL) : NULL;
    for (guint i = 0; words && i < words->len; i++) {
        struct restriction_class *class = restriction_class_find(classes, words->pdata[i]);
        if (class)
            class->is_named = true;
    }
}

/* One line of an access table: is its result one? */
static bool visit_value(void *data, const char *file, unsigned line, const char *key,
                        const char *value)
{
    const struct restriction_reader *reader = data;
    const struct table_context *context = reader->context;
    struct problems *problems = context->problems;
    bool forbidden;
    const char *doubt;
    if (line == 0) { /* inline and static tables stand in the settings */
        file = context->file;
        line = context->line;
    }
    if (reader->header && strcmp(reader->header, HEADER_CHECKS) != 0 &&
        header_checks_line(key, reader->header))
        problems_warning(
            problems, file, line,
            "key \"%s\" can never match: the table is asked for what %s holds, without "
            "its name; for a table of Postfix's header_checks write "
            "\"check_header_access header_checks TABLE\"",
            key, reader->header);
    if (reader->header && strcmp(reader->header, HEADER_CHECKS) == 0) {
        g_autofree char *wrong = header_checks_fault(value, &forbidden);
        if (wrong && forbidden)
            problems_error(problems, file, line, "%s", wrong);
        else if (wrong)
            problems_warning(problems, file, line,
                             "key \"%s\": %s; mail that meets it will be deferred", key, wrong);
        return true;
    }
    note_names(value, reader->list->classes);
    g_autofree char *fault = access_value_fault(reader->site, value, &forbidden, &doubt);
    if (fault && forbidden)
        problems_error(problems, file, line, "%s", fault);
    else if (fault)
        problems_warning(problems, file, line,
                         "key \"%s\": %s; mail that meets it will be deferred", key, fault);
    else if (doubt)
        problems_warning(problems, file, line, "key \"%s\": %s", key, doubt);
    else if (!value_fits(value, reader))
        problems_warning(problems, file, line,
                         "key \"%s\": \"%s\" cannot stand in %s; mail that meets it will be "
                         "deferred",
                         key, value, restriction_list_name(reader->list->kind));
    return true;
}

/* "{a b}" without its braces, else a copy. */
static char *without_braces(const char *word)
{
    size_t length = strlen(word);
    if (length >= 2 && word[0] == '{' && word[length - 1] == '}')
        return g_strndup(word + 1, length - 2);
    return g_strdup(word);
}

static struct table_list *open_tables(struct restriction_reader *reader, const char *row,
                                      const char *word)
{
    if (!reader->context)
        return NULL;
    g_autofree char *value = without_braces(word);
    unsigned before = problems_errors(reader->context->problems);
    struct table_list *tables = table_list_open(value, true, reader->context);
    if (tables && table_list_count(tables) == 0) {
        fail(reader, "%s needs a lookup table, such as texthash:/etc/gatepost/access", row);
        table_list_free(tables);
        return NULL;
    }
    if (!tables) {
        reader->failed = true;
        return NULL;
    }
    for (unsigned i = 0; i < table_list_count(tables); i++)
        table_foreach(table_list_get(tables, i), visit_value, reader);
    if (problems_errors(reader->context->problems) > before)
        reader->failed = true;
    return tables;
}

static void add_item(struct restriction_reader *reader, const struct restriction *row,
                     const struct check_argument *argument)
{
    struct restriction_item item = {
        .row = row, .argument = *argument, .warn_if_reject = reader->warn_if_reject};
    g_array_append_val(reader->list->items, item);
    reader->warn_if_reject = false;
}

static void read_table_row(struct restriction_reader *reader, const struct restriction *row,
                           const char *head, const char *word)
{
    reader->header = head;
    struct table_list *tables = open_tables(reader, row ? row->name : "it", word);
    struct check_argument argument = {.tables = tables};
    if (!tables)
        return;
    argument.word = g_strdup(head ? head : word);
    add_item(reader, row, &argument);
}

static const char *next_word(struct restriction_reader *reader)
{
    return reader->next < reader->words->len ? reader->words->pdata[reader->next++] : NULL;
}

static void read_zone_row(struct restriction_reader *reader, const struct restriction *row)
{
    const char *word = next_word(reader);
    if (!word) {
        fail(reader, "%s needs the name of a DNS list, as in %s bl.example.org", row->name,
             row->name);
        return;
    }
    enum dnsbl_kind kind = row->zone_places & DNSBL_CLIENT ? DNSBL_ADDRESS : DNSBL_NAME;
    struct check_argument argument = {.zone = dnsbl_set_count(reader->site->dnsbl_zones)};
    if (!dnsbl_set_add_zone(reader->site->dnsbl_zones, kind, row->zone_places, word,
                            reader->context->problems, reader->context->file,
                            reader->context->line)) {
        reader->failed = true;
        return;
    }
    argument.word = g_strdup(word);
    add_item(reader, row, &argument);
}

/* Limits are counted for recipients, or for the message. LIMIT may be NULL: it fits everywhere. */
static bool fits_limit(struct restriction_reader *reader, const struct restriction *row,
                       const struct limit *limit)
{
    enum restriction_list_kind kind = reader->list->kind;
    if (reader->class || !limit)
        return true;
    if (kind != LIST_RECIPIENT && kind != LIST_MESSAGE)
        fail(reader, "%s stands in recipient_restrictions or message_restrictions alone",
             row->name);
    else if (kind == LIST_RECIPIENT && limit->needs_message)
        fail(reader,
             "limit %s counts by what stands in the header, which is not known yet; put "
             "check_limit %s into message_restrictions",
             limit->name, limit->name);
    else
        return true;
    return false;
}

static void read_limit_row(struct restriction_reader *reader, const struct restriction *row)
{
    const char *word = next_word(reader);
    const struct limit *limit = word ? limit_find(reader->site->limits, word) : NULL;
    if (!limit) {
        const GPtrArray *limits = reader->site->limits->limits;
        g_autoptr(GPtrArray) names = g_ptr_array_new();
        for (guint i = 0; i < limits->len; i++)
            g_ptr_array_add(names, ((const struct limit *)limits->pdata[i])->name);
        const char *near =
            word ? text_nearest(word, (const char *const *)names->pdata, names->len) : NULL;
        if (near)
            fail(reader, "there is no section [limit %s]; did you mean \"%s\"?", word, near);
        else if (word)
            fail(reader, "there is no section [limit %s]", word);
        else
            fail(reader, "%s needs the name of a [limit NAME] section", row->name);
    } else if (fits_limit(reader, row, limit)) {
        struct check_argument argument = {.word = g_strdup(word), .limit = limit};
        add_item(reader, row, &argument);
    }
}

/* What stands behind a word that takes a table, or a header field and a table. */
static void read_arguments(struct restriction_reader *reader, const struct restriction *row)
{
    bool takes_header = row->argument == ARGUMENT_HEADER_TABLE;
    const char *head = takes_header ? next_word(reader) : NULL;
    const char *table = next_word(reader);
    if (takes_header && (!table || strpbrk(head, ":/{")))
        fail(reader,
             "%s needs the name of a header field and a lookup table, as in %s Subject "
             "pcre:/etc/gatepost/subjects",
             row->name, row->name);
    else if (!table)
        fail(reader, "%s needs a lookup table, such as texthash:/etc/gatepost/access", row->name);
    else
        read_table_row(reader, row, head, table);
}

/* Client and HELO lists can be decided before there is a recipient, never the message's. */
static bool fits_list(struct restriction_reader *reader, const struct restriction *row)
{
    bool is_message = reader->list->kind == LIST_MESSAGE;
    if (reader->class || !row)
        return true;
    if (is_message && (row->needs & NEED_RECIPIENT))
        fail(reader,
             "%s decides for one recipient, but a message is refused for all of them; put it "
             "into recipient_restrictions",
             row->name);
    else if (!is_message && (row->needs & NEED_MESSAGE))
        fail(reader, "%s looks at the message; put it into message_restrictions", row->name);
    else
        return true;
    return false;
}

static void read_row(struct restriction_reader *reader, const struct restriction *row)
{
    if (row->argument == ARGUMENT_RESTRICTION) {
        reader->warn_if_reject = true;
        return;
    }
    if (!fits_list(reader, row))
        return;
    if (row->argument == ARGUMENT_NONE)
        add_item(reader, row, &(struct check_argument){0});
    else if (!reader->context)
        reader->failed = true;
    else if (row->argument == ARGUMENT_ZONE)
        read_zone_row(reader, row);
    else if (row->argument == ARGUMENT_LIMIT)
        read_limit_row(reader, row);
    else
        read_arguments(reader, row);
}

static void compile_class(struct restriction_class *class, const struct restriction_reader *reader);

/* Takes over what CLASS holds: as if its words stood here. */
static void read_class(struct restriction_reader *reader, struct restriction_class *class)
{
    if (reader->context) /* else a session reads a result, and others look at the class, too */
        class->is_named = true;
    if (reader->context && class->state == CLASS_UNREAD)
        compile_class(class, reader);
    if (class->state == CLASS_BEING_READ)
        fail(reader, "the class %s leads back to itself", class->name);
    bool warns = reader->warn_if_reject;
    reader->warn_if_reject = false;
    if (!class->list) {
        reader->failed = true;
        return;
    }
    const struct restriction_item *item;
    for (unsigned i = 0; (item = restriction_list_item(class->list, i)); i++) {
        struct restriction_item copy = *item;
        copy.is_borrowed = true;
        copy.warn_if_reject |= warns;
        if (!copy.row && !reader->class)
            copy.row = restriction_for_table(reader->list->kind);
        if (!copy.row && !reader->class)
            fail(reader,
                 "the class %s holds a bare table; say what it is asked for, as in "
                 "check_from_access %s",
                 class->name, copy.argument.word);
        else if (!fits_list(reader, copy.row) || !fits_limit(reader, copy.row, copy.argument.limit))
            return;
        else if (reader->list->items->len >= RESTRICTIONS_MAX)
            fail(reader, "there are more than %d restrictions, what classes hold counted",
                 RESTRICTIONS_MAX);
        if (reader->failed)
            return;
        g_array_append_val(reader->list->items, copy);
    }
}

static void read_unknown(struct restriction_reader *reader, const char *word)
{
    const char *why = restriction_not_served(word);
    const char *nearest = why ? NULL : restriction_nearest(word);
    if (why) {
        fail(reader, "\"%s\" cannot be used here: %s", word, why);
        /* The argument of a word that cannot be served is no error of its own. */
        const char *next =
            reader->next < reader->words->len ? reader->words->pdata[reader->next] : NULL;
        bool takes_any = g_str_has_prefix(word, "check_") || g_strcmp0(word, "sleep") == 0;
        if (next && (strchr(next, ':') || next[0] == '/' ||
                     (takes_any && !restriction_find(next) && !restriction_not_served(next))))
            reader->next++;
        return;
    }
    if (nearest)
        fail(reader, "unknown restriction \"%s\"; did you mean \"%s\"?", word, nearest);
    else
        fail(reader, "unknown restriction \"%s\"", word);
}

static void read_word(struct restriction_reader *reader, const char *word)
{
    const struct restriction *row = restriction_find(word);
    const struct restriction *access = restriction_for_table(reader->list->kind);
    bool is_table = strchr(word, ':') || word[0] == '/';
    struct restriction_class *class = restriction_class_find(reader->list->classes, word);
    if (class)
        read_class(reader, class);
    else if (row)
        read_row(reader, row);
    else if (is_table && reader->class && reader->context)
        read_table_row(reader, NULL, NULL, word);
    else if (is_table && access && reader->context)
        read_table_row(reader, access, NULL, word);
    else if (is_table && reader->context)
        fail(reader, "\"%s\": say what the table is asked for, as in check_sender_access %s", word,
             word);
    else
        read_unknown(reader, word);
}

/* Compiles TEXT by MODEL, which says for whom. */
static struct restriction_list *compile(const char *text, enum restriction_list_kind kind,
                                        const struct restriction_classes *classes,
                                        const struct restriction_reader *model)
{
    struct restriction_list *list = g_new0(struct restriction_list, 1);
    list->kind = kind;
    list->classes = classes;
    list->items = g_array_new(FALSE, FALSE, sizeof(struct restriction_item));
    g_array_set_clear_func(list->items, clear_item);
    struct restriction_reader reader = *model;
    reader.list = list;
    const char *why = NULL;
    g_autoptr(GPtrArray) words = text_split_list(text, &why);
    reader.words = words;
    if (!words)
        fail(&reader, "%s", why);
    if (!reader.context && words && words->len == 0)
        fail(&reader, "a table's result is empty");
    while (words && reader.next < words->len)
        read_word(&reader, words->pdata[reader.next++]);
    if (reader.warn_if_reject)
        fail(&reader, "warn_if_reject needs a restriction behind it");
    if (!reader.failed)
        return list;
    restriction_list_free(list);
    return NULL;
}

/* A class is compiled when it is named first, so that classes may stand in any order. */
static void compile_class(struct restriction_class *class, const struct restriction_reader *reader)
{
    struct table_context context = *reader->context;
    context.file = class->value->file;
    context.line = class->value->line;
    struct restriction_reader model = {.context = &context, .site = reader->site, .class = class};
    class->state = CLASS_BEING_READ;
    class->list = compile(class->is_said ? class->value->text : "", LIST_RECIPIENT,
                          reader->list->classes, &model);
    class->state = CLASS_READ;
}

void restriction_classes_compile(const struct restriction_classes *classes, const struct site *site,
                                 const struct table_context *context)
{
    struct restriction_list list = {.classes = classes};
    const struct restriction_reader reader = {.context = context, .site = site, .list = &list};
    for (guint i = 0; classes && i < classes->all->len; i++) {
        struct restriction_class *class = classes->all->pdata[i];
        if (class->state == CLASS_UNREAD)
            compile_class(class, &reader);
    }
}

void restriction_classes_free(struct restriction_classes *classes)
{
    if (!classes)
        return;
    for (guint i = 0; i < classes->all->len; i++) {
        struct restriction_class *class = classes->all->pdata[i];
        restriction_list_free(class->list);
    }
    g_hash_table_unref(classes->by_name);
    g_ptr_array_unref(classes->all);
    g_free(classes);
}

struct restriction_list *restriction_list_compile(const char *text, enum restriction_list_kind kind,
                                                  const struct site *site,
                                                  const struct restriction_classes *classes,
                                                  const struct table_context *context)
{
    const struct restriction_reader model = {.context = context, .site = site};
    return compile(text, kind, classes, &model);
}

struct restriction_list *restriction_list_compile_result(const char *text,
                                                         enum restriction_list_kind kind,
                                                         const struct restriction_classes *classes)
{
    return compile(text, kind, classes, &(struct restriction_reader){0});
}

void restriction_list_free(struct restriction_list *list)
{
    if (!list)
        return;
    g_array_unref(list->items);
    g_free(list);
}

const struct restriction_item *restriction_list_item(const struct restriction_list *list,
                                                     unsigned index)
{
    return index < list->items->len ? &g_array_index(list->items, struct restriction_item, index)
                                    : NULL;
}

bool restriction_list_has(const struct restriction_list *list, unsigned traits)
{
    for (unsigned i = 0; i < list->items->len; i++) {
        const struct restriction_item *item = restriction_list_item(list, i);
        unsigned own = item->row->traits;
        if (item->warn_if_reject)
            own &= ~(unsigned)(TRAIT_REFUSES | TRAIT_ENDS_RELAY | TRAIT_PROVES_SENDER |
                               TRAIT_PROVES_FROM);
        if (own & traits)
            return true;
    }
    return false;
}

static bool has_tables(const struct restriction_list *list)
{
    for (unsigned i = 0; i < list->items->len; i++)
        if (restriction_list_item(list, i)->argument.tables)
            return true;
    return false;
}

unsigned restriction_list_asks(const struct restriction_list *list, bool through_tables)
{
    unsigned asks = 0, reads = 0;
    if (through_tables && has_tables(list))
        restriction_of_results(&asks, &reads);
    for (unsigned i = 0; i < list->items->len; i++)
        asks |= restriction_list_item(list, i)->row->asks;
    return asks;
}

unsigned restriction_list_reads(const struct restriction_list *list)
{
    unsigned asks = 0, reads = 0;
    if (has_tables(list))
        restriction_of_results(&asks, &reads);
    for (unsigned i = 0; i < list->items->len; i++)
        reads |= restriction_reads(restriction_list_item(list, i)->row);
    return reads;
}
