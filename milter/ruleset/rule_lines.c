/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rule files as lines: comments, languages, conditions and includes are dealt with here, what is
 * left is a directive. Conditions belong to the file that they stand in.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/siphash.h"
#include "base/wholefile.h"
#include "ruleset_private.h"

#define INCLUDE_DEPTH_MAX 16

/* SpamAssassin's language when the environment names none. */
#define LANGUAGE "en_US"

/* One "if" that is open. */
struct block {
    const char *type;
    unsigned line;
    bool outer_skips; /* the lines around it are skipped */
};

struct line_reader {
    struct builder *builder;
    const char *file;
    unsigned number;
    GArray *blocks; /* struct block */
    bool skips;
    bool finished; /* the rest of the file does not count */
};

static void error(const struct line_reader *reader, const char *text)
{
    problems_error(reader->builder->problems, reader->file, reader->number, "%s", text);
}

/* Cuts the comment off and makes "\#" "#". */
static void strip_comment(char *line)
{
    char *to = line;
    for (const char *p = line; *p; p++) {
        if (p[0] == '\\' && p[1] == '#')
            p++;
        else if (*p == '#')
            break;
        *to++ = *p;
    }
    *to = '\0';
}

/* Whether a NUL stands in what counts of the line; one in its comment does not. */
static bool holds_nul(const char *line, size_t length)
{
    bool counts = memchr(line, '\0', length) != NULL;
    for (size_t i = 0; counts && line[i]; i++) {
        counts = line[i] != '#';
        i += line[i] == '\\' && line[i + 1] == '#';
    }
    return counts;
}

static void open_block(struct line_reader *reader, const char *type, bool value)
{
    struct block block = {type, reader->number, reader->skips};
    g_array_append_val(reader->blocks, block);
    if (!value)
        reader->skips = true;
}

static void apply_if(struct line_reader *reader, const struct line *line)
{
    char *why = NULL;
    bool value = false;
    if (!*line->value)
        error(reader, "\"if\" without a condition");
    else if (!condition_evaluate(reader->builder, line->value, &value, &why))
        problems_error(reader->builder->problems, line->file, line->number,
                       "the condition cannot be read: %s", why);
    g_free(why);
    open_block(reader, "if", value);
}

static void apply_ifplugin(struct line_reader *reader, const struct line *line)
{
    if (!*line->value)
        error(reader, "\"ifplugin\" without the name of a plug-in");
    open_block(reader, "ifplugin", condition_plugin(line->value));
}

static void apply_else(struct line_reader *reader, const struct line *line)
{
    if (*line->value)
        error(reader, "\"else\" stands alone on its line");
    if (reader->blocks->len == 0) {
        error(reader, "\"else\" without \"if\"");
        return;
    }
    const struct block *block =
        &g_array_index(reader->blocks, struct block, reader->blocks->len - 1);
    reader->skips = block->outer_skips || !reader->skips;
}

static void apply_endif(struct line_reader *reader, const struct line *line)
{
    if (*line->value)
        error(reader, "\"endif\" stands alone on its line");
    if (reader->blocks->len == 0) {
        error(reader, "\"endif\" without \"if\"");
        return;
    }
    guint last = reader->blocks->len - 1;
    reader->skips = g_array_index(reader->blocks, struct block, last).outer_skips;
    g_array_set_size(reader->blocks, last);
}

static void apply_include(struct line_reader *reader, const struct line *line)
{
    if (reader->skips)
        return;
    if (!*line->value) {
        error(reader, "\"include\" without a file");
        return;
    }
    if (reader->builder->include_depth >= INCLUDE_DEPTH_MAX) {
        error(reader, "too many files include one another");
        return;
    }
    if (reader->builder->no_includes) {
        error(reader, "other files cannot be included here");
        return;
    }
    g_autofree char *folder = g_path_get_dirname(reader->file);
    g_autofree char *path = g_path_is_absolute(line->value)
                                ? g_strdup(line->value)
                                : g_build_filename(folder, line->value, NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        problems_error(reader->builder->problems, line->file, line->number,
                       "the included file %s does not exist", path);
        return;
    }
    reader->builder->include_depth++;
    lines_read_path(reader->builder, path);
    reader->builder->include_depth--;
}

/* Files for other versions than 4.0 do not count, as in SpamAssassin. */
static void apply_require_version(struct line_reader *reader, const struct line *line)
{
    if (reader->skips || strcmp(line->value, "@@VERSION@@") == 0 ||
        g_str_has_prefix(line->value, "4.0000") || g_str_has_prefix(line->value, "4.0."))
        return;
    problems_warning(reader->builder->problems, line->file, line->number,
                     "the file is for version %s of SpamAssassin, not 4.0: it is not read",
                     line->value);
    reader->finished = true;
}

static const struct {
    const char *key;
    void (*apply)(struct line_reader *, const struct line *);
} controls[] = {
    {"if", apply_if},           {"ifplugin", apply_ifplugin},
    {"else", apply_else},       {"endif", apply_endif},
    {"include", apply_include}, {"require_version", apply_require_version},
};

static void apply_line(struct line_reader *reader, const struct line *line)
{
    for (size_t i = 0; i < G_N_ELEMENTS(controls); i++) {
        if (strcmp(line->key, controls[i].key) == 0) {
            controls[i].apply(reader, line);
            return;
        }
    }
    if (!reader->skips)
        directive_apply(reader->builder, line);
}

/* Splits off the first word; returns the rest. */
static char *cut_word(char *text)
{
    char *rest = text + strcspn(text, " \t\r\f\v");
    if (!*rest)
        return rest;
    *rest++ = '\0';
    return rest + strspn(rest, " \t\r\f\v");
}

/* Whether "lang LANGUAGE" is about another language than ours. */
static bool is_other_language(const char *language)
{
    return g_ascii_strncasecmp(LANGUAGE, language, strlen(language)) != 0;
}

static void read_line(struct line_reader *reader, char *text)
{
    strip_comment(text);
    g_strstrip(text);
    if (!*text)
        return;
    char *rest = cut_word(text);
    char *behind = strpbrk(rest, " \t\r\f\v");
    /* without a directive behind the language it is one itself, which nobody knows */
    if (g_ascii_strcasecmp(text, "lang") == 0 && behind) {
        char *language = rest;
        text = cut_word(language);
        if (is_other_language(language))
            return;
        rest = cut_word(text);
    }
    struct line line = {reader->file, reader->number, g_ascii_strdown(text, -1), rest};
    g_strdelimit(line.key, "-", '_');
    apply_line(reader, &line);
    g_free(line.key);
}

static void read_text(struct builder *builder, const char *file, char *text, gsize length)
{
    struct line_reader reader = {builder, file, 0, g_array_new(FALSE, FALSE, sizeof(struct block)),
                                 false,   false};
    char *end = text + length;
    if (g_str_has_prefix(text, "\xef\xbb\xbf"))
        text += 3;
    while (text < end && !reader.finished) {
        char *newline = memchr(text, '\n', (size_t)(end - text));
        char *stop = newline ? newline : end;
        *stop = '\0';
        reader.number++;
        if (holds_nul(text, (size_t)(stop - text)))
            error(&reader, "the line holds a NUL byte");
        read_line(&reader, text);
        text = stop + 1;
    }
    for (guint i = 0; i < reader.blocks->len && !reader.finished; i++) {
        const struct block *block = &g_array_index(reader.blocks, struct block, i);
        problems_error(builder->problems, file, block->line, "\"%s\" without \"endif\"",
                       block->type);
    }
    g_array_unref(reader.blocks);
}

struct rule_stamp lines_stamp(const char *path)
{
    enum { NSEC_PER_SEC = 1000000000 };
    struct stat st;
    struct rule_stamp stamp = {.exists = false};
    if (stat(path, &st) == 0)
        stamp = (struct rule_stamp){
            .exists = true,
            .device = st.st_dev,
            .inode = st.st_ino,
            .size = st.st_size,
            .modified = st.st_mtim.tv_sec * (int64_t)NSEC_PER_SEC + st.st_mtim.tv_nsec,
            .changed = st.st_ctim.tv_sec * (int64_t)NSEC_PER_SEC + st.st_ctim.tv_nsec,
        };
    return stamp;
}

/* Keeps the path; returns the copy, which lives as long as the ruleset. */
static const char *note_file(struct builder *builder, const char *path)
{
    const char *copy = g_string_chunk_insert_const(builder->ruleset->strings, path);
    GPtrArray *files = builder->ruleset->files;
    if (!g_ptr_array_find(files, copy, NULL)) {
        struct rule_stamp stamp = lines_stamp(path);
        g_ptr_array_add(files, (gpointer)copy);
        g_array_append_val(builder->ruleset->stamps, stamp);
    }
    g_array_set_size(builder->ruleset->digests, files->len);
    return copy;
}

static void note_text(struct builder *builder, const char *file, const struct whole_file *whole)
{
    guint index;
    if (g_ptr_array_find(builder->ruleset->files, file, &index))
        g_array_index(builder->ruleset->digests, uint64_t, index) =
            siphash_digest(whole->text, whole->length);
}

static void read_file(struct builder *builder, const char *path)
{
    struct whole_file whole;
    const char *file = note_file(builder, path);
    enum whole_file_result result = whole_file_read_settled(path, RULE_FILE_MAX, &whole);
    if (result == WHOLE_FILE_READ) {
        note_text(builder, file, &whole);
        read_text(builder, file, whole.text, whole.length);
    } else if (result == WHOLE_FILE_SPECIAL)
        problems_error(builder->problems, file, 0, "it is neither a file nor a folder");
    else
        problems_error(builder->problems, file, 0, "the file cannot be read: %s",
                       whole_file_why(result));
    g_free(whole.text);
}

void lines_read_text(struct builder *builder, const char *name, const char *text, size_t length)
{
    char *copy = g_malloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    builder->no_includes = true;
    read_text(builder, g_string_chunk_insert_const(builder->ruleset->strings, name), copy, length);
    g_free(copy);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *ruleset_folder_files(const char *folder, GError **why_r)
{
    GDir *dir = g_dir_open(folder, 0, why_r);
    if (!dir)
        return NULL;
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = g_dir_read_name(dir));)
        if (g_str_has_suffix(name, ".cf") && name[0] != '.')
            g_ptr_array_add(names, g_build_filename(folder, name, NULL));
    g_dir_close(dir);
    g_ptr_array_sort(names, compare_names);
    return names;
}

static void read_folder(struct builder *builder, const char *path)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GPtrArray) names = ruleset_folder_files(path, &why);
    if (!names)
        problems_error(builder->problems, path, 0, "%s", why->message);
    for (guint i = 0; names && i < names->len; i++)
        read_file(builder, names->pdata[i]);
}

void lines_read_path(struct builder *builder, const char *path)
{
    note_file(builder, path);
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        read_folder(builder, path);
    else if (g_file_test(path, G_FILE_TEST_EXISTS))
        read_file(builder, path);
    else if (!builder->ruleset->options.missing_is_empty)
        problems_error(builder->problems, path, 0, "there is no such file or folder");
}
