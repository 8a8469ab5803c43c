/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Compilation with PCRE2. SpamAssassin matches bytes, with Perl's flag aa: \w, \d, \s and the
 * POSIX classes are ASCII's, but the flag i pairs the letters of Latin-1 too. PCRE2 without UTF
 * does the same once its tables know those pairs.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "pattern.h"

#include <pcre2.h>
#include <string.h>

#include "base/text.h"
#include "base/wide_pattern.h"
#include "bytes.h"
#include "prefilter.h"

/* Where PCRE2's character tables hold the bytes' lower and other case (pcre2_dftables). */
#define TABLE_LOWER 0
#define TABLE_FLIP  256

struct pattern_context {
    pcre2_compile_context *compile;
    pcre2_match_context *match;
    unsigned char *tables;
};

struct pattern {
    pcre2_code *code;
    struct wide_pattern *wide; /* instead, when it is too large for the other */
    struct needs *needs;       /* NULL: not known */
    bool jit, tags, wide_case;
    bool anchored; /* matches at the first place, or nowhere */
    bool whole;    /* what it finds depends on where a search begins, or ends the search */
};

struct matcher {
    pcre2_match_data *data;
    pcre2_match_context *context; /* a copy */
    pcre2_jit_stack *stack;       /* NULL: none was needed yet */
    struct work *work;            /* borrowed */
    uint64_t until;               /* how much may be taken of it for this pattern */
    uint32_t limit;               /* of the context */
    bool interpreted;             /* DATA holds what the interpreter took, 8 MB at most */
    const char *text;             /* borrowed */
    size_t length;
    uint32_t *wide_text;  /* the same for large patterns; NULL: none has asked yet */
    PCRE2_SIZE places[2]; /* of the last match */
};

/* A pattern on its way from source to code. */
struct source {
    GString *text;    /* without delimiters */
    char *flags;      /* as written */
    uint32_t options; /* PCRE2's */
};

static unsigned char *make_tables(void)
{
    unsigned char *tables = (unsigned char *)pcre2_maketables(NULL);
    for (unsigned c = 0x80; tables && c < 0x100; c++) {
        unsigned char lower = prefilter_fold((unsigned char)c);
        if (lower == c)
            continue;
        tables[TABLE_LOWER + c] = lower;
        tables[TABLE_FLIP + c] = lower;
        tables[TABLE_FLIP + lower] = (unsigned char)c;
    }
    return tables;
}

struct pattern_context *pattern_context_new(void)
{
    struct pattern_context *context = g_new0(struct pattern_context, 1);
    context->compile = pcre2_compile_context_create(NULL);
    context->match = pcre2_match_context_create(NULL);
    context->tables = make_tables();
    if (!context->compile || !context->match || !context->tables)
        g_error("out of memory"); /* as GLib does */
    pcre2_set_character_tables(context->compile, context->tables);
    pcre2_set_newline(context->compile, PCRE2_NEWLINE_LF);
    pcre2_set_bsr(context->compile, PCRE2_BSR_UNICODE);
    pcre2_set_max_pattern_length(context->compile, WIDE_PATTERN_MAX);
    pcre2_set_match_limit(context->match, PATTERN_MATCH_LIMIT);
    pcre2_set_depth_limit(context->match, PATTERN_DEPTH_LIMIT);
    pcre2_set_heap_limit(context->match, PATTERN_HEAP_LIMIT);
    return context;
}

void pattern_context_free(struct pattern_context *context)
{
    if (!context)
        return;
    pcre2_compile_context_free(context->compile);
    pcre2_match_context_free(context->match);
    pcre2_maketables_free(NULL, context->tables);
    g_free(context);
}

/* Finds the delimiters: *BEGIN_R is where the pattern starts; returns the closing one, or 0. */
static char read_delimiter(const char *source, const char **begin_r)
{
    static const char open[] = "{(<[", close[] = "})>]";
    if (*source == '/') {
        *begin_r = source + 1;
        return '/';
    }
    const char *p = source + (g_str_has_prefix(source, "qr") ? 2 : *source == 'm');
    if (p == source || !*p || g_ascii_isalnum(*p) || *p == '_' || *p == '\\')
        return 0;
    *begin_r = p + 1;
    const char *bracket = strchr(open, *p);
    return bracket ? close[bracket - open] : *p;
}

/* Whether an ordinary delimiter stands in the text without a backslash before it. */
static bool has_bare_delimiter(const char *text, char delimiter)
{
    for (; *text; text++) {
        if (*text == '\\' && text[1])
            text++;
        else if (*text == delimiter)
            return true;
    }
    return false;
}

static bool split_source(const char *text, struct source *source, char **why_r)
{
    const char *begin;
    char delimiter = read_delimiter(text, &begin);
    if (!delimiter) {
        *why_r = g_strdup("a pattern is missing: /RE/FLAGS or m{RE}FLAGS");
        return false;
    }
    const char *end = strrchr(begin, delimiter);
    if (!end || strspn(end + 1, "abcdfghijklmnopqrstuvwxyz") != strlen(end + 1)) {
        *why_r = g_strdup_printf("the pattern does not end with \"%c\" and flags", delimiter);
        return false;
    }
    source->text = g_string_new_len(begin, end - begin);
    source->flags = g_strdup(end + 1);
    if (!strchr("})]", delimiter) && has_bare_delimiter(source->text->str, delimiter)) {
        *why_r = g_strdup_printf("\"%c\" within the pattern needs a backslash", delimiter);
        return false;
    }
    return true;
}

/* Turns flags into options; those that mean nothing for a single search are passed over. */
static enum pattern_status read_flags(struct source *source, char **why_r)
{
    for (const char *p = source->flags; *p; p++) {
        switch (*p) {
        case 'i':
            source->options |= PCRE2_CASELESS;
            break;
        case 'm':
            source->options |= PCRE2_MULTILINE;
            break;
        case 's':
            source->options |= PCRE2_DOTALL;
            break;
        case 'x':
            source->options |=
                source->options & PCRE2_EXTENDED ? PCRE2_EXTENDED_MORE : PCRE2_EXTENDED;
            break;
        case 'n':
            source->options |= PCRE2_NO_AUTO_CAPTURE;
            break;
        case 'l':
        case 'u':
            *why_r = g_strdup_printf("the flag %c needs Perl", *p);
            return PATTERN_SKIPPED;
        default:
            if (strchr("adpgocr", *p))
                break;
            *why_r = g_strdup_printf("there is no flag \"%c\"", *p);
            return PATTERN_BAD;
        }
    }
    return PATTERN_GOOD;
}

/* Things that only Perl, or only SpamAssassin with its plug-ins, can do. A "$" before a letter
 * could match nothing: it was meant as a variable. */
static const char *perl_only(const char *p)
{
    static const struct {
        const char *sign, *what;
    } signs[] = {{"(?{", "code"},
                 {"(??{", "code"},
                 {"(*{", "code"},
                 {"(?[", "an extended class"},
                 {"${", "a variable"},
                 {"@{", "a variable"},
                 {"\\b{", "a Unicode boundary"},
                 {"\\B{", "a Unicode boundary"}};
    for (size_t i = 0; i < G_N_ELEMENTS(signs); i++)
        if (g_str_has_prefix(p, signs[i].sign))
            return signs[i].what;
    if (p[0] == '$' && (g_ascii_isalpha(p[1]) || p[1] == '_'))
        return "a variable";
    if (p[0] == '%' && p[1] == '{' && g_ascii_isupper(p[2]))
        return "a captured value";
    return NULL;
}

/* A quantifier in a form that only Perl 5.34 reads, "{,3}" or "{ 1, 3 }": writes it as PCRE2 wants
 * it and returns its length; 0 if it is none. */
static size_t translate_quantifier(const char *p, GString *out)
{
    const char *close = strchr(p, '}');
    size_t length = close ? (size_t)(close - p) : 0;
    if (length < 2 || length > 30 || strspn(p + 1, "0123456789, \t") != length - 1)
        return 0;
    g_autofree char *inner = g_strndup(p + 1, length - 1);
    char *comma = strchr(inner, ',');
    if (comma)
        *comma++ = '\0';
    const char *low = g_strstrip(inner), *high = comma ? g_strstrip(comma) : NULL;
    bool numeric = strspn(low, "0123456789") == strlen(low) &&
                   (!high || strspn(high, "0123456789") == strlen(high));
    if (!numeric || (!*low && (!high || !*high)))
        return 0;
    g_string_append_printf(out, "{%s%s%s}", *low ? low : "0", high ? "," : "", high ? high : "");
    return length + 1;
}

/* "\x{...}" and "\N{U+...}": the code point; -1 if it is neither. *LENGTH_R: how long it is. */
static long read_code_point(const char *p, size_t *length_r)
{
    const char *digits = g_str_has_prefix(p, "\\x{")     ? p + 3
                         : g_str_has_prefix(p, "\\N{U+") ? p + 5
                                                         : NULL;
    const char *close = digits ? strchr(digits, '}') : NULL;
    if (!close || close == digits || close - digits > 8)
        return -1;
    g_autofree char *text = g_strstrip(g_strndup(digits, (gsize)(close - digits)));
    for (const char *d = text; *d; d++)
        if (!g_ascii_isxdigit(*d))
            return -1;
    *length_r = (size_t)(close + 1 - p);
    return (long)g_ascii_strtoull(text, NULL, 16);
}

/* Copies an escape at P; returns its length, or 0 with *WHAT_R if it needs Perl. */
static size_t translate_escape(const char *p, GString *out, const char **what_r)
{
    size_t length;
    long code = read_code_point(p, &length);
    if (code > 0xff) {
        *what_r = "characters beyond a byte";
        return 0;
    }
    if (code >= 0) {
        g_string_append_printf(out, "\\x{%02lx}", (unsigned long)code);
        return length;
    }
    length = p[1] ? 2 : 1;
    g_string_append_len(out, p, (gssize)length);
    return length;
}

/* Where the class begins that P is in after the character at P; NULL: in none. A bracket that
 * comes first in a class stands for itself. */
static const char *class_after(const char *p, const char *class_begin)
{
    if (!class_begin)
        return *p == '[' ? p : NULL;
    bool first = p == class_begin + 1 || (p == class_begin + 2 && p[-1] == '^');
    return *p == ']' && !first ? NULL : class_begin;
}

/* Writes the pattern as PCRE2 reads it. */
static enum pattern_status translate(struct source *source, char **why_r)
{
    GString *out = g_string_sized_new(source->text->len + 16);
    const char *begin = source->text->str, *what = NULL, *in_class = NULL;
    size_t taken;
    for (const char *p = begin; *p && !what; p += taken) {
        taken = 1;
        what = in_class ? NULL : perl_only(p);
        if (what)
            break;
        if (*p == '\\') {
            taken = translate_escape(p, out, &what);
            continue;
        }
        if (*p == '{' && !in_class && p > begin && (taken = translate_quantifier(p, out)) > 0)
            continue;
        taken = 1;
        size_t named = in_class ? bytes_class_name(p) : 0;
        if (named > 0)
            taken = named;
        else
            in_class = class_after(p, in_class);
        g_string_append_len(out, p, (gssize)taken);
    }
    g_string_free(source->text, TRUE);
    source->text = out;
    if (!what)
        return PATTERN_GOOD;
    *why_r = g_strdup_printf("the pattern holds %s, which needs Perl", what);
    return PATTERN_SKIPPED;
}

static struct wide_pattern *compile_wide(struct pattern_context *context,
                                         const struct source *source, uint32_t options,
                                         int *error_r, PCRE2_SIZE *offset_r)
{
    struct wide_options wide = {.options = options,
                                .newline = PCRE2_NEWLINE_LF,
                                .bsr = PCRE2_BSR_UNICODE,
                                .tables = context->tables,
                                .match_limit = PATTERN_MATCH_LIMIT,
                                .depth_limit = PATTERN_DEPTH_LIMIT,
                                .heap_limit_kb = PATTERN_HEAP_LIMIT};
    return wide_pattern_new(source->text->str, source->text->len, &wide, error_r, offset_r);
}

/* Whether the sign at P of TEXT stands for itself, as an odd number of backslashes is before it. */
static bool is_escaped(const char *text, const char *p)
{
    const char *begin = p;
    while (begin > text && begin[-1] == '\\')
        begin--;
    return (p - begin) % 2 == 1;
}

/* Whether the pattern holds a verb, "(*...)", or "\G". */
static bool has_verbs(const char *text)
{
    for (const char *p = strstr(text, "(*"); p; p = strstr(p + 1, "(*"))
        if (!is_escaped(text, p))
            return true;
    return strstr(text, "\\G");
}

/* Whether a pattern may call itself, or a group, again: JIT does not count that. */
static bool recurses(const char *text)
{
    for (const char *p = strstr(text, "(?"); p; p = strstr(p + 1, "(?")) {
        if (is_escaped(text, p))
            continue;
        const char *sign = p + 2 + (p[2] == '+' || p[2] == '-');
        if (*sign == 'R' || *sign == '&' || g_ascii_isdigit(*sign) || g_str_has_prefix(sign, "P>"))
            return true;
    }
    return strstr(text, "\\g<") || strstr(text, "\\g'");
}

/* Compiles the translated pattern. */
static enum pattern_status compile(struct pattern_context *context, const struct source *source,
                                   struct pattern *pattern, char **why_r)
{
    int error;
    PCRE2_SIZE offset;
    uint32_t options = source->options | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP |
                       PCRE2_NEVER_BACKSLASH_C | PCRE2_DUPNAMES | PCRE2_USE_OFFSET_LIMIT;
    pattern->code = pcre2_compile((PCRE2_SPTR)source->text->str, source->text->len, options, &error,
                                  &offset, context->compile);
    bool jit = !recurses(source->text->str);
    if (!pattern->code && jit && wide_pattern_helps(error))
        pattern->wide = compile_wide(context, source, options, &error, &offset);
    if (!pattern->code && !pattern->wide) {
        char message[256];
        pcre2_get_error_message(error, (PCRE2_UCHAR *)message, sizeof message);
        *why_r = g_strdup_printf("%s near \"%.20s\"", message,
                                 source->text->str + MIN(offset, source->text->len));
        return error == PCRE2_ERROR_UNSUPPORTED_ESCAPE_SEQUENCE ? PATTERN_SKIPPED : PATTERN_BAD;
    }
    pattern->jit =
        jit && pattern->code && pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE) == 0;
    if (pattern->code)
        pcre2_pattern_info(pattern->code, PCRE2_INFO_ALLOPTIONS, &options);
    pattern->anchored = pattern->code && (options & PCRE2_ANCHORED);
    pattern->whole = has_verbs(source->text->str);
    return PATTERN_GOOD;
}

/* Whether TEXT holds "<NAME>". */
static bool holds_tag(const char *text)
{
    for (const char *p = strchr(text, '<'); p; p = strchr(p + 1, '<')) {
        size_t length = strspn(p + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
        if (length > 0 && p[1 + length] == '>' && (p == text || p[-1] != '?'))
            return true;
    }
    return false;
}

static enum pattern_status build(struct pattern_context *context, struct source *source,
                                 struct pattern *pattern, char **why_r)
{
    pattern->tags = holds_tag(source->text->str);
    enum pattern_status status = read_flags(source, why_r);
    pattern->wide_case =
        (source->options & PCRE2_CASELESS) && text_has_wide_case(source->text->str);
    if (status == PATTERN_GOOD)
        status = translate(source, why_r);
    if (status == PATTERN_GOOD)
        status = compile(context, source, pattern, why_r);
    if (status == PATTERN_GOOD && !(source->options & (PCRE2_EXTENDED | PCRE2_EXTENDED_MORE)))
        pattern->needs = needs_read(source->text->str, source->options & PCRE2_CASELESS);
    return status;
}

enum pattern_status pattern_compile(struct pattern_context *context, const char *text,
                                    struct pattern **pattern_r, char **why_r)
{
    struct source source = {NULL, NULL, 0};
    struct pattern *pattern = g_new0(struct pattern, 1);
    enum pattern_status status = PATTERN_BAD;
    if (split_source(text, &source, why_r))
        status = build(context, &source, pattern, why_r);
    if (source.text)
        g_string_free(source.text, TRUE);
    g_free(source.flags);
    if (status != PATTERN_GOOD)
        g_clear_pointer(&pattern, pattern_free);
    *pattern_r = pattern;
    return status;
}

void pattern_free(struct pattern *pattern)
{
    if (!pattern)
        return;
    pcre2_code_free(pattern->code);
    wide_pattern_free(pattern->wide);
    needs_free(pattern->needs);
    g_free(pattern);
}

const struct needs *pattern_needs(const struct pattern *pattern)
{
    return pattern->needs;
}

bool pattern_has_tags(const struct pattern *pattern)
{
    return pattern->tags;
}

bool pattern_has_wide_case(const struct pattern *pattern)
{
    return pattern->wide_case;
}

struct matcher *matcher_new(struct pattern_context *context)
{
    struct matcher *matcher = g_new0(struct matcher, 1);
    matcher->data = pcre2_match_data_create(1, NULL);
    matcher->context = pcre2_match_context_copy(context->match);
    if (!matcher->data || !matcher->context)
        g_error("out of memory"); /* as GLib does */
    return matcher;
}

void matcher_begin(struct matcher *matcher, struct work *work)
{
    matcher->work = work;
    g_clear_pointer(&matcher->wide_text, g_free);
    if (matcher->interpreted) {
        pcre2_match_data_free(matcher->data);
        matcher->data = pcre2_match_data_create(1, NULL);
        matcher->interpreted = false;
        if (!matcher->data)
            g_error("out of memory"); /* as GLib does */
    }
    if (!matcher->stack)
        return;
    pcre2_jit_stack_assign(matcher->context, NULL, NULL);
    g_clear_pointer(&matcher->stack, pcre2_jit_stack_free);
}

void matcher_free(struct matcher *matcher)
{
    if (!matcher)
        return;
    matcher_begin(matcher, NULL);
    pcre2_match_data_free(matcher->data);
    pcre2_match_context_free(matcher->context);
    g_free(matcher);
}

/* Compiled code has 32 kB of the machine's stack: a pattern that walks over many lines of a header
 * needs more, and the interpreter that could take its place is ten times as slow. False if there is
 * no more to give. */
static bool grow_stack(struct matcher *matcher)
{
    if (matcher->stack)
        return false;
    matcher->stack = pcre2_jit_stack_create(PATTERN_STACK_MIN, PATTERN_STACK_MAX, NULL);
    if (matcher->stack)
        pcre2_jit_stack_assign(matcher->context, NULL, matcher->stack);
    return matcher->stack != NULL;
}

void matcher_take(struct matcher *matcher, const char *text, size_t length)
{
    matcher->text = text;
    matcher->length = length;
    matcher->until = matcher->work->taken + PATTERN_WORK_MAX;
    g_clear_pointer(&matcher->wide_text, g_free);
}

/* What a search comes to beside PCRE2's own numbers. */
enum { SEARCH_SPENT = -10000, SEARCH_TOO_DEAR };

/* 0, or one of the above. */
static int take(struct matcher *matcher, uint64_t units)
{
    if (!work_take(matcher->work, units))
        return SEARCH_SPENT;
    return matcher->work->taken > matcher->until ? SEARCH_TOO_DEAR : 0;
}

/* Tries the places from FIRST to LAST, with LIMIT steps for each. */
static int search_from(const struct pattern *pattern, struct matcher *matcher, size_t first,
                       size_t last, uint32_t limit)
{
    PCRE2_SPTR text = (PCRE2_SPTR)matcher->text;
    int n = PCRE2_ERROR_JIT_STACKLIMIT;
    if (limit != matcher->limit)
        pcre2_set_match_limit(matcher->context, matcher->limit = limit);
    pcre2_set_offset_limit(matcher->context, last);
    if (pattern->jit)
        do
            n = pcre2_jit_match(pattern->code, text, matcher->length, first, 0, matcher->data,
                                matcher->context);
        while (n == PCRE2_ERROR_JIT_STACKLIMIT && grow_stack(matcher));
    if (n == PCRE2_ERROR_JIT_STACKLIMIT) {
        matcher->interpreted = true;
        n = pcre2_match(pattern->code, text, matcher->length, first, PCRE2_NO_JIT, matcher->data,
                        matcher->context);
    }
    if (n >= 0)
        memcpy(matcher->places, pcre2_get_ovector_pointer(matcher->data), sizeof matcher->places);
    return n;
}

/* PCRE2's limit holds for each place anew where a match might begin, and a long text has enough of
 * them to take minutes. So each is given little at first; where that does not do, the places are
 * parted until those are found that need more. What is taken of the work is what they were given.
 */
static int search_places(const struct pattern *pattern, struct matcher *matcher, size_t first,
                         size_t last, uint32_t limit)
{
    size_t places = pattern->anchored ? 1 : MIN(last, matcher->length) - first + 1;
    uint32_t most = PATTERN_MATCH_LIMIT, units = limit / PATTERN_LIMIT_FIRST;
    int n = take(matcher, places * units);
    if (n == 0)
        n = search_from(pattern, matcher, first, last, limit);
    if (n >= 0) {
        size_t begin = MAX(MIN(matcher->places[0], matcher->places[1]), first);
        work_give_back(matcher->work, (first + places - MIN(begin + 1, first + places)) * units);
    }
    if (n != PCRE2_ERROR_MATCHLIMIT)
        return n;
    if (places > 1 && !pattern->whole) {
        size_t part = (places - 1) / PATTERN_PARTS + 1, end = first + places;
        for (n = PCRE2_ERROR_NOMATCH; first < end && n == PCRE2_ERROR_NOMATCH; first += part)
            n = search_places(pattern, matcher, first, MIN(first + part - 1, last), limit);
        return n;
    }
    if (pattern->whole)
        most = (uint32_t)MIN(most, PATTERN_STEPS_MAX / places);
    if (limit >= most)
        return n;
    return search_places(pattern, matcher, first, last, MIN(limit * PATTERN_LIMIT_FACTOR, most));
}

static int search_wide(const struct pattern *pattern, struct matcher *matcher, size_t first,
                       size_t last)
{
    size_t places = MIN(last, matcher->length) - first + 1;
    int n = take(matcher, places * PATTERN_WIDE_UNITS);
    if (!matcher->wide_text)
        matcher->wide_text = wide_text(matcher->text, matcher->length);
    return n ? n
             : wide_pattern_match(pattern->wide, matcher->wide_text, matcher->length, first, last,
                                  0, matcher->places, 1);
}

/* Searches a long text in stretches, with a look at the work between them. */
static int search(const struct pattern *pattern, struct matcher *matcher, size_t first, size_t last)
{
    size_t stretch = pattern->wide ? PATTERN_STRETCH_WIDE : PATTERN_STRETCH;
    size_t end = MIN(last, matcher->length);
    for (size_t from = first;; from += stretch) {
        bool rest = end - from < stretch || pattern->whole || pattern->anchored;
        size_t to = rest ? last : from + stretch - 1;
        int n = pattern->wide ? search_wide(pattern, matcher, from, to)
                              : search_places(pattern, matcher, from, to, PATTERN_LIMIT_FIRST);
        if (n != PCRE2_ERROR_NOMATCH || rest)
            return n;
    }
}

enum match_status pattern_match(const struct pattern *pattern, struct matcher *matcher,
                                size_t first, size_t last, size_t *begin_r, size_t *end_r)
{
    if (first > matcher->length)
        return MATCH_NO;
    int n = take(matcher, PATTERN_WORK_EACH);
    if (n == 0)
        n = search(pattern, matcher, first, last);
    if (n == PCRE2_ERROR_NOMATCH)
        return MATCH_NO;
    if (n < 0)
        return n == SEARCH_SPENT ? MATCH_SPENT : MATCH_EXPLODED;
    const PCRE2_SIZE *where = matcher->places;
    *begin_r = MIN(where[0], where[1]); /* \K in a lookahead can turn them round */
    *end_r = where[1];
    return MATCH_YES;
}
