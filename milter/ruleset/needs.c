/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A reader of patterns that keeps to the way which every match must take. Of each part it knows all
 * texts that it can be, if these are few; else the steps and runs that it must hold. Anything
 * unusual makes it give up, which only costs time.
 */
#include "needs.h"

#include <math.h>
#include <string.h>

#include "bytes.h"

#define DEPTH_MAX 60

/* A set of so few bytes is spelled out; so often at most is what a quantifier repeats. */
#define SPELLED_MAX 4
#define COPIES_MAX  8

/* Bytes in a row that are looked at for the run that says most. */
#define ROW_MAX 32

/* Literals shorter than this are steps only where there are no others. */
#define STEP_LENGTH_MIN 3

/* As many steps are read before the best are chosen among them: a pattern may have thousands. */
#define STEPS_READ_MAX 32

struct part {
    GPtrArray *exact;         /* GString: all that it can be; NULL: too many, or not known */
    GPtrArray *steps;         /* struct needs_step */
    GPtrArray *runs;          /* struct needs_run; NULL: none known */
    struct needs_step *aside; /* of an assertion; NULL: none */
    size_t min, max;          /* bytes */
};

struct walk {
    const char *p;
    int depth;
    bool given_up, caseless;
};

/* What is known of the branch that is being read. */
struct branch {
    struct part part;
    GPtrArray *texts; /* GString: what stands between BEGIN and here, all that it can be */
    size_t near, far; /* where that begins */
    bool broken;      /* there is something before it that is not known */
    guint8 row[ROW_MAX][32];
    unsigned row_length;
};

struct quantity {
    size_t low, high;
};

static struct part read_alternatives(struct walk *walk);

/* Sums and products of lengths; what is without a limit stays so. */
static size_t plus(size_t a, size_t b)
{
    return a == NEEDS_ANYWHERE || b == NEEDS_ANYWHERE || a > NEEDS_ANYWHERE / 2 - b ? NEEDS_ANYWHERE
                                                                                    : a + b;
}

static size_t times(size_t a, size_t b)
{
    if (a == 0 || b == 0)
        return 0;
    return a == NEEDS_ANYWHERE || b == NEEDS_ANYWHERE || a > (1u << 20) || b > (1u << 20)
               ? NEEDS_ANYWHERE
               : a * b;
}

static void string_free(gpointer data)
{
    g_string_free(data, TRUE);
}

static GPtrArray *texts_new(void)
{
    return g_ptr_array_new_with_free_func(string_free);
}

static void add_text(GPtrArray *texts, const char *text, size_t length)
{
    g_ptr_array_add(texts, g_string_new_len(text, (gssize)length));
}

static void add_texts(GPtrArray *texts, const GPtrArray *more)
{
    for (guint i = 0; i < more->len; i++)
        add_text(texts, ((GString *)more->pdata[i])->str, ((GString *)more->pdata[i])->len);
}

static size_t shortest(const GPtrArray *texts)
{
    size_t length = G_MAXSIZE;
    for (guint i = 0; i < texts->len; i++)
        length = MIN(length, ((GString *)texts->pdata[i])->len);
    return length;
}

static size_t longest(const GPtrArray *texts)
{
    size_t length = 0;
    for (guint i = 0; i < texts->len; i++)
        length = MAX(length, ((GString *)texts->pdata[i])->len);
    return length;
}

static struct needs_step *step_new(const GPtrArray *literals, size_t near, size_t far)
{
    struct needs_step *step = g_new0(struct needs_step, 1);
    step->literals = texts_new();
    step->near = near;
    step->far = far;
    add_texts(step->literals, literals);
    return step;
}

static void step_free(gpointer data)
{
    struct needs_step *step = data;
    if (step)
        g_ptr_array_unref(step->literals);
    g_free(step);
}

static void part_clear(struct part *part)
{
    if (part->exact)
        g_ptr_array_unref(part->exact);
    if (part->steps)
        g_ptr_array_unref(part->steps);
    if (part->runs)
        g_ptr_array_unref(part->runs);
    step_free(part->aside);
    memset(part, 0, sizeof *part);
}

static double rarity(const GPtrArray *runs)
{
    double least = runs->len > 0 ? HUGE_VAL : 0;
    for (guint i = 0; i < runs->len; i++)
        least = MIN(least, ((struct needs_run *)runs->pdata[i])->rarity);
    return least;
}

/* Takes RUNS over if they say more than those that PART has. */
static void offer_runs(struct part *part, GPtrArray *runs)
{
    if (part->runs && rarity(part->runs) >= rarity(runs)) {
        g_ptr_array_unref(runs);
        return;
    }
    if (part->runs)
        g_ptr_array_unref(part->runs);
    part->runs = runs;
}

/* Ends the bytes in a row, and offers those of them that say most. */
static void end_row(struct branch *branch)
{
    double bits[ROW_MAX], best = 0;
    unsigned from = 0, length = MIN(branch->row_length, NEEDS_RUN_MAX);
    for (unsigned i = 0; i < branch->row_length; i++)
        bits[i] = i > 0 && memcmp(branch->row[i], branch->row[i - 1], 32) == 0
                      ? bits[i - 1]
                      : bytes_rarity(branch->row[i]);
    for (unsigned i = 0; i + length <= branch->row_length && length > 0; i++) {
        double sum = 0;
        for (unsigned n = 0; n < length; n++)
            sum += bits[i + n];
        if (sum > best) {
            best = sum;
            from = i;
        }
    }
    branch->row_length = 0;
    if (!(best > 0))
        return;
    struct needs_run *run = g_new0(struct needs_run, 1);
    run->length = length;
    run->rarity = best;
    memcpy(run->sets, branch->row[from], (size_t)length * 32);
    GPtrArray *runs = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(runs, run);
    offer_runs(&branch->part, runs);
}

static void add_to_row(struct branch *branch, const guint8 *set)
{
    if (branch->row_length == ROW_MAX)
        end_row(branch);
    memcpy(branch->row[branch->row_length++], set, 32);
}

/* Leaves the steps that say most. */
static void choose_steps(GPtrArray *steps)
{
    while (steps->len > 1) {
        guint worst = 0;
        for (guint i = 1; i < steps->len; i++)
            if (shortest(((struct needs_step *)steps->pdata[i])->literals) <=
                shortest(((struct needs_step *)steps->pdata[worst])->literals))
                worst = i;
        if (steps->len <= NEEDS_STEPS_MAX &&
            shortest(((struct needs_step *)steps->pdata[worst])->literals) >= STEP_LENGTH_MIN)
            return;
        g_ptr_array_remove_index(steps, worst);
    }
}

/* Takes STEP over; of many in a row, the best are kept at once. */
static void add_step(GPtrArray *steps, struct needs_step *step)
{
    g_ptr_array_add(steps, step);
    if (steps->len >= STEPS_READ_MAX)
        choose_steps(steps);
}

/* Begins a text where the branch has come to. */
static void begin_text(struct branch *branch)
{
    g_ptr_array_set_size(branch->texts, 0);
    add_text(branch->texts, "", 0);
    branch->near = branch->part.min;
    branch->far = branch->part.max;
}

/* Ends the text before something that is not known: it is a step of its own. */
static void end_text(struct branch *branch)
{
    branch->broken = true;
    if (shortest(branch->texts) > 0)
        add_step(branch->part.steps, step_new(branch->texts, branch->near, branch->far));
    begin_text(branch);
}

/* Goes on with one of TEXTS. */
static void multiply(struct branch *branch, const GPtrArray *texts)
{
    size_t count = (size_t)branch->texts->len * texts->len;
    if (count > NEEDS_LITERALS_MAX || longest(branch->texts) + longest(texts) > NEEDS_LENGTH_MAX)
        end_text(branch);
    branch->part.min = plus(branch->part.min, shortest(texts));
    branch->part.max = plus(branch->part.max, longest(texts));
    if (texts->len == 1) {
        const GString *text = texts->pdata[0];
        for (guint i = 0; i < branch->texts->len; i++)
            g_string_append_len(branch->texts->pdata[i], text->str, (gssize)text->len);
        return;
    }
    GPtrArray *products = texts_new();
    for (guint i = 0; i < branch->texts->len; i++) {
        for (guint n = 0; n < texts->len; n++) {
            const GString *a = branch->texts->pdata[i], *b = texts->pdata[n];
            GString *product = g_string_sized_new(a->len + b->len + 1);
            g_string_append_len(product, a->str, (gssize)a->len);
            g_string_append_len(product, b->str, (gssize)b->len);
            g_ptr_array_add(products, product);
        }
    }
    g_ptr_array_unref(branch->texts);
    branch->texts = products;
}

/* Keeps the better of two steps of assertions. */
static void offer_aside(struct part *part, struct needs_step *step)
{
    if (part->aside && shortest(part->aside->literals) >= shortest(step->literals)) {
        step_free(step);
        return;
    }
    step_free(part->aside);
    part->aside = step;
}

/* Something of MIN to MAX bytes follows of which no more is known. */
static void pass(struct branch *branch, size_t min, size_t max)
{
    end_text(branch);
    branch->part.min = plus(branch->part.min, min);
    branch->part.max = plus(branch->part.max, max);
    begin_text(branch);
}

static void append_steps(struct branch *branch, const struct part *part)
{
    for (guint i = 0; i < part->steps->len; i++) {
        const struct needs_step *step = part->steps->pdata[i];
        struct needs_step *copy = step_new(step->literals, plus(branch->part.min, step->near),
                                           plus(branch->part.max, step->far));
        copy->loose = step->loose;
        if (copy->loose)
            offer_aside(&branch->part, copy);
        else
            add_step(branch->part.steps, copy);
    }
}

/* Goes on with PART, repeated. */
static void append(struct branch *branch, const struct part *part, struct quantity quantity)
{
    size_t copies = MIN(quantity.low, COPIES_MAX);
    if (part->exact && quantity.low == 0 && quantity.high == 1) {
        g_autoptr(GPtrArray) texts = texts_new();
        add_texts(texts, part->exact);
        add_text(texts, "", 0);
        multiply(branch, texts);
        return;
    }
    if (part->exact && copies > 0) {
        for (size_t i = 0; i < copies; i++)
            multiply(branch, part->exact);
    } else {
        end_text(branch);
        copies = 0;
        if (quantity.low > 0)
            append_steps(branch, part);
    }
    size_t high = quantity.high == NEEDS_ANYWHERE ? NEEDS_ANYWHERE : quantity.high - copies;
    if (high > 0)
        pass(branch, times(quantity.low - copies, part->min), times(high, part->max));
}

/* Reads a quantifier; without one: once. */
static struct quantity read_quantity(struct walk *walk)
{
    struct quantity quantity = {1, 1};
    char c = *walk->p;
    if (c == '*' || c == '?' || c == '+') {
        quantity = (struct quantity){c == '+', c == '?' ? 1 : NEEDS_ANYWHERE};
        walk->p++;
    } else if (c == '{' && g_ascii_isdigit(walk->p[1])) {
        char *end;
        quantity.low = quantity.high = (size_t)g_ascii_strtoull(walk->p + 1, &end, 10);
        if (*end == ',')
            quantity.high = g_ascii_isdigit(end[1]) ? (size_t)g_ascii_strtoull(end + 1, &end, 10)
                                                    : (end++, NEEDS_ANYWHERE);
        if (*end != '}' || quantity.high < quantity.low)
            walk->given_up = true;
        else
            walk->p = end + 1;
    } else {
        return quantity;
    }
    if (*walk->p == '?' || *walk->p == '+')
        walk->p++;
    return quantity;
}

/* One byte of SET was read. */
static void append_set(struct walk *walk, struct branch *branch, const guint8 *set)
{
    struct quantity quantity = read_quantity(walk);
    struct part part = {.min = 1, .max = 1, .steps = g_ptr_array_new()};
    if (bytes_count(set) <= SPELLED_MAX) {
        part.exact = texts_new();
        for (unsigned c = bytes_next(set, 0); c < 256; c = bytes_next(set, c + 1)) {
            char text = (char)c;
            add_text(part.exact, &text, 1);
        }
    }
    for (size_t i = 0; i < MIN(quantity.low, COPIES_MAX); i++)
        add_to_row(branch, set);
    if (quantity.high != quantity.low || quantity.low > COPIES_MAX)
        end_row(branch);
    if (part.exact && part.exact->len == 0) /* a class that nothing is in */
        walk->given_up = true;
    else
        append(branch, &part, quantity);
    part_clear(&part);
}

static void append_byte(struct walk *walk, struct branch *branch, unsigned char c)
{
    guint8 set[32] = {0};
    bytes_add(set, c, c);
    append_set(walk, branch, set);
}

/* Something of MIN bytes at least was read, of which no more is known. */
static void append_unknown(struct walk *walk, struct branch *branch, size_t min)
{
    struct quantity quantity = read_quantity(walk);
    end_row(branch);
    pass(branch, times(quantity.low, min), NEEDS_ANYWHERE);
}

/* Reads what follows a backslash. */
static void read_escape(struct walk *walk, struct branch *branch)
{
    guint8 set[32] = {0};
    char c = *walk->p;
    if (c != '\0' && strchr("bBAzZK", c)) {
        walk->p++;                   /* no width: what stands around it is still in a row */
    } else if (g_ascii_isdigit(c)) { /* a reference or an octal number */
        walk->p += strspn(walk->p, "0123456789");
        append_unknown(walk, branch, 0);
    } else if (c == 'R' || c == 'X') {
        walk->p++;
        append_unknown(walk, branch, 1);
    } else if (bytes_escape(&walk->p, set)) {
        append_set(walk, branch, set);
    } else {
        walk->given_up = true;
    }
}

/* How the group counts whose "(?" has been read. */
enum group { GROUP_TAKEN, GROUP_ASSERTED, GROUP_AGAINST, GROUP_FLAGS, GROUP_UNKNOWN };

static enum group read_flags(struct walk *walk)
{
    size_t length = strspn(walk->p, "imsn^-adp");
    walk->caseless = walk->caseless || memchr(walk->p, 'i', length);
    walk->p += length;
    if (*walk->p == ':') {
        walk->p++;
        return GROUP_TAKEN;
    }
    return *walk->p == ')' ? GROUP_FLAGS : GROUP_UNKNOWN;
}

static enum group read_name(struct walk *walk, char close)
{
    walk->p += *walk->p == 'P' ? 2 : 1;
    while (g_ascii_isalnum(*walk->p) || *walk->p == '_')
        walk->p++;
    if (*walk->p != close)
        return GROUP_UNKNOWN;
    walk->p++;
    return GROUP_TAKEN;
}

static enum group read_group_kind(struct walk *walk)
{
    static const struct {
        const char *sign;
        enum group group;
    } signs[] = {{":", GROUP_TAKEN},    {">", GROUP_TAKEN},   {"|", GROUP_TAKEN},
                 {"=", GROUP_ASSERTED}, {"!", GROUP_AGAINST}, {"<=", GROUP_ASSERTED},
                 {"<!", GROUP_AGAINST}};
    for (size_t i = 0; i < G_N_ELEMENTS(signs); i++) {
        if (g_str_has_prefix(walk->p, signs[i].sign)) {
            walk->p += strlen(signs[i].sign);
            return signs[i].group;
        }
    }
    if (*walk->p == '<' || g_str_has_prefix(walk->p, "P<"))
        return read_name(walk, '>');
    if (*walk->p == '\'')
        return read_name(walk, '\'');
    return read_flags(walk);
}

/* What says most of the steps of a part; NULL: it has none. */
static const struct needs_step *best_step(const struct part *part)
{
    const struct needs_step *best = NULL;
    for (guint i = 0; i < part->steps->len; i++) {
        const struct needs_step *step = part->steps->pdata[i];
        if (!best || shortest(step->literals) > shortest(best->literals))
            best = step;
    }
    return best ? best : part->aside;
}

/* Reads a group; its parenthesis has been read. */
static void read_group(struct walk *walk, struct branch *branch)
{
    enum group group = GROUP_TAKEN;
    if (*walk->p == '?') {
        walk->p++;
        group = read_group_kind(walk);
    } else if (*walk->p == '*') {
        group = GROUP_UNKNOWN;
    }
    if (group == GROUP_UNKNOWN || (group == GROUP_FLAGS && *walk->p != ')')) {
        walk->given_up = true;
        return;
    }
    if (group == GROUP_FLAGS) {
        walk->p++;
        return;
    }
    struct part part = read_alternatives(walk);
    if (*walk->p == ')')
        walk->p++;
    else
        walk->given_up = true;
    struct quantity quantity = read_quantity(walk);
    if (!walk->given_up && group == GROUP_TAKEN) {
        end_row(branch);
        append(branch, &part, quantity);
        if (part.runs && quantity.low > 0)
            offer_runs(&branch->part, g_steal_pointer(&part.runs));
        if (part.aside && quantity.low > 0)
            offer_aside(&branch->part, g_steal_pointer(&part.aside));
    } else if (!walk->given_up && group == GROUP_ASSERTED && quantity.low > 0 && best_step(&part)) {
        struct needs_step *aside = step_new(best_step(&part)->literals, 0, NEEDS_ANYWHERE);
        aside->loose = true;
        offer_aside(&branch->part, aside);
    }
    part_clear(&part);
}

static void read_atom(struct walk *walk, struct branch *branch)
{
    guint8 set[32] = {0};
    char c = *walk->p++;
    switch (c) {
    case '\\':
        read_escape(walk, branch);
        break;
    case '[':
        if (bytes_class(&walk->p, set))
            append_set(walk, branch, set);
        else
            walk->given_up = true;
        break;
    case '(':
        read_group(walk, branch);
        break;
    case '.': /* of line ends the flag s says more than is known here */
        bytes_add(set, 0, 255);
        append_set(walk, branch, set);
        break;
    case '^':
    case '$':
        break;
    case '*':
    case '+':
    case '?': /* a quantifier where none is expected, behind an anchor */
        walk->given_up = true;
        break;
    case '{': /* which newer versions of PCRE2 read as a quantifier where older ones do not */
        walk->given_up = g_ascii_isdigit(*walk->p) || strchr(", \t", *walk->p);
        append_byte(walk, branch, '{');
        break;
    default:
        append_byte(walk, branch, (unsigned char)c);
        break;
    }
}

/* Reads up to "|", ")" or the end. */
static struct part read_branch(struct walk *walk)
{
    struct branch branch = {.part.steps = g_ptr_array_new_with_free_func(step_free),
                            .texts = texts_new()};
    begin_text(&branch);
    while (!walk->given_up && *walk->p && *walk->p != '|' && *walk->p != ')')
        read_atom(walk, &branch);
    if (!branch.broken) {
        branch.part.exact = texts_new();
        add_texts(branch.part.exact, branch.texts);
    }
    end_text(&branch);
    end_row(&branch);
    g_ptr_array_unref(branch.texts);
    return branch.part;
}

/* One step for two branches, of which one is taken; NULL: one of them needs nothing. */
static struct needs_step *either(const struct needs_step *a, const struct needs_step *b)
{
    if (!a || !b || a->literals->len + b->literals->len > NEEDS_LITERALS_MAX)
        return NULL;
    struct needs_step *step = step_new(a->literals, MIN(a->near, b->near), MAX(a->far, b->far));
    step->loose = a->loose || b->loose;
    add_texts(step->literals, b->literals);
    return step;
}

/* Makes of WHOLE, what the branches so far need, what is left when BRANCH may be taken instead. */
static void join(struct part *whole, struct part *branch)
{
    struct needs_step *step = either(best_step(whole), best_step(branch));
    g_ptr_array_set_size(whole->steps, 0);
    g_clear_pointer(&whole->aside, step_free);
    if (step && step->loose)
        whole->aside = step;
    else if (step)
        g_ptr_array_add(whole->steps, step);
    if (whole->exact && branch->exact &&
        whole->exact->len + branch->exact->len <= NEEDS_LITERALS_MAX)
        add_texts(whole->exact, branch->exact);
    else
        g_clear_pointer(&whole->exact, g_ptr_array_unref);
    if (whole->runs && branch->runs && whole->runs->len < NEEDS_LITERALS_MAX)
        g_ptr_array_extend_and_steal(whole->runs, g_steal_pointer(&branch->runs));
    else
        g_clear_pointer(&whole->runs, g_ptr_array_unref);
    whole->min = MIN(whole->min, branch->min);
    whole->max = MAX(whole->max, branch->max);
    part_clear(branch);
}

/* Reads the branches of a group or of the whole. */
static struct part read_alternatives(struct walk *walk)
{
    if (++walk->depth > DEPTH_MAX)
        walk->given_up = true;
    struct part whole = read_branch(walk);
    while (!walk->given_up && *walk->p == '|') {
        walk->p++;
        struct part branch = read_branch(walk);
        join(&whole, &branch);
    }
    walk->depth--;
    return whole;
}

struct needs *needs_read(const char *pattern, bool caseless)
{
    struct walk walk = {.p = pattern, .caseless = caseless};
    struct part whole = read_alternatives(&walk);
    if (whole.steps->len == 0 && whole.aside)
        g_ptr_array_add(whole.steps, g_steal_pointer(&whole.aside));
    if (walk.given_up || *walk.p || (whole.steps->len == 0 && !whole.runs)) {
        part_clear(&whole);
        return NULL;
    }
    struct needs *needs = g_new0(struct needs, 1);
    needs->steps = g_steal_pointer(&whole.steps);
    needs->runs = g_steal_pointer(&whole.runs);
    needs->caseless = walk.caseless;
    choose_steps(needs->steps);
    for (guint i = 0; needs->caseless && needs->runs && i < needs->runs->len; i++) {
        struct needs_run *run = needs->runs->pdata[i];
        for (unsigned n = 0; n < run->length; n++)
            bytes_add_other_case(run->sets[n]);
    }
    part_clear(&whole);
    return needs;
}

void needs_free(struct needs *needs)
{
    if (!needs)
        return;
    g_ptr_array_unref(needs->steps);
    if (needs->runs)
        g_ptr_array_unref(needs->runs);
    g_free(needs);
}
