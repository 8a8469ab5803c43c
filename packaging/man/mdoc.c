/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A build tool, not part of gatepost: copies the template of gatepost.conf(5) to standard output
 * and puts the table of parameters where a line says @PARAMETERS@, and their names where one says
 * @INDEX@, in mdoc(7). Their examples are lines of the file "parameters". It uses the C library
 * alone, because it is built for the machine that builds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings/settings_table.h"

#define LINE_MAX_BYTES 76 /* mandoc -Tlint asks for lines below 80 */

static char word[512]; /* the word being written, escaped for roff */
static size_t word_length;
static size_t column;
static bool is_bold;
static FILE *examples;

static void add(const char *text)
{
    size_t length = strlen(text);
    if (word_length + length >= sizeof word) {
        fprintf(stderr, "mdoc: a word is longer than %zu bytes\n", sizeof word);
        exit(1);
    }
    memcpy(word + word_length, text, length);
    word_length += length;
}

static void end_line(void)
{
    if (column > 0)
        putchar('\n');
    column = 0;
}

static void end_word(void)
{
    if (word_length == 0)
        return;
    if (column > 0 && column + 1 + word_length > LINE_MAX_BYTES)
        end_line();
    if (column > 0)
        putchar(' ');
    else if (word[0] == '.' || word[0] == '\'')
        fputs("\\&", stdout);
    fwrite(word, 1, word_length, stdout);
    column += word_length + 1;
    bool is_sentence = word[word_length - 1] == '.';
    word_length = 0;
    if (is_sentence)
        end_line();
}

static void paragraph(void)
{
    end_word();
    end_line();
    fputs(".Pp\n", stdout);
}

static void toggle_bold(void)
{
    is_bold = !is_bold;
    add(is_bold ? "\\fB" : "\\fP");
}

/* A space within bold type: each word is bold by itself, so that a line may end there. */
static void end_bold_word(void)
{
    if (is_bold)
        add("\\fP");
    end_word();
    if (is_bold)
        add("\\fB");
}

/* Writes running text: lines filled, a sentence to a line, `...` in bold, \n a paragraph. */
static void write_text(const char *text)
{
    for (const char *p = text; *p; p++) {
        char plain[2] = {*p, '\0'};
        if (*p == ' ')
            end_bold_word();
        else if (*p == '\n')
            paragraph();
        else if (*p == '`')
            toggle_bold();
        else if (*p == '\\')
            add("\\e");
        else if (*p == '-' && is_bold)
            add("\\-");
        else
            add(plain);
    }
}

static void write_line(const char *text)
{
    write_text(text);
    end_word();
    end_line();
}

static void write_bold(const char *text)
{
    write_text("`");
    write_text(text);
    write_text("`");
}

/* TEXT within the quotes of a macro's argument. */
static void write_literal(const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p == '"')
            fputs("\\(dq", stdout);
        else if (*p == '\\')
            fputs("\\e", stdout);
        else if (*p == '-')
            fputs("\\-", stdout);
        else
            putchar(*p);
}

/* The example of NAME, a line of the file, and the version whose heading it stands below. */
static const char *example_of(const char *name, char *version_r, size_t size)
{
    static char line[512];
    size_t length = strlen(name);
    rewind(examples);
    while (fgets(line, sizeof line, examples)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '[')
            snprintf(version_r, size, "%.*s", (int)strcspn(line + 1, "]"), line + 1);
        else if (strncmp(line, name, length) == 0 && line[length] == ' ')
            return line;
    }
    fprintf(stderr, "mdoc: packaging/man/parameters has no example of %s; add: %s = VALUE\n", name,
            name);
    exit(1);
}

static void write_example(const struct setting_row *row)
{
    char version[32] = "";
    const char *example = example_of(row->name, version, sizeof version);
    write_text("Since version ");
    write_text(version);
    write_line(".");
    fputs(".Dl \"", stdout);
    write_literal(example);
    fputs("\"\n", stdout);
}

static void write_bounds(const struct setting_row *row)
{
    if (row->choices) {
        write_text("One of ");
        write_bold(row->choices);
        write_line(".");
    }
    if (row->least && row->largest) {
        write_text("From ");
        write_bold(row->least);
        write_text(" to ");
        write_bold(row->largest);
        write_line(".");
    }
}

static void write_places(const struct setting_row *row)
{
    bool is_main = setting_row_fits(row, SECTION_MAIN);
    for (unsigned kind = SECTION_MAIN + 1; is_main && kind < SECTION_KIND_COUNT; kind++) {
        if (!setting_row_fits(row, (enum section_kind)kind))
            continue;
        write_text("A ");
        write_text("`[");
        write_text(section_kind_word((enum section_kind)kind));
        write_line("]` section may override it.");
    }
}

/* The name, its type and its default, as postconf(5) has them. */
static void write_heading(const struct setting_row *row)
{
    const char *value = !row->default_text   ? "not set"
                        : *row->default_text ? row->default_text
                                             : "empty";
    printf(".It Sy %s%s No = Ar %s No \"(default: ", row->name,
           row->where & SETTING_KEYED ? " Ar NAME" : "", setting_type_word(row->type));
    write_literal(value);
    fputs(")\"\n", stdout);
}

static void write_item(const struct setting_row *row)
{
    write_heading(row);
    write_line(row->meaning);
    fputs(".Pp\n", stdout);
    write_bounds(row);
    write_places(row);
    write_example(row);
}

/* The parameters of main, or those that stand in sections of KIND alone. */
static bool belongs(const struct setting_row *row, enum section_kind kind)
{
    return setting_row_fits(row, kind) &&
           (kind == SECTION_MAIN || !setting_row_fits(row, SECTION_MAIN));
}

static void write_list(enum section_kind kind)
{
    bool is_open = false;
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        if (!belongs(&setting_rows[i], kind))
            continue;
        if (!is_open && kind != SECTION_MAIN)
            printf(".Ss Parameters of a %s section\n", section_kind_word(kind));
        if (!is_open)
            fputs(".Bl -tag -width Ds\n", stdout);
        is_open = true;
        write_item(&setting_rows[i]);
    }
    if (is_open)
        fputs(".El\n", stdout);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of all parameters, in the order of the alphabet. */
static void write_index(void)
{
    const char *names[SETTING_COUNT];
    for (unsigned i = 0; i < SETTING_COUNT; i++)
        names[i] = setting_rows[i].name;
    qsort(names, SETTING_COUNT, sizeof names[0], compare_names);
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        if (i > 0 && strcmp(names[i], names[i - 1]) == 0)
            continue;
        write_bold(names[i]);
        add(i + 1 < SETTING_COUNT ? "," : ".");
        end_word();
    }
    end_line();
}

/* The folders of this build in place of their marks. */
static void copy_line(const char *line)
{
    static const struct {
        const char *mark;
        const char *folder;
    } marks[] = {{"@SYSCONFDIR@", GATEPOST_SYSCONFDIR}, {"@STATEDIR@", GATEPOST_STATEDIR}};
    while (*line) {
        size_t i = 0, count = sizeof marks / sizeof marks[0];
        while (i < count && strncmp(line, marks[i].mark, strlen(marks[i].mark)) != 0)
            i++;
        if (i < count)
            fputs(marks[i].folder, stdout);
        else
            fputc(*line, stdout);
        line += i < count ? strlen(marks[i].mark) : 1;
    }
}

int main(int argc, char **argv)
{
    FILE *template = argc == 3 ? fopen(argv[1], "r") : NULL;
    examples = argc == 3 ? fopen(argv[2], "r") : NULL;
    if (!template || !examples) {
        fprintf(stderr, "usage: mdoc TEMPLATE PARAMETERS\n");
        return 1;
    }
    char line[1024];
    while (fgets(line, sizeof line, template)) {
        if (strcmp(line, "@INDEX@\n") == 0)
            write_index();
        else if (strcmp(line, "@PARAMETERS@\n") != 0)
            copy_line(line);
        else
            for (unsigned kind = 0; kind < SECTION_KIND_COUNT; kind++)
                write_list((enum section_kind)kind);
    }
    bool is_bad = ferror(template);
    fclose(template);
    fclose(examples);
    return is_bad || fflush(stdout) != 0;
}
