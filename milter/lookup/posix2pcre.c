/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A recursive descent over the grammar of POSIX expressions. What is special in PCRE2 and ordinary
 * in POSIX goes over as \xNN.
 */
#include "posix2pcre.h"

#include <string.h>

#include "table_lines.h"

/* The highest number in an interval, RE_DUP_MAX of the GNU library. */
enum { REPEAT_MAX = 0x7fff };

/* Quantifiers that may stand one after the other, as in a*+. */
enum { STACKED_MAX = 50 };

struct translation {
    const char *p;
    bool extended, newline, caseless;
    GString *out;
    unsigned groups; /* opened so far */
    unsigned depth;  /* open now */
    guint closed;    /* bit N: group N (1..9) is complete, and may be referred to */
    const char *why;
    char vain; /* the first letter that a backslash stands before for nothing; NUL: none */
};

static bool fail(struct translation *t, const char *why)
{
    t->why = why;
    return false;
}

static void put_literal(GString *out, char c)
{
    if (g_ascii_isalnum(c))
        g_string_append_c(out, c);
    else
        g_string_append_printf(out, "\\x%02x", (unsigned char)c);
}

/* Whether the operator OP ('(' ')' '{' '}' '|' '+' '?') stands at P: bare in extended expressions,
 * with a backslash in basic ones. */
static bool at_operator(const struct translation *t, const char *p, char op)
{
    return t->extended ? *p == op : p[0] == '\\' && p[1] == op;
}

static size_t operator_length(const struct translation *t)
{
    return t->extended ? 1 : 2;
}

/* Takes the text up to the END ("." "=" ":") and "]" that close a bracket's element at t->p. */
static bool take_element(struct translation *t, char end, const char **name_r, size_t *length_r)
{
    const char closing[] = {end, ']', '\0'};
    const char *close = strstr(t->p + 2, closing);
    if (!close)
        return fail(t, "a [ has no partner");
    *name_r = t->p + 2;
    *length_r = (size_t)(close - *name_r);
    t->p = close + 2;
    return true;
}

/* What a bracket expression matches, before it is negated. */
struct members {
    bool has[256];
};

/* Without regard to case, the GNU library compares capitals: [_-~] is no letter then. */
static unsigned char canonical(const struct translation *t, char c)
{
    return (unsigned char)(t->caseless ? g_ascii_toupper(c) : c);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

#define CLASS(name)                                                                                \
    static bool is_##name(char c)                                                                  \
    {                                                                                              \
        return g_ascii_is##name(c);                                                                \
    }
CLASS(alpha)
CLASS(upper)
CLASS(lower)
CLASS(digit)
CLASS(alnum)
CLASS(print)
CLASS(graph)
CLASS(punct)
CLASS(cntrl)
CLASS(xdigit)

static const struct {
    const char *name;
    bool cased;
    bool (*has)(char c);
} classes[] = {
    {"alpha", false, is_alpha}, {"upper", true, is_upper},  {"lower", true, is_lower},
    {"digit", false, is_digit}, {"alnum", false, is_alnum}, {"space", false, lines_is_space},
    {"blank", false, is_blank}, {"print", false, is_print}, {"graph", false, is_graph},
    {"punct", false, is_punct}, {"cntrl", false, is_cntrl}, {"xdigit", false, is_xdigit},
};

static bool take_class(struct translation *t, struct members *members)
{
    const char *name;
    size_t length;
    if (!take_element(t, ':', &name, &length))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
        if (strlen(classes[i].name) != length || strncmp(classes[i].name, name, length) != 0)
            continue;
        bool (*has)(char c) = t->caseless && classes[i].cased ? is_alpha : classes[i].has;
        for (unsigned c = 0; c < 256; c++)
            members->has[c] |= has((char)c);
        return true;
    }
    return fail(t, "there is no such character class");
}

/* Takes one character of a bracket expression: itself, [.c.] or [=c=]. */
static bool take_member(struct translation *t, unsigned char *c_r)
{
    if (t->p[0] == '[' && (t->p[1] == '.' || t->p[1] == '=')) {
        const char *name;
        size_t length;
        if (!take_element(t, t->p[1], &name, &length))
            return false;
        if (length != 1)
            return fail(t, "there is no such collating element");
        *c_r = canonical(t, *name);
        return true;
    }
    if (*t->p == '\0')
        return fail(t, "a [ has no partner");
    *c_r = canonical(t, *t->p++);
    return true;
}

/* A character, or a range of them; FIRST: "-" may begin it. */
static bool take_range(struct translation *t, struct members *members, bool first)
{
    unsigned char low, high;
    if (*t->p == '-' && t->p[1] != ']' && !first)
        return fail(t, "a range in [] has no beginning");
    bool equivalence = t->p[0] == '[' && t->p[1] == '=';
    if (!take_member(t, &low))
        return false;
    members->has[low] = true;
    if (equivalence || t->p[0] != '-' || t->p[1] == ']')
        return true;
    t->p++;
    if (t->p[0] == '[' && (t->p[1] == ':' || t->p[1] == '='))
        return fail(t, "a range in [] has no end");
    if (!take_member(t, &high))
        return false;
    if (low > high)
        return fail(t, "a range in [] is backwards");
    for (unsigned c = low; c <= high; c++)
        members->has[c] = true;
    return true;
}

static void put_members(struct translation *t, const struct members *members, bool negated)
{
    size_t from = t->out->len;
    g_string_append_c(t->out, '[');
    for (unsigned c = 1; c < 256; c++)
        if (members->has[canonical(t, (char)c)] != negated && !(negated && t->newline && c == '\n'))
            g_string_append_printf(t->out, "\\x%02x", c);
    if (t->out->len == from + 1) {
        g_string_truncate(t->out, from);
        g_string_append(t->out, "(?!)");
        return;
    }
    g_string_append_c(t->out, ']');
}

static bool put_bracket(struct translation *t)
{
    struct members members = {{false}};
    bool first = true;
    bool negated = t->p[1] == '^';
    t->p += negated ? 2 : 1;
    for (; first || *t->p != ']'; first = false) {
        bool is_class = t->p[0] == '[' && t->p[1] == ':';
        if (!(is_class ? take_class(t, &members) : take_range(t, &members, first)))
            return false;
    }
    t->p++;
    put_members(t, &members, negated);
    return true;
}

static bool take_number(const char **p, unsigned *number_r)
{
    *number_r = 0;
    if (!g_ascii_isdigit(**p))
        return false;
    for (; g_ascii_isdigit(**p); ++*p)
        *number_r = MIN(*number_r * 10 + (unsigned)(**p - '0'), REPEAT_MAX + 1);
    return true;
}

/* "{2}", "{2,}", "{,3}", "{2,3}": for PCRE2 of this age the third must be written "{0,3}". */
static bool put_interval(struct translation *t)
{
    unsigned least = 0, most = 0;
    const char *p = t->p + operator_length(t);
    bool has_least = take_number(&p, &least);
    bool comma = *p == ',';
    bool has_most = comma && (p++, take_number(&p, &most));
    if (!at_operator(t, p, '}') || (!has_least && !comma))
        return fail(t, "a { is not followed by an interval such as {2,3}");
    if (least > REPEAT_MAX || (has_most && (most > REPEAT_MAX || most < least)))
        return fail(t, "the numbers in {} are too large or in the wrong order");
    t->p = p + operator_length(t);
    g_string_append_printf(t->out, "{%u", least);
    if (comma)
        g_string_append_c(t->out, ',');
    if (has_most)
        g_string_append_printf(t->out, "%u", most);
    g_string_append_c(t->out, '}');
    return true;
}

/* Which quantifier stands at t->p: '*', '+', '?', '{', or NUL. */
static char quantifier_at(const struct translation *t)
{
    if (*t->p == '*')
        return '*';
    for (const char *op = "+?{"; *op; op++)
        if (at_operator(t, t->p, *op))
            return *op;
    return '\0';
}

/* The quantifiers behind the atom that begins at FROM in the output. A second one is for the atom
 * with the first: PCRE2 would take it to mean something else. */
static bool put_quantifiers(struct translation *t, size_t from)
{
    char op;
    for (unsigned count = 0; (op = quantifier_at(t)); count++) {
        if (count > 0 && !t->extended && (op == '*' || op == '{'))
            return fail(t, "a quantifier has nothing to repeat");
        if (count >= STACKED_MAX)
            return fail(t, "too many quantifiers in a row");
        if (count > 0) {
            g_string_insert(t->out, (gssize)from, "(?:");
            g_string_append_c(t->out, ')');
        }
        if (op == '{') {
            if (!put_interval(t))
                return false;
            continue;
        }
        g_string_append_c(t->out, op);
        t->p += op == '*' ? 1 : operator_length(t);
    }
    return true;
}

static bool put_alternatives(struct translation *t);

static bool put_group(struct translation *t)
{
    unsigned number = ++t->groups;
    if (t->depth >= POSIX_DEPTH_MAX)
        return fail(t, "groups are nested too deeply");
    t->depth++;
    t->p += operator_length(t);
    g_string_append_c(t->out, '(');
    if (!put_alternatives(t))
        return false;
    if (!at_operator(t, t->p, ')'))
        return fail(t, "a ( has no partner");
    t->p += operator_length(t);
    t->depth--;
    g_string_append_c(t->out, ')');
    if (number <= 9)
        t->closed |= 1u << number;
    return true;
}

/* \c that is no operator. *REPEATABLE_R: whether a quantifier may follow. */
static bool put_escape(struct translation *t, bool *repeatable_r)
{
    static const struct {
        char letter;
        bool repeatable;
        const char *text;
    } escapes[] = {
        {'w', true, "\\w"},         {'W', true, "\\W"},          {'s', true, "\\s"},
        {'S', true, "\\S"},         {'b', false, "\\b"},         {'B', false, "\\B"},
        {'<', false, "\\b(?=\\w)"}, {'>', false, "\\b(?<=\\w)"}, {'`', false, "\\A"},
        {'\'', false, "\\z"},
    };
    char c = t->p[1];
    if (c == '\0')
        return fail(t, "a backslash ends the pattern");
    t->p += 2;
    for (size_t i = 0; i < G_N_ELEMENTS(escapes); i++) {
        if (escapes[i].letter == c) {
            g_string_append(t->out, escapes[i].text);
            *repeatable_r = escapes[i].repeatable;
            return true;
        }
    }
    if (g_ascii_isalpha(c) && !t->vain)
        t->vain = c;
    /* Without regard to case the GNU library compares capitals, but takes what stands behind a
     * backslash as it is: a small letter is never there. */
    if (t->caseless && g_ascii_islower(c)) {
        g_string_append(t->out, "[^\\x00-\\xff]");
        return true;
    }
    if (c < '1' || c > '9') {
        put_literal(t->out, c);
        return true;
    }
    if (!(t->closed & 1u << (c - '0')))
        return fail(t, "a back-reference is to no group before it");
    g_string_append_printf(t->out, "\\g{%c}", c);
    return true;
}

/* Whether "^" at t->p is an anchor: in basic expressions at the beginning of one alone. */
static bool is_caret_anchor(const struct translation *t, bool begins)
{
    return *t->p == '^' && (t->extended || begins);
}

static bool is_dollar_anchor(const struct translation *t)
{
    if (*t->p != '$')
        return false;
    const char *next = t->p + 1;
    return t->extended || *next == '\0' || at_operator(t, next, ')') || at_operator(t, next, '|');
}

static void put_anchor(struct translation *t)
{
    bool caret = *t->p++ == '^';
    if (t->newline)
        g_string_append(t->out, caret ? "(?<![^\\x0a])" : "(?![^\\x0a])");
    else
        g_string_append(t->out, caret ? "\\A" : "\\z");
}

/* What can be repeated, and is no anchor. */
static bool put_atom(struct translation *t, bool *repeatable_r)
{
    if (at_operator(t, t->p, '('))
        return put_group(t);
    if (*t->p == '\\')
        return put_escape(t, repeatable_r);
    if (*t->p == '[')
        return put_bracket(t);
    if (*t->p == '.')
        g_string_append(t->out, t->newline ? "[^\\x0a]" : ".");
    else
        put_literal(t->out, *t->p);
    t->p++;
    return true;
}

/* A quantifier with nothing before it: an error, but an ordinary character in a basic one. */
static bool put_stray_quantifier(struct translation *t, char op)
{
    if (t->extended || op == '{')
        return fail(t, "a quantifier has nothing to repeat");
    put_literal(t->out, op);
    t->p += op == '*' ? 1 : 2;
    return true;
}

/* One atom with its quantifiers, or an anchor. BEGINS: of an alternative. *NOTHING_BEFORE:
 * nothing is there to be repeated, as at the beginning and after an anchor. */
static bool put_piece(struct translation *t, bool begins, bool *nothing_before)
{
    size_t from = t->out->len;
    bool repeatable = true;
    char stray = *nothing_before ? quantifier_at(t) : '\0';
    if (is_caret_anchor(t, begins) || is_dollar_anchor(t)) {
        put_anchor(t);
        *nothing_before = true;
        return true;
    }
    if (!(stray ? put_stray_quantifier(t, stray) : put_atom(t, &repeatable)))
        return false;
    *nothing_before = !repeatable;
    return repeatable ? put_quantifiers(t, from) : true;
}

/* Whether the alternative ends at t->p. A ")" too many is an ordinary character in extended
 * expressions. */
static bool at_end(const struct translation *t)
{
    if (*t->p == '\0' || at_operator(t, t->p, '|'))
        return true;
    return at_operator(t, t->p, ')') && (t->depth > 0 || !t->extended);
}

static bool put_alternatives(struct translation *t)
{
    for (;;) {
        bool begins = true, nothing_before = true;
        for (; !at_end(t); begins = false)
            if (!put_piece(t, begins, &nothing_before))
                return false;
        if (!at_operator(t, t->p, '|'))
            return true;
        g_string_append_c(t->out, '|');
        t->p += operator_length(t);
    }
}

char *posix2pcre(const char *pattern, unsigned flags, char *vain_r, const char **why_r)
{
    struct translation t = {
        .p = pattern,
        .extended = flags & POSIX_EXTENDED,
        .newline = flags & POSIX_NEWLINE,
        .caseless = flags & POSIX_CASELESS,
        .out = g_string_new(NULL),
    };
    bool sound = strlen(pattern) <= POSIX_PATTERN_MAX ? put_alternatives(&t)
                                                      : fail(&t, "the pattern is too long");
    if (sound && *t.p)
        sound = fail(&t, "a ) has no partner");
    *why_r = t.why;
    *vain_r = t.vain;
    return g_string_free(t.out, !sound);
}
