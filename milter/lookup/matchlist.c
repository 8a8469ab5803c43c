/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Match lists: patterns in order, some of them in files that are watched.
 */
#include "lookup/matchlist.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "lookup/tablestatus.h"
#include "mail/address.h"
#include "mail/hostname.h"
#include "netindex.h"
#include "network.h"
#include "tableset.h"
#include "watchedfile.h"

/* UNREADABLE stands for what nobody understands and may keep somebody out: it cannot tell. */
enum what { A_NETWORK, A_NAME, NAMES_BELOW, A_LITERAL, A_TABLE, A_FILE, UNREADABLE };

/* Files of patterns that name files; one that leads back to itself ends here. */
enum { FILE_DEPTH_MAX = 10 };

struct pattern {
    enum what what;
    bool negated;
    bool excludes;               /* keeps out: a "!" stands before it, or before its file */
    unsigned line;               /* where it stands in its file */
    struct ipnet net;            /* A_NETWORK; A_LITERAL: its address */
    char *name;                  /* A_NAME, NAMES_BELOW (without its dot): folded */
    struct table *table;         /* A_TABLE; NULL: it could not be opened, and cannot tell */
    struct pattern_file *source; /* A_FILE */
};

/* The patterns of a /path. Lists that read it alike share it, those of earlier settings too. */
struct pattern_file {
    gatomicrefcount references;
    char *reading; /* how it is read: path, folder, and the next three */
    enum match_kind kind;
    bool excludes;  /* its patterns keep out: a "!" stands before the path, or before the file's */
    unsigned depth; /* 1: the setting names it */
    char *base_dir;
    GMutex refresh_lock; /* guards WATCHED, and who writes PATTERNS; the outer file's goes before */
    struct watched_file watched;
    GMutex lock; /* guards PATTERNS, for as long as it takes to count a reference */
    struct patterns *patterns;
};

/* Lists of no more are searched one by one: that is faster than any index. */
enum { SEARCHED_ONE_BY_ONE = 8 };

/* Patterns in their order, immutable, counted. Networks and names of a long list are found by
 * index, the first of them that matches; the others are asked one by one, up to that. */
struct patterns {
    gatomicrefcount references;
    GArray *array;
    GArray *others; /* of unsigned: places in ARRAY */
    struct netindex *networks;
    GHashTable *names,
        *below; /* folded name, borrowed -> place + 1: itself, and what is below it */
};

struct match_list {
    int references;        /* atomic */
    bool refreshes_tables; /* those of its value; those of its files it refreshes always */
    GMutex refresh_lock;
    struct patterns *patterns;
};

/* Where patterns are read from and to. */
struct parser {
    enum match_kind kind;
    const struct table_context *context; /* in a file: its file and line, no set */
    const struct table_context *sharing; /* where the files of others are found; NULL: nowhere */
    const struct pattern_file *file;     /* NULL: in a setting */
    bool skips; /* what is bad is left out: it could have kept out nobody */
    GArray *patterns;
};

/* What is looked for. */
struct subject {
    const struct ipaddr *address; /* NULL: none */
    const char *name;             /* folded; NULL: none */
    enum match_kind kind;
    GString *entry; /* takes the pattern that matches; NULL: nobody wants to know */
};

enum verdict { UNDECIDED, YES, NO, CANNOT_TELL };

static void patterns_unref(struct patterns *patterns)
{
    if (!patterns || !g_atomic_ref_count_dec(&patterns->references))
        return;
    if (patterns->names) {
        netindex_free(patterns->networks);
        g_hash_table_unref(patterns->names);
        g_hash_table_unref(patterns->below);
    }
    g_array_unref(patterns->others);
    g_array_unref(patterns->array);
    g_free(patterns);
}

static void file_unref(struct pattern_file *file)
{
    if (!file || !g_atomic_ref_count_dec(&file->references))
        return;
    watched_file_clear(&file->watched);
    g_mutex_clear(&file->refresh_lock);
    g_mutex_clear(&file->lock);
    patterns_unref(file->patterns);
    g_free(file->reading);
    g_free(file->base_dir);
    g_free(file);
}

static void pattern_clear(void *data)
{
    struct pattern *pattern = data;
    g_free(pattern->name);
    table_unref(pattern->table);
    file_unref(pattern->source);
}

static GArray *new_patterns(void)
{
    GArray *patterns = g_array_new(FALSE, TRUE, sizeof(struct pattern));
    g_array_set_clear_func(patterns, pattern_clear);
    return patterns;
}

/* The first place that has a name counts. */
static void add_name(GHashTable *names, const char *name, unsigned place)
{
    if (!g_hash_table_contains(names, name))
        g_hash_table_insert(names, (gpointer)(uintptr_t)name, GUINT_TO_POINTER(place + 1));
}

/* Makes what is asked of ARRAY, which it takes over. */
static struct patterns *patterns_of(GArray *array, enum match_kind kind)
{
    struct patterns *patterns = g_new0(struct patterns, 1);
    g_atomic_ref_count_init(&patterns->references);
    patterns->array = array;
    patterns->others = g_array_new(FALSE, FALSE, sizeof(unsigned));
    bool indexed = array->len > SEARCHED_ONE_BY_ONE;
    if (indexed) {
        patterns->networks = netindex_new();
        patterns->names = g_hash_table_new(g_str_hash, g_str_equal);
        patterns->below = g_hash_table_new(g_str_hash, g_str_equal);
    }
    for (unsigned i = 0; i < array->len; i++) {
        const struct pattern *pattern = &g_array_index(array, struct pattern, i);
        if (indexed && pattern->what == A_NETWORK) {
            netindex_add(patterns->networks, &pattern->net, i);
        } else if (indexed && (pattern->what == A_NAME || pattern->what == NAMES_BELOW)) {
            if (pattern->what == A_NAME)
                add_name(patterns->names, pattern->name, i);
            /* Postfix lists mynetworks in parent_domain_matches_subdomains by default. */
            if (pattern->what == NAMES_BELOW || kind == MATCH_NETWORKS)
                add_name(patterns->below, pattern->name, i);
        } else {
            g_array_append_val(patterns->others, i);
        }
    }
    return patterns;
}

static bool complain(const struct parser *parser, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Says what is wrong, as an error in a setting, as a warning in a file; returns false. */
static bool complain(const struct parser *parser, const char *format, ...)
{
    const struct table_context *context = parser->context;
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (parser->file)
        problems_warning(context->problems, context->file, context->line, "%s%s", text,
                         parser->skips ? "; skipped" : "");
    else
        problems_error(context->problems, context->file, context->line, "%s", text);
    return false;
}

/* Whether something stands in NAME that no domain has, as quotes, "*" or "@" do. */
static bool has_foreign_sign(const char *name)
{
    for (; *name; name++)
        if (g_ascii_isprint(*name) && !g_ascii_isalnum(*name) && !strchr("-_.", *name))
            return true;
    return false;
}

static bool parse_name(const struct parser *parser, const char *word, struct pattern *pattern)
{
    pattern->what = *word == '.' ? NAMES_BELOW : A_NAME;
    pattern->name = mail_domain_fold(*word == '.' ? word + 1 : word);
    if (*pattern->name == '\0' || *pattern->name == '.' || has_foreign_sign(pattern->name))
        return complain(parser,
                        "\"%s\" is no name; expected example.com, or .example.com for the "
                        "names below it",
                        word);
    return true;
}

static bool parse_network_word(const struct parser *parser, const char *word,
                               struct pattern *pattern)
{
    /* No name is of numbers alone, or ends in one: "192.0.2.1-9" was meant for addresses. */
    bool is_name = word[strspn(word, "0123456789.-")] != '\0' && !hostname_ends_in_number(word);
    if (*word != '[' && !strchr(word, '/') && is_name)
        return parse_name(parser, word, pattern);
    pattern->what = A_NETWORK;
    g_autofree char *why = network_parse(word, &pattern->net);
    return why ? complain(parser, "%s", why) : true;
}

static bool parse_domain_word(const struct parser *parser, const char *word,
                              struct pattern *pattern)
{
    if (*word != '[')
        return parse_name(parser, word, pattern);
    pattern->what = A_LITERAL;
    if (hostname_address_literal(word, &pattern->net.address))
        return true;
    return complain(parser,
                    "\"%s\" is no address literal; expected [192.0.2.1] or "
                    "[IPv6:2001:db8::1]",
                    word);
}

/* As in Postfix, an IPv6 address without brackets would be a table of type "2001". */
static bool bare_ipv6(const struct parser *parser, const char *word)
{
    struct ipnet net;
    if (!ipnet_parse(word, &net, NULL))
        return false;
    const char *slash = strchr(word, '/');
    size_t length = slash ? (size_t)(slash - word) : strlen(word);
    complain(parser, "\"%s\": an IPv6 address must stand in brackets here: [%.*s]%s", word,
             (int)length, word, slash ? slash : "");
    return true;
}

/* In a file, a table that cannot be opened makes the pattern one that cannot tell: were it left
 * out, "!table" would exclude nobody. */
static struct table *open_table_in_file(const struct parser *parser, const char *word)
{
    struct problems *errors = problems_new();
    struct table_context context = *parser->context;
    context.problems = errors;
    struct table *table = table_open(word, false, &context);
    const struct problem *problem;
    for (unsigned i = 0; (problem = problems_get(errors, i)); i++)
        problems_warning(parser->context->problems, problem->file, problem->line, "%s",
                         problem->text);
    problems_free(errors);
    return table;
}

static bool parse_table(const struct parser *parser, const char *word, struct pattern *pattern)
{
    if (bare_ipv6(parser, word))
        return false;
    pattern->what = A_TABLE;
    pattern->table =
        parser->file ? open_table_in_file(parser, word) : table_open(word, false, parser->context);
    if (pattern->excludes && pattern->table && table_has_gaps(pattern->table))
        problems_warning(parser->context->problems, parser->context->file, parser->context->line,
                         "%s: not all of its lines can be read; until that is mended, nobody can "
                         "tell whom it keeps out: who is not in it is answered 451",
                         word);
    return pattern->table || parser->file;
}

static bool open_file(const struct parser *parser, const char *path, struct pattern *pattern);

static bool parse_pattern(const struct parser *parser, const char *word, struct pattern *pattern)
{
    if (*word == '\0')
        return complain(parser, "there is no pattern after \"!\"");
    if (*word == '/')
        return open_file(parser, word, pattern);
    if (*word != '[' && strchr(word, ':'))
        return parse_table(parser, word, pattern);
    return parser->kind == MATCH_NETWORKS ? parse_network_word(parser, word, pattern)
                                          : parse_domain_word(parser, word, pattern);
}

static void add_unreadable(const struct parser *parser)
{
    struct pattern pattern = {.what = UNREADABLE, .line = parser->context->line};
    problems_warning(parser->context->problems, parser->context->file, parser->context->line,
                     "until that is mended, nobody can tell whom it keeps out: who is not "
                     "decided before is answered 451");
    g_array_append_val(parser->patterns, pattern);
}

/* Adds the pattern WORD. A bad one in a file is skipped, as long as it could have kept out nobody:
 * one that does stays, and cannot tell. */
static bool parse_word(const struct parser *parser, const char *word)
{
    struct pattern pattern = {.line = parser->context->line};
    struct parser inner = *parser;
    pattern.negated = strspn(word, "!") % 2;
    pattern.excludes = pattern.negated != (parser->file && parser->file->excludes);
    inner.skips = parser->file && !pattern.excludes;
    if (parse_pattern(&inner, word + strspn(word, "!"), &pattern)) {
        g_array_append_val(parser->patterns, pattern);
        return true;
    }
    pattern_clear(&pattern);
    if (parser->file && !inner.skips)
        add_unreadable(parser);
    return false;
}

/* Reads the patterns in TEXT; false if one of them is bad. */
static bool parse_words(const struct parser *parser, const char *text)
{
    const char *why = NULL;
    bool sound = true;
    g_autoptr(GPtrArray) words = text_split_list(text, &why);
    bool fits = words && parser->patterns->len + words->len <= MATCH_LIST_MAX;
    if (fits) {
        for (unsigned i = 0; i < words->len; i++)
            sound = parse_word(parser, words->pdata[i]) && sound;
        return sound;
    }
    struct parser inner = *parser;
    bool may_exclude = words || (parser->file && parser->file->excludes) || strchr(text, '!');
    inner.skips = parser->file && !may_exclude;
    if (words)
        complain(&inner, "more than %u patterns", MATCH_LIST_MAX);
    else
        complain(&inner, "%s", why);
    if (parser->file && may_exclude)
        add_unreadable(parser);
    return false;
}

/* How many braces are open, less those closed, from the file's beginning on: before a line of it;
 * where what began before the line ends in it, if no more were open there; and the least that this
 * is for the line or any below it. */
struct brace_line {
    int open, ends, ends_below;
};

/* The braces of each line of TEXT, in one pass: to look to the end of the file for the partner of
 * each would take time by the square of their number. */
static GArray *read_braces(const char *text)
{
    GArray *braces = g_array_new(FALSE, FALSE, sizeof(struct brace_line));
    int open = 0;
    for (const char *p = text; p;) {
        size_t shown = strcspn(p, "#\n"), length = shown + strcspn(p + shown, "\n");
        struct brace_line line = {.open = open};
        int least = open;
        for (size_t i = 0; i < shown; i++) {
            open += p[i] == '{' ? 1 : p[i] == '}' ? -1 : 0;
            least = MIN(least, open);
        }
        line.ends = line.ends_below = MIN(open, least + 1); /* one too many closed ends it, too */
        g_array_append_val(braces, line);
        p = p[length] ? p + length + 1 : NULL;
    }
    struct brace_line *line = (void *)braces->data;
    for (guint i = braces->len - 1; i > 0; i--)
        line[i - 1].ends_below = MIN(line[i - 1].ends_below, line[i].ends_below);
    return braces;
}

/* Takes the next line off *REST, its comment cut; BRACES are those of it and of what follows.
 * *LINES_R: how many lines that were, since braces may stretch over several, unless they do not end
 * in this file. */
static char *take_line(char **rest, const struct brace_line *braces, unsigned *lines_r)
{
    GString *line = g_string_new(NULL);
    bool ends = braces->ends_below <= braces->open;
    for (unsigned lines = 0;; lines++) {
        char *p = *rest;
        size_t shown = strcspn(p, "#\n"), length = shown + strcspn(p + shown, "\n");
        g_string_append_len(line, p, (gssize)shown);
        *rest = p[length] ? p + length + 1 : NULL;
        if (!ends || braces[lines].ends <= braces->open) {
            *lines_r = lines + 1;
            return g_string_free(line, FALSE);
        }
        g_string_append_c(line, '\n');
    }
}

/* Cuts up TEXT, the content of FILE. */
static struct patterns *read_file(struct pattern_file *file, char *text, size_t length,
                                  struct problems *problems, const struct table_context *sharing)
{
    const char *path = file->watched.path;
    unsigned before = problems_warnings(problems);
    /* A null byte would hide the rest of the file; so it hides the rest of its line, as "#" does.
     */
    char *null = memchr(text, '\0', length);
    if (null)
        problems_warning(problems, path, 0,
                         "the file holds null bytes; what follows one in its line is ignored");
    for (; null; null = memchr(null, '\0', length - (size_t)(null - text)))
        *null = '#';
    struct table_context context = {
        .base_dir = file->base_dir, .problems = problems, .file = path, .line = 1};
    struct parser parser = {.kind = file->kind,
                            .context = &context,
                            .sharing = sharing,
                            .file = file,
                            .patterns = new_patterns()};
    g_autoptr(GArray) braces = read_braces(text);
    unsigned lines;
    for (char *rest = text; rest; context.line += lines) {
        const struct brace_line *here = &g_array_index(braces, struct brace_line, context.line - 1);
        g_autofree char *line = take_line(&rest, here, &lines);
        if (parser.patterns->len < MATCH_LIST_MAX)
            parse_words(&parser, line);
    }
    file->watched.warnings = problems_warnings(problems) - before;
    return patterns_of(parser.patterns, file->kind);
}

/* Whether to read the file again, and those that it names, would certainly tell nothing new, nor
 * complain of anything. */
static bool file_is_current(struct pattern_file *file)
{
    g_mutex_lock(&file->refresh_lock);
    bool same = file->watched.warnings == 0 && watched_file_is_same(&file->watched);
    for (unsigned i = 0; same && i < file->patterns->others->len; i++) {
        unsigned place = g_array_index(file->patterns->others, unsigned, i);
        const struct pattern *pattern =
            &g_array_index(file->patterns->array, struct pattern, place);
        if (pattern->what == A_FILE)
            same = file_is_current(pattern->source);
        else if (pattern->what == A_TABLE)
            same = pattern->table && table_is_current(pattern->table);
    }
    g_mutex_unlock(&file->refresh_lock);
    return same;
}

/* What is in force of a file; the caller gives the reference back. */
static struct patterns *file_patterns(struct pattern_file *file)
{
    g_mutex_lock(&file->lock);
    struct patterns *patterns = file->patterns;
    g_atomic_ref_count_inc(&patterns->references);
    g_mutex_unlock(&file->lock);
    return patterns;
}

static const struct table_set_class file_class;

/* Keeps FILE, and those that it names, in SET. */
static void adopt_file(struct table_set *set, struct pattern_file *file)
{
    struct patterns *patterns = file_patterns(file);
    for (unsigned i = 0; i < patterns->others->len; i++) {
        unsigned place = g_array_index(patterns->others, unsigned, i);
        const struct pattern *pattern = &g_array_index(patterns->array, struct pattern, place);
        if (pattern->what == A_FILE)
            adopt_file(set, pattern->source);
    }
    patterns_unref(patterns);
    table_set_add(set, &file_class, file);
}

/* The file as another list has it, or the list that was in force; NULL: none that can be shared. */
static struct pattern_file *find_file(const struct table_context *sharing, const char *reading)
{
    struct pattern_file *file = table_set_lookup(sharing->set, &file_class, reading);
    if (file && file_is_current(file))
        return file;
    file_unref(file);
    file = table_set_lookup(sharing->older, &file_class, reading);
    if (file && file_is_current(file)) {
        adopt_file(sharing->set, file);
        return file;
    }
    file_unref(file);
    return NULL;
}

static struct pattern_file *new_file(const struct parser *parser, const char *path, bool excludes)
{
    struct pattern_file *file = g_new0(struct pattern_file, 1);
    g_atomic_ref_count_init(&file->references);
    file->kind = parser->kind;
    file->excludes = excludes;
    file->depth = parser->file ? parser->file->depth + 1 : 1;
    file->base_dir = g_strdup(parser->context->base_dir);
    file->reading = g_strdup_printf("%d %d %u %s\n%s", file->kind, file->excludes, file->depth,
                                    file->base_dir ? file->base_dir : "", path);
    g_mutex_init(&file->refresh_lock);
    g_mutex_init(&file->lock);
    watched_file_init(&file->watched, path);
    return file;
}

/* A file that a file names and that is not there may come yet; until then nobody can tell. */
static bool open_file(const struct parser *parser, const char *path, struct pattern *pattern)
{
    size_t length;
    g_autofree char *why = NULL, *text = NULL;
    const struct table_context *sharing = parser->sharing;
    struct pattern_file *file = new_file(parser, path, pattern->excludes);
    pattern->what = A_FILE;
    pattern->source = sharing ? find_file(sharing, file->reading) : NULL;
    if (pattern->source) {
        file_unref(file);
        return true;
    }
    pattern->source = file;
    if (file->depth > FILE_DEPTH_MAX)
        why = g_strdup("too many files of patterns name each other");
    else
        text = watched_file_read(&file->watched, &length, &why);
    if (text) {
        file->patterns = read_file(file, text, length, parser->context->problems, sharing);
        if (sharing)
            table_set_add(sharing->set, &file_class, file);
        return true;
    }
    struct parser inside = *parser;
    inside.skips = false;
    complain(&inside, "cannot read %s: %s", path, why);
    if (!parser->file)
        return false;
    inside.patterns = new_patterns();
    add_unreadable(&inside);
    file->patterns = patterns_of(inside.patterns, parser->kind);
    return true;
}

static const struct table_set_class set_class;

struct match_list *match_list_open(const char *value, enum match_kind kind,
                                   const struct table_context *context)
{
    struct match_list *list = g_new0(struct match_list, 1);
    list->references = 1;
    list->refreshes_tables = !context->set;
    g_mutex_init(&list->refresh_lock);
    struct parser parser = {.kind = kind,
                            .context = context,
                            .sharing = context->set ? context : NULL,
                            .patterns = new_patterns()};
    bool sound = parse_words(&parser, value);
    list->patterns = patterns_of(parser.patterns, kind);
    if (!sound) {
        match_list_unref(list);
        return NULL;
    }
    if (context->set)
        table_set_add(context->set, &set_class, list);
    return list;
}

struct match_list *match_list_ref(struct match_list *list)
{
    g_atomic_int_inc(&list->references);
    return list;
}

void match_list_unref(struct match_list *list)
{
    if (!list || !g_atomic_int_dec_and_test(&list->references))
        return;
    patterns_unref(list->patterns);
    g_mutex_clear(&list->refresh_lock);
    g_free(list);
}

static bool is_below(const char *name, const char *parent)
{
    size_t length = strlen(name), tail = strlen(parent);
    return length > tail + 1 && name[length - tail - 1] == '.' &&
           strcmp(name + length - tail, parent) == 0;
}

static bool match_name(const struct pattern *pattern, const struct subject *subject)
{
    if (!subject->name)
        return false;
    if (strcmp(subject->name, pattern->name) == 0)
        return true;
    /* Postfix lists mynetworks in parent_domain_matches_subdomains by default. */
    return subject->kind == MATCH_NETWORKS && is_below(subject->name, pattern->name);
}

/* The name, then its parents: with their dot where a pattern for them would have it. */
static enum lookup_status ask_names(struct table *table, const struct subject *subject)
{
    const char *name = subject->name;
    enum lookup_status status = table_find_entry(table, name, NULL, subject->entry);
    if (table_is_pattern(table) || *name == '[')
        return status;
    while (status == LOOKUP_MISS && *name && (name = strchr(name + 1, '.'))) {
        name += subject->kind == MATCH_NETWORKS ? 1 : 0;
        if (*name)
            status = table_find_entry(table, name, NULL, subject->entry);
    }
    return status;
}

/* A table that keeps out must be read wholly: who is not in it may stand in a line left out. */
static enum lookup_status ask_table(const struct pattern *pattern, const struct subject *subject)
{
    char text[IPADDR_TEXT_MAX];
    struct table *table = pattern->table;
    enum lookup_status status = LOOKUP_MISS;
    if (!table)
        return LOOKUP_ERROR;
    if (subject->name)
        status = ask_names(table, subject);
    if (status == LOOKUP_MISS && subject->kind == MATCH_NETWORKS && subject->address)
        status =
            table_find_entry(table, ipaddr_format(subject->address, text), NULL, subject->entry);
    if (status == LOOKUP_MISS && pattern->excludes && table_has_gaps(table))
        status = LOOKUP_ERROR;
    return status;
}

static enum lookup_status match_one(const struct pattern *pattern, const struct subject *subject)
{
    bool matches = false;
    switch (pattern->what) {
    case A_NETWORK:
        matches = subject->address && ipnet_contains(&pattern->net, subject->address);
        break;
    case A_LITERAL:
        matches = subject->address && ipaddr_equal(&pattern->net.address, subject->address);
        break;
    case A_NAME:
        matches = match_name(pattern, subject);
        break;
    case NAMES_BELOW:
        matches = subject->name && is_below(subject->name, pattern->name);
        break;
    case A_TABLE:
        return ask_table(pattern, subject);
    case UNREADABLE:
        return LOOKUP_ERROR;
    case A_FILE:
        g_assert_not_reached();
    }
    return matches ? LOOKUP_HIT : LOOKUP_MISS;
}

/* FILE: the pattern's; NULL: it stands in a setting. */
static enum verdict judge_one(const struct pattern *pattern, const struct subject *subject,
                              const char *file)
{
    enum lookup_status status = match_one(pattern, subject);
    if (status == LOOKUP_MISS)
        return UNDECIDED;
    if (status == LOOKUP_ERROR)
        return CANNOT_TELL;
    if (subject->entry && pattern->what != A_TABLE && file)
        g_string_printf(subject->entry, "%s:%u", file, pattern->line);
    return pattern->negated ? NO : YES;
}

static enum verdict judge_all(const struct patterns *patterns, const struct subject *subject,
                              const char *file);

/* "!/path" turns each of the file's patterns round, as Postfix does. */
static enum verdict judge_file(const struct pattern *pattern, const struct subject *subject)
{
    struct patterns *patterns = file_patterns(pattern->source);
    enum verdict verdict = judge_all(patterns, subject, pattern->source->watched.path);
    patterns_unref(patterns);
    if (!pattern->negated || verdict == UNDECIDED || verdict == CANNOT_TELL)
        return verdict;
    return verdict == YES ? NO : YES;
}

static unsigned place_of(GHashTable *names, const char *name)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(names, name)) - 1; /* none: the largest */
}

/* The place of the first pattern that is found by index; what is found by none: past the end. */
static unsigned first_indexed(const struct patterns *patterns, const struct subject *subject)
{
    unsigned first = G_MAXUINT;
    if (!patterns->names)
        return first;
    if (subject->address)
        first = netindex_first(patterns->networks, subject->address);
    if (!subject->name)
        return first;
    unsigned place = place_of(patterns->names, subject->name);
    first = MIN(first, place);
    for (const char *dot = strchr(subject->name, '.'); dot; dot = strchr(dot + 1, '.')) {
        place = dot > subject->name ? place_of(patterns->below, dot + 1) : G_MAXUINT;
        first = MIN(first, place);
    }
    return first;
}

static enum verdict judge_all(const struct patterns *patterns, const struct subject *subject,
                              const char *file)
{
    unsigned indexed = first_indexed(patterns, subject);
    enum verdict verdict = UNDECIDED;
    for (unsigned i = 0; verdict == UNDECIDED && i < patterns->others->len; i++) {
        unsigned place = g_array_index(patterns->others, unsigned, i);
        if (place > indexed)
            break;
        const struct pattern *pattern = &g_array_index(patterns->array, struct pattern, place);
        verdict = pattern->what == A_FILE ? judge_file(pattern, subject)
                                          : judge_one(pattern, subject, file);
    }
    if (verdict == UNDECIDED && indexed < patterns->array->len)
        verdict =
            judge_one(&g_array_index(patterns->array, struct pattern, indexed), subject, file);
    return verdict;
}

static enum lookup_status judge(const struct match_list *list, const struct subject *subject)
{
    enum verdict verdict = judge_all(list->patterns, subject, NULL);
    if (subject->entry && verdict != YES)
        g_string_truncate(subject->entry, 0);
    if (verdict == CANNOT_TELL)
        return LOOKUP_ERROR;
    return verdict == YES ? LOOKUP_HIT : LOOKUP_MISS;
}

enum lookup_status match_list_find_address(struct match_list *list, const struct ipaddr *address)
{
    return match_list_find_client(list, address, NULL, NULL);
}

/* NAME as the list has names; what is not so already is *OWN_R's. */
static const char *fold(const char *name, char **own_r)
{
    return mail_domain_is_folded(name) ? name : (*own_r = mail_domain_fold(name));
}

enum lookup_status match_list_find_client(struct match_list *list, const struct ipaddr *address,
                                          const char *name, GString *entry_r)
{
    if (entry_r)
        g_string_truncate(entry_r, 0);
    bool named = name && *name && g_ascii_strcasecmp(name, "unknown") != 0;
    g_autofree char *own = NULL;
    const char *folded = named ? fold(name, &own) : "";
    struct subject subject = {
        .address = address && address->family != IP_NONE ? address : NULL,
        .name = *folded ? folded : NULL,
        .kind = MATCH_NETWORKS,
        .entry = entry_r,
    };
    return judge(list, &subject);
}

enum lookup_status match_list_find_domain(struct match_list *list, const char *domain)
{
    struct ipaddr literal;
    g_autofree char *own = NULL;
    const char *folded = fold(domain, &own);
    struct subject subject = {
        .address = hostname_address_literal(folded, &literal) ? &literal : NULL,
        .name = *folded ? folded : NULL,
        .kind = MATCH_DOMAINS,
    };
    return judge(list, &subject);
}

/* Whether the names of PATTERNS are all that they can match, and no more than *LEFT. */
static bool each_name(const struct patterns *patterns, unsigned *left,
                      bool (*visit)(void *data, const char *name), void *data)
{
    bool all = true;
    for (unsigned i = 0; i < patterns->array->len; i++) {
        const struct pattern *pattern = &g_array_index(patterns->array, struct pattern, i);
        if (pattern->what == A_FILE && !pattern->source->excludes) {
            struct patterns *inner = file_patterns(pattern->source);
            all = each_name(inner, left, visit, data) && all;
            patterns_unref(inner);
        } else if (pattern->what == A_NAME && !pattern->negated) {
            if (*left == 0 || !visit(data, pattern->name))
                return false;
            (*left)--;
        } else if (pattern->what != A_LITERAL && pattern->what != A_FILE && !pattern->negated) {
            all = false;
        }
    }
    return all;
}

bool match_list_each_name(struct match_list *list, unsigned limit,
                          bool (*visit)(void *data, const char *name), void *data)
{
    return each_name(list->patterns, &limit, visit, data);
}

/* Who is told of the networks of a list. */
struct network_visit {
    void (*visit)(void *data, const char *file, unsigned line, const struct ipnet *net);
    void *data;
};

static bool visit_row(void *data, const char *file, unsigned line, const char *key,
                      const char *value)
{
    const struct network_visit *visit = data;
    struct ipnet net;
    (void)value;
    if (key && ipnet_parse(key, &net, NULL))
        visit->visit(visit->data, file, line, &net);
    return true;
}

static void each_network(const struct patterns *patterns, const char *file,
                         struct network_visit *visit)
{
    for (unsigned i = 0; i < patterns->array->len; i++) {
        const struct pattern *pattern = &g_array_index(patterns->array, struct pattern, i);
        if (pattern->what == A_FILE && !pattern->source->excludes) {
            struct patterns *inner = file_patterns(pattern->source);
            each_network(inner, pattern->source->watched.path, visit);
            patterns_unref(inner);
        }
        if (pattern->negated)
            continue;
        if (pattern->what == A_NETWORK)
            visit->visit(visit->data, file, file ? pattern->line : 0, &pattern->net);
        if (pattern->what == A_TABLE && pattern->table &&
            g_str_has_prefix(table_name(pattern->table), "cidr:"))
            table_foreach(pattern->table, visit_row, visit);
    }
}

void match_list_each_network(struct match_list *list,
                             void (*visit)(void *data, const char *file, unsigned line,
                                           const struct ipnet *net),
                             void *data)
{
    struct network_visit one = {visit, data};
    each_network(list->patterns, NULL, &one);
}

static void each_table(const struct patterns *patterns,
                       void (*visit)(void *data, struct table *table), void *data)
{
    for (unsigned i = 0; i < patterns->array->len; i++) {
        const struct pattern *pattern = &g_array_index(patterns->array, struct pattern, i);
        if (pattern->what == A_FILE && !pattern->source->excludes) {
            struct patterns *inner = file_patterns(pattern->source);
            each_table(inner, visit, data);
            patterns_unref(inner);
        }
        if (pattern->what == A_TABLE && pattern->table && !pattern->negated)
            visit(data, pattern->table);
    }
}

void match_list_each_table(struct match_list *list, void (*visit)(void *data, struct table *table),
                           void *data)
{
    each_table(list->patterns, visit, data);
}

/* Reading again */

static bool refresh_patterns(const struct patterns *patterns, bool tables,
                             struct problems *problems);

static bool refresh_file(struct pattern_file *file, struct problems *problems)
{
    size_t length;
    if (file->depth > FILE_DEPTH_MAX)
        return false;
    g_mutex_lock(&file->refresh_lock);
    g_autofree char *text = watched_file_poll(&file->watched, &length, problems);
    bool swapped = text || refresh_patterns(file->patterns, true, problems);
    if (text) {
        struct patterns *fresh = read_file(file, text, length, problems, NULL);
        g_mutex_lock(&file->lock);
        struct patterns *old = file->patterns;
        file->patterns = fresh;
        g_mutex_unlock(&file->lock);
        patterns_unref(old);
    }
    g_mutex_unlock(&file->refresh_lock);
    return swapped;
}

static bool refresh_patterns(const struct patterns *patterns, bool tables,
                             struct problems *problems)
{
    bool swapped = false;
    for (unsigned i = 0; i < patterns->array->len; i++) {
        const struct pattern *pattern = &g_array_index(patterns->array, struct pattern, i);
        if (pattern->what == A_FILE && refresh_file(pattern->source, problems))
            swapped = true;
        if (tables && pattern->table && table_refresh(pattern->table, problems))
            swapped = true;
    }
    return swapped;
}

bool match_list_refresh(struct match_list *list, struct problems *problems)
{
    g_mutex_lock(&list->refresh_lock);
    bool swapped = refresh_patterns(list->patterns, list->refreshes_tables, problems);
    g_mutex_unlock(&list->refresh_lock);
    return swapped;
}

static void add_file_status(const struct patterns *patterns, GPtrArray *statuses)
{
    for (unsigned i = 0; i < patterns->array->len; i++) {
        const struct pattern *pattern = &g_array_index(patterns->array, struct pattern, i);
        if (pattern->what != A_FILE)
            continue;
        struct pattern_file *file = pattern->source;
        struct table_status *status = g_new0(struct table_status, 1);
        g_mutex_lock(&file->refresh_lock);
        status->name = g_strdup(file->watched.path);
        status->entries = file->patterns->array->len;
        watched_file_status(&file->watched, status);
        g_ptr_array_add(statuses, status);
        add_file_status(file->patterns, statuses);
        g_mutex_unlock(&file->refresh_lock);
    }
}

static void add_status(void *data, GPtrArray *statuses)
{
    struct match_list *list = data;
    g_mutex_lock(&list->refresh_lock);
    add_file_status(list->patterns, statuses);
    g_mutex_unlock(&list->refresh_lock);
}

/* As a member of a set */

static void *member_ref(void *list)
{
    return match_list_ref(list);
}

static void member_unref(void *list)
{
    match_list_unref(list);
}

static bool member_refresh(void *list, struct problems *problems)
{
    return match_list_refresh(list, problems);
}

static const struct table_set_class set_class = {
    .kind = TABLE_SET_LISTS,
    .ref = member_ref,
    .unref = member_unref,
    .refresh = member_refresh,
    .add_status = add_status,
};

/* A file as a member: the lists that hold it refresh it and tell of it. */

static const char *file_reading(const void *file)
{
    return ((const struct pattern_file *)file)->reading;
}

static void *file_ref(void *data)
{
    struct pattern_file *file = data;
    g_atomic_ref_count_inc(&file->references);
    return file;
}

static void member_file_unref(void *file)
{
    file_unref(file);
}

static const struct table_set_class file_class = {
    .kind = TABLE_SET_LIST_FILES,
    .name = file_reading,
    .ref = file_ref,
    .unref = member_file_unref,
};
