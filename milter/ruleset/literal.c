/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A reader of patterns that looks for runs of plain characters on the way that every match must
 * take. Anything unusual makes it give up, which only costs time.
 */
#include "literal.h"

#include <stdbool.h>
#include <string.h>

#define DEPTH_MAX 60

struct walk {
    const char *p;
    int depth;
    bool given_up;
};

/* What is known of the branch that is being read. */
struct branch {
    GString *run;    /* plain characters in a row */
    GPtrArray *best; /* best set so far; NULL: none */
};

static GPtrArray *read_alternatives(struct walk *walk);

static void string_free(gpointer data)
{
    g_string_free(data, TRUE);
}

static GPtrArray *set_new(void)
{
    return g_ptr_array_new_with_free_func(string_free);
}

static size_t shortest(const GPtrArray *set)
{
    size_t length = G_MAXSIZE;
    for (guint i = 0; i < set->len; i++)
        length = MIN(length, ((GString *)set->pdata[i])->len);
    return length;
}

/* Takes SET over if it says more than the best one does. */
static void offer(struct branch *branch, GPtrArray *set)
{
    if (!set)
        return;
    if (set->len == 0 || shortest(set) == 0 ||
        (branch->best && shortest(branch->best) >= shortest(set))) {
        g_ptr_array_unref(set);
        return;
    }
    if (branch->best)
        g_ptr_array_unref(branch->best);
    branch->best = set;
}

/* Ends the run of plain characters. */
static void flush(struct branch *branch)
{
    if (branch->run->len > 0) {
        GPtrArray *set = set_new();
        gssize length = (gssize)MIN(branch->run->len, LITERAL_LENGTH_MAX);
        g_ptr_array_add(set, g_string_new_len(branch->run->str, length));
        offer(branch, set);
    }
    g_string_truncate(branch->run, 0);
}

/* Reads a quantifier; how often at least, and whether exactly once (no quantifier). */
struct quantity {
    bool optional, once;
};

static struct quantity read_quantifier(struct walk *walk)
{
    struct quantity quantity = {false, true};
    char c = *walk->p;
    if (c == '*' || c == '?' || c == '+') {
        quantity = (struct quantity){c != '+', false};
        walk->p++;
    } else if (c == '{' && g_ascii_isdigit(walk->p[1])) {
        const char *close = strchr(walk->p, '}');
        if (!close) {
            walk->given_up = true;
            return quantity;
        }
        quantity = (struct quantity){walk->p[1] == '0', false};
        walk->p = close + 1;
    } else {
        return quantity;
    }
    if (*walk->p == '?' || *walk->p == '+')
        walk->p++;
    return quantity;
}

/* A plain character was read. */
static void add_char(struct walk *walk, struct branch *branch, char c)
{
    struct quantity quantity = read_quantifier(walk);
    if (!quantity.optional)
        g_string_append_c(branch->run, c);
    if (!quantity.once)
        flush(branch);
}

/* Something that is no plain character was read. */
static void add_unknown(struct walk *walk, struct branch *branch)
{
    flush(branch);
    read_quantifier(walk);
}

static void read_hex(struct walk *walk, struct branch *branch)
{
    int value = 0, digits = 0;
    bool braces = *walk->p == '{';
    walk->p += braces;
    for (; g_ascii_isxdigit(*walk->p) && digits < 2; walk->p++, digits++)
        value = value * 16 + g_ascii_xdigit_value(*walk->p);
    if (braces && *walk->p != '}')
        walk->given_up = true;
    else if (braces)
        walk->p++;
    add_char(walk, branch, (char)value);
}

/* Reads what follows a backslash. */
static void read_escape(struct walk *walk, struct branch *branch)
{
    static const char controls[] = "tnrfae", values[] = "\t\n\r\f\a\033";
    char c = *walk->p;
    if (!c) {
        walk->given_up = true;
        return;
    }
    walk->p++;
    const char *control = strchr(controls, c);
    if (!g_ascii_isalnum(c))
        add_char(walk, branch, c);
    else if (control)
        add_char(walk, branch, values[control - controls]);
    else if (c == 'x')
        read_hex(walk, branch);
    else if (g_ascii_isdigit(c)) { /* a reference or an octal number */
        walk->p += strspn(walk->p, "0123456789");
        add_unknown(walk, branch);
    } else if (strchr("bBAzZGK", c))
        return; /* no width: what stands around it is still in a row */
    else if (strchr("wWdDsShHvVRNX", c))
        add_unknown(walk, branch);
    else
        walk->given_up = true;
}

/* Passes a class; its first bracket has been read. */
static void skip_class(struct walk *walk)
{
    if (*walk->p == '^')
        walk->p++;
    if (*walk->p == ']')
        walk->p++;
    for (; *walk->p && *walk->p != ']'; walk->p++) {
        if (*walk->p == '\\' && walk->p[1])
            walk->p++;
        else if (*walk->p == '[' && walk->p[1] == ':') {
            const char *close = strstr(walk->p + 2, ":]");
            if (close)
                walk->p = close + 1;
        }
    }
    if (*walk->p)
        walk->p++;
    else
        walk->given_up = true;
}

/* How the group counts whose "(?" has been read. */
enum group { GROUP_TAKEN, GROUP_AGAINST, GROUP_FLAGS, GROUP_UNKNOWN };

static enum group read_flags(struct walk *walk)
{
    size_t length = strspn(walk->p, "imsn^-adp");
    walk->p += length;
    if (*walk->p == ':') {
        walk->p++;
        return GROUP_TAKEN;
    }
    return *walk->p == ')' ? GROUP_FLAGS : GROUP_UNKNOWN;
}

static enum group read_name(struct walk *walk, char close)
{
    const char *end = strchr(walk->p, close);
    if (!end)
        return GROUP_UNKNOWN;
    walk->p = end + 1;
    return GROUP_TAKEN;
}

static enum group read_group_kind(struct walk *walk)
{
    static const struct {
        const char *sign;
        enum group group;
    } signs[] = {{":", GROUP_TAKEN},   {">", GROUP_TAKEN},   {"|", GROUP_TAKEN},
                 {"=", GROUP_TAKEN},   {"!", GROUP_AGAINST}, {"<=", GROUP_TAKEN},
                 {"<!", GROUP_AGAINST}};
    for (size_t i = 0; i < G_N_ELEMENTS(signs); i++) {
        if (g_str_has_prefix(walk->p, signs[i].sign)) {
            walk->p += strlen(signs[i].sign);
            return signs[i].group;
        }
    }
    if (*walk->p == '<' || g_str_has_prefix(walk->p, "P<"))
        return read_name(walk, '>');
    if (*walk->p == '\'') {
        walk->p++;
        return read_name(walk, '\'');
    }
    return read_flags(walk);
}

/* Reads a group; its parenthesis has been read. */
static void read_group(struct walk *walk, struct branch *branch)
{
    enum group group = GROUP_TAKEN;
    if (*walk->p == '*') {
        walk->given_up = true;
        return;
    }
    if (*walk->p == '?') {
        walk->p++;
        group = read_group_kind(walk);
    }
    if (group == GROUP_UNKNOWN) {
        walk->given_up = true;
        return;
    }
    flush(branch);
    GPtrArray *set = group == GROUP_FLAGS ? NULL : read_alternatives(walk);
    if (*walk->p != ')')
        walk->given_up = true;
    else
        walk->p++;
    struct quantity quantity = read_quantifier(walk);
    if (set && (group == GROUP_AGAINST || quantity.optional)) {
        g_ptr_array_unref(set);
        set = NULL;
    }
    offer(branch, set);
}

static void read_atom(struct walk *walk, struct branch *branch)
{
    char c = *walk->p++;
    switch (c) {
    case '\\':
        read_escape(walk, branch);
        break;
    case '[':
        skip_class(walk);
        add_unknown(walk, branch);
        break;
    case '(':
        read_group(walk, branch);
        break;
    case '.':
        add_unknown(walk, branch);
        break;
    case '^':
    case '$':
        break;
    case '*':
    case '+':
    case '?': /* a quantifier where none is expected, behind an anchor */
        walk->given_up = true;
        break;
    default:
        add_char(walk, branch, c);
        break;
    }
}

/* Reads up to "|", ")" or the end; NULL if nothing must occur. */
static GPtrArray *read_branch(struct walk *walk)
{
    struct branch branch = {g_string_new(NULL), NULL};
    while (!walk->given_up && *walk->p && *walk->p != '|' && *walk->p != ')')
        read_atom(walk, &branch);
    flush(&branch);
    g_string_free(branch.run, TRUE);
    return branch.best;
}

/* Moves the literals of FROM to SET; false if they are too many. */
static bool move_all(GPtrArray *set, GPtrArray *from)
{
    for (guint i = 0; i < from->len; i++)
        g_ptr_array_add(set, from->pdata[i]);
    g_ptr_array_set_free_func(from, NULL);
    g_ptr_array_unref(from);
    return set->len <= LITERAL_ALTERNATIVES_MAX;
}

/* Reads the branches of a group or of the whole; NULL if one of them needs nothing. */
static GPtrArray *read_alternatives(struct walk *walk)
{
    GPtrArray *set = set_new();
    bool known = true;
    if (++walk->depth > DEPTH_MAX)
        walk->given_up = true;
    while (!walk->given_up) {
        GPtrArray *branch = read_branch(walk);
        if (!branch)
            known = false;
        else if (!move_all(set, branch))
            known = false;
        if (*walk->p != '|')
            break;
        walk->p++;
    }
    walk->depth--;
    if (known && !walk->given_up)
        return set;
    g_ptr_array_unref(set);
    return NULL;
}

GPtrArray *literal_extract(const char *pattern)
{
    struct walk walk = {pattern, 0, false};
    GPtrArray *set = read_alternatives(&walk);
    if (!set)
        return NULL;
    if (!walk.given_up && !*walk.p && set->len > 0)
        return set;
    g_ptr_array_unref(set);
    return NULL;
}
