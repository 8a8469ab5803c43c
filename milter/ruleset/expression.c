/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Compiler and machine for expressions. Operators are rows of a table; precedence climbing turns
 * them into postfix code. A division by zero yields NaN, which matters only if the result depends
 * on it: Perl would not have evaluated what && and || pass over.
 */
#include "expression.h"

#include <math.h>
#include <string.h>

enum code {
    CODE_NUMBER,
    CODE_NAME,
    CODE_SUM,
    CODE_OR_ELSE, /* passes over the right operand where the left one decides */
    CODE_AND_THEN,
    CODE_NOT,
    CODE_NEGATE,
    CODE_CHOOSE,
    CODE_OR,
    CODE_AND,
    CODE_XOR,
    CODE_EQUAL,
    CODE_UNEQUAL,
    CODE_LESS,
    CODE_LESS_EQUAL,
    CODE_GREATER,
    CODE_GREATER_EQUAL,
    CODE_ADD,
    CODE_SUBTRACT,
    CODE_MULTIPLY,
    CODE_DIVIDE
};

struct expression_op {
    enum code code;
    double number; /* CODE_NUMBER */
    unsigned name; /* CODE_NAME: which value; CODE_SUM: which name; CODE_OR_ELSE, CODE_AND_THEN: how
                    * many operations it may pass over */
};

/* Binary operators; longer signs before their beginnings. Level 1 (?:) binds least. */
static const struct {
    const char *sign;
    int level;
    enum code code;
} operators[] = {
    {"||", 2, CODE_OR},
    {"&&", 3, CODE_AND},
    {"^", 4, CODE_XOR},
    {"==", 5, CODE_EQUAL},
    {"!=", 5, CODE_UNEQUAL},
    {"<=", 6, CODE_LESS_EQUAL},
    {">=", 6, CODE_GREATER_EQUAL},
    {"<", 6, CODE_LESS},
    {">", 6, CODE_GREATER},
    {"+", 7, CODE_ADD},
    {"-", 7, CODE_SUBTRACT},
    {"*", 8, CODE_MULTIPLY},
    {"/", 8, CODE_DIVIDE},
};

struct parser {
    const char *p;
    const char *const *calls;
    struct expression *out;
    int depth;
    unsigned stack,
        length; /* values that are on it; operations, those that pass over others aside */
    char *why;
};

static bool parse_choice(struct parser *parser);

static void fail(struct parser *parser, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void fail(struct parser *parser, const char *format, ...)
{
    va_list args;
    if (parser->why)
        return;
    va_start(args, format);
    parser->why = g_strdup_vprintf(format, args);
    va_end(args);
}

static void skip_blank(struct parser *parser)
{
    while (g_ascii_isspace(*parser->p))
        parser->p++;
}

/* Appends an operation that takes POPS values and leaves one. */
static bool emit(struct parser *parser, struct expression_op op, unsigned pops)
{
    if (parser->length++ >= EXPRESSION_LENGTH_MAX) {
        fail(parser, "the expression is too long");
        return false;
    }
    g_array_append_val(parser->out->code, op);
    parser->stack = parser->stack - pops + 1;
    parser->out->stack = MAX(parser->out->stack, parser->stack);
    return true;
}

static bool emit_code(struct parser *parser, enum code code, unsigned pops)
{
    if (code == CODE_DIVIDE || code == CODE_XOR)
        parser->out->may_fail = true;
    return emit(parser, (struct expression_op){.code = code}, pops);
}

static bool parse_number(struct parser *parser)
{
    char *end;
    struct expression_op op = {.code = CODE_NUMBER};
    op.number = g_ascii_strtod(parser->p, &end);
    for (const char *p = parser->p; p < end; p++) {
        if (!g_ascii_isdigit(*p) && *p != '.') {
            fail(parser, "\"%.*s\" is no decimal number", (int)(end - parser->p), parser->p);
            return false;
        }
    }
    parser->p = end;
    parser->out->may_fail |= !isfinite(op.number); /* times 0, it is no number */
    return emit(parser, op, 0);
}

static bool is_word_char(char c)
{
    return g_ascii_isalnum(c) || c == '_';
}

static bool takes_argument(const struct parser *parser, const char *word)
{
    return parser->calls && g_strv_contains(parser->calls, word);
}

/* Reads "(ARGUMENT)" after a word that takes one. */
static char *parse_argument(struct parser *parser, const char *word)
{
    skip_blank(parser);
    const char *close = *parser->p == '(' ? strchr(parser->p, ')') : NULL;
    if (!close) {
        fail(parser, "%s takes an argument: %s(NAME)", word, word);
        return NULL;
    }
    char *argument = g_strstrip(g_strndup(parser->p + 1, (gsize)(close - parser->p - 1)));
    parser->p = close + 1;
    return argument;
}

static bool parse_name(struct parser *parser)
{
    const char *begin = parser->p;
    while (is_word_char(*parser->p))
        parser->p++;
    struct expression_name *name = g_new0(struct expression_name, 1);
    g_ptr_array_add(parser->out->names, name);
    name->word = g_strndup(begin, (gsize)(parser->p - begin));
    if (takes_argument(parser, name->word) &&
        !(name->argument = parse_argument(parser, name->word)))
        return false;
    return emit(parser,
                (struct expression_op){.code = CODE_NAME, .name = parser->out->names->len - 1}, 0);
}

static bool parse_parenthesis(struct parser *parser)
{
    parser->p++;
    skip_blank(parser);
    if (*parser->p == ')') { /* SpamAssassin's "meta NAME ()": a rule that never hits by itself */
        parser->p++;
        return emit(parser, (struct expression_op){.code = CODE_NUMBER}, 0);
    }
    if (!parse_choice(parser))
        return false;
    skip_blank(parser);
    if (*parser->p != ')') {
        fail(parser, "a parenthesis is not closed");
        return false;
    }
    parser->p++;
    return true;
}

static bool parse_primary(struct parser *parser)
{
    skip_blank(parser);
    char c = *parser->p;
    if (c == '(')
        return parse_parenthesis(parser);
    if (g_ascii_isdigit(c) || (c == '.' && g_ascii_isdigit(parser->p[1])))
        return parse_number(parser);
    if (is_word_char(c))
        return parse_name(parser);
    if (c)
        fail(parser, "a name or number is missing before \"%.10s\"", parser->p);
    else
        fail(parser, "a name or number is missing at the end");
    return false;
}

static bool parse_unary(struct parser *parser)
{
    skip_blank(parser);
    char c = *parser->p;
    if (c != '!' && c != '-' && c != '+')
        return parse_primary(parser);
    if (parser->depth >= EXPRESSION_DEPTH_MAX) {
        fail(parser, "the expression is nested too deeply");
        return false;
    }
    parser->p++;
    parser->depth++;
    bool good = parse_unary(parser);
    parser->depth--;
    if (!good || c == '+')
        return good;
    return emit_code(parser, c == '!' ? CODE_NOT : CODE_NEGATE, 1);
}

/* The row of the operator at P, -1 if none is there. */
static int find_operator(struct parser *parser)
{
    skip_blank(parser);
    for (size_t i = 0; i < G_N_ELEMENTS(operators); i++)
        if (g_str_has_prefix(parser->p, operators[i].sign))
            return (int)i;
    return -1;
}

static bool parse_binary(struct parser *parser, int level)
{
    if (!parse_unary(parser))
        return false;
    for (int row; (row = find_operator(parser)) >= 0 && operators[row].level >= level;) {
        enum code code = operators[row].code;
        bool decides = code == CODE_OR || code == CODE_AND;
        guint before = parser->out->code->len;
        struct expression_op pass = {.code = code == CODE_OR ? CODE_OR_ELSE : CODE_AND_THEN};
        if (decides)
            g_array_append_val(parser->out->code, pass);
        parser->p += strlen(operators[row].sign);
        if (!parse_binary(parser, operators[row].level + 1) || !emit_code(parser, code, 2))
            return false;
        if (decides)
            g_array_index(parser->out->code, struct expression_op, before).name =
                parser->out->code->len - 1 - before;
    }
    return true;
}

static bool parse_branches(struct parser *parser)
{
    parser->p++;
    if (!parse_choice(parser))
        return false;
    skip_blank(parser);
    if (*parser->p != ':') {
        fail(parser, "\"?\" without \":\"");
        return false;
    }
    parser->p++;
    return parse_choice(parser) && emit_code(parser, CODE_CHOOSE, 3);
}

/* "A", "A ? B : C". */
static bool parse_choice(struct parser *parser)
{
    if (parser->depth >= EXPRESSION_DEPTH_MAX) {
        fail(parser, "the expression is nested too deeply");
        return false;
    }
    parser->depth++;
    bool good = parse_binary(parser, 2);
    if (good)
        skip_blank(parser);
    if (good && *parser->p == '?')
        good = parse_branches(parser);
    parser->depth--;
    return good;
}

static void name_free(gpointer data)
{
    struct expression_name *name = data;
    g_free(name->word);
    g_free(name->argument);
    if (name->members)
        g_array_unref(name->members);
    g_free(name);
}

struct expression *expression_parse(const char *text, const char *const *calls, char **why_r)
{
    struct expression *expression = g_new0(struct expression, 1);
    expression->code = g_array_new(FALSE, FALSE, sizeof(struct expression_op));
    expression->names = g_ptr_array_new_with_free_func(name_free);
    struct parser parser = {.p = text, .calls = calls, .out = expression};
    if (parse_choice(&parser)) {
        skip_blank(&parser);
        if (*parser.p)
            fail(&parser, "\"%.20s\" is not understood", parser.p);
    }
    if (!parser.why)
        return expression;
    *why_r = parser.why;
    expression_free(expression);
    return NULL;
}

void expression_free(struct expression *expression)
{
    if (!expression)
        return;
    g_array_unref(expression->code);
    g_ptr_array_unref(expression->names);
    g_free(expression);
}

void expression_bind(struct expression *expression)
{
    struct expression_op *op = (void *)expression->code->data;
    for (guint i = 0; i < expression->code->len; i++, op++) {
        if (op->code != CODE_NAME)
            continue;
        const struct expression_name *name = expression->names->pdata[op->name];
        if (!name->members)
            *op = (struct expression_op){.code = CODE_NUMBER};
        else if (name->members->len == 1)
            op->name = g_array_index(name->members, unsigned, 0);
        else
            op->code = CODE_SUM;
    }
}

static double sum_members(const struct expression_name *name, const double *values)
{
    double sum = 0;
    for (guint i = 0; i < name->members->len; i++)
        sum += values[g_array_index(name->members, unsigned, i)];
    return sum;
}

static double integer_xor(double a, double b)
{
    if (!(fabs(a) < 9e15) || !(fabs(b) < 9e15))
        return NAN;
    return (double)((gint64)a ^ (gint64)b);
}

static bool is_true(double value)
{
    return value != 0;
}

static double apply_binary(enum code code, double a, double b)
{
    switch (code) {
    case CODE_OR:
        return isnan(a) || is_true(a) ? a : b;
    case CODE_AND:
        return isnan(a) || !is_true(a) ? a : b;
    case CODE_XOR:
        return integer_xor(a, b);
    case CODE_ADD:
        return a + b;
    case CODE_SUBTRACT:
        return a - b;
    case CODE_MULTIPLY:
        return a * b;
    case CODE_DIVIDE:
        return is_true(b) ? a / b : NAN;
    default:
        break;
    }
    if (isnan(a) || isnan(b))
        return NAN;
    switch (code) {
    case CODE_EQUAL:
        return !is_true(a - b);
    case CODE_UNEQUAL:
        return is_true(a - b);
    case CODE_LESS:
        return a < b;
    case CODE_LESS_EQUAL:
        return a <= b;
    case CODE_GREATER:
        return a > b;
    default:
        return a >= b;
    }
}

/* Carries out an operation that is neither number nor name on the stack that ends at TOP; returns
 * the new end. */
static double *apply(enum code code, double *top)
{
    if (code == CODE_NOT)
        top[-1] = isnan(top[-1]) ? top[-1] : !is_true(top[-1]);
    else if (code == CODE_NEGATE)
        top[-1] = -top[-1];
    else if (code == CODE_CHOOSE) {
        top[-3] = isnan(top[-3]) ? top[-3] : is_true(top[-3]) ? top[-2] : top[-1];
        return top - 2;
    } else {
        top[-2] = apply_binary(code, top[-2], top[-1]);
        return top - 1;
    }
    return top;
}

/* An operand, and where in the code its own begins. */
struct operand {
    struct expression_range range;
    guint begin;
};

static bool is_zero(struct expression_range range)
{
    return !is_true(range.low) && !is_true(range.high);
}

static bool is_nonzero(struct expression_range range)
{
    return range.low > 0 || range.high < 0;
}

static struct expression_range range_of(double low, double high)
{
    return (struct expression_range){isnan(low) ? -HUGE_VAL : low, isnan(high) ? HUGE_VAL : high};
}

/* 1 where a difference that is within the range is certainly as CODE asks, 0 where certainly not.
 */
static struct expression_range compare_range(enum code code, struct expression_range difference)
{
    double low = difference.low, high = difference.high;
    bool never = false, always = false;
    switch (code) {
    case CODE_EQUAL:
        never = is_nonzero(difference), always = is_zero(difference);
        break;
    case CODE_UNEQUAL:
        never = is_zero(difference), always = is_nonzero(difference);
        break;
    case CODE_LESS:
        never = low >= 0, always = high < 0;
        break;
    case CODE_LESS_EQUAL:
        never = low > 0, always = high <= 0;
        break;
    case CODE_GREATER:
        never = high <= 0, always = low > 0;
        break;
    default:
        never = high < 0, always = low >= 0;
        break;
    }
    return range_of(always, !never);
}

static struct expression_range binary_range(enum code code, struct expression_range a,
                                            struct expression_range b)
{
    switch (code) {
    case CODE_ADD:
        return range_of(a.low + b.low, a.high + b.high);
    case CODE_SUBTRACT:
        return range_of(a.low - b.high, a.high - b.low);
    case CODE_MULTIPLY:
        return a.low >= 0 && b.low >= 0 ? range_of(a.low * b.low, a.high * b.high)
                                        : range_of(-HUGE_VAL, HUGE_VAL);
    default:
        return compare_range(code, range_of(a.low - b.high, a.high - b.low));
    }
}

/* The range of an operation on the operands that end at TOP; what it does not hang on is DROPPED.
 */
static struct expression_range range_after(enum code code, const struct operand *top, bool *dropped)
{
    const struct operand *b = top - 1, *a = top - 2;
    if (code == CODE_NOT)
        return compare_range(CODE_EQUAL, b->range);
    if (code == CODE_NEGATE)
        return range_of(-b->range.high, -b->range.low);
    if (code == CODE_CHOOSE) {
        const struct operand *choice = top - 3;
        if (is_zero(choice->range) || is_nonzero(choice->range)) {
            const struct operand *other = is_zero(choice->range) ? a : b;
            memset(dropped + choice->begin, true, a->begin - choice->begin);
            memset(dropped + other->begin, true,
                   (other == a ? b->begin : top->begin) - other->begin);
            return other == a ? b->range : a->range;
        }
    } else if (code == CODE_AND) {
        if (is_zero(a->range) || is_zero(b->range))
            return range_of(0, 0);
        if (!is_nonzero(a->range))
            return range_of(MIN(0, b->range.low), MAX(0, b->range.high));
        memset(dropped + a->begin, true, b->begin - a->begin);
        return b->range;
    } else if (code == CODE_OR) {
        if (is_zero(a->range) || is_zero(b->range))
            return is_zero(a->range) ? b->range : a->range;
        if (is_nonzero(a->range)) {
            memset(dropped + b->begin, true, top->begin - b->begin);
            return a->range;
        }
    } else {
        return binary_range(code, a->range, b->range);
    }
    return range_of(MIN(a->range.low, b->range.low), MAX(a->range.high, b->range.high));
}

static struct expression_range range_of_name(const struct expression *expression,
                                             const struct expression_op *op,
                                             const struct expression_range *ranges)
{
    if (op->code == CODE_NUMBER)
        return range_of(op->number, op->number);
    if (op->code == CODE_NAME)
        return ranges[op->name];
    const struct expression_name *name = expression->names->pdata[op->name];
    struct expression_range sum = {0, 0};
    for (guint i = 0; i < name->members->len; i++)
        sum = binary_range(CODE_ADD, sum, ranges[g_array_index(name->members, unsigned, i)]);
    return sum;
}

/* Marks the rules that the code names where it is not DROPPED, but for those that are known, as
 * disabled ones are: they must not be run to count for something here. */
static void mark_names(const struct expression *expression, const struct expression_range *ranges,
                       const bool *dropped, bool *matters)
{
    for (guint i = 0; i < expression->code->len; i++) {
        const struct expression_op *op = &g_array_index(expression->code, struct expression_op, i);
        if (dropped[i])
            continue;
        if (op->code == CODE_NAME)
            matters[op->name] |= ranges[op->name].low < ranges[op->name].high;
        if (op->code != CODE_SUM)
            continue;
        const struct expression_name *name = expression->names->pdata[op->name];
        for (guint n = 0; n < name->members->len; n++) {
            unsigned rule = g_array_index(name->members, unsigned, n);
            matters[rule] |= ranges[rule].low < ranges[rule].high;
        }
    }
}

struct expression_range expression_range(const struct expression *expression,
                                         const struct expression_range *ranges, bool *matters)
{
    guint length = expression->code->len;
    g_autofree bool *dropped = g_new0(bool, length + 1);
    g_autofree struct operand *stack = g_new0(struct operand, expression->stack + 1);
    struct operand *top = stack;
    for (guint i = 0; i < length; i++) {
        const struct expression_op *op = &g_array_index(expression->code, struct expression_op, i);
        if (op->code == CODE_OR_ELSE || op->code == CODE_AND_THEN)
            continue;
        top->begin = i; /* where what the operation takes ends, too */
        if (op->code <= CODE_SUM) {
            top->range = range_of_name(expression, op, ranges);
            top++;
        } else {
            unsigned taken = op->code == CODE_CHOOSE                           ? 3
                             : op->code == CODE_NOT || op->code == CODE_NEGATE ? 1
                                                                               : 2;
            struct expression_range range = range_after(op->code, top, dropped);
            top -= taken - 1;
            top[-1].range = range;
        }
        if (!(top[-1].range.low < top[-1].range.high)) /* known */
            memset(dropped + top[-1].begin, true, i + 1 - top[-1].begin);
    }
    if (expression->may_fail) { /* what fails is worth nothing, but where it is passed over */
        memset(dropped, false, length);
        stack[0].range = range_of(-HUGE_VAL, HUGE_VAL);
    }
    if (matters)
        mark_names(expression, ranges, dropped, matters);
    return stack[0].range;
}

/* Most literals of a clause, and clauses that are kept of an operand. */
#define LITERALS_MAX 8u
#define CLAUSES_MAX  16u

/* What an operand needs to be other than 0, and to be 0: clauses (GArray of literals), all of which
 * must hold. */
struct wants {
    GPtrArray *something, *nothing;
    double number; /* NAN: it is more than a number */
};

static GPtrArray *clauses_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
}

static GPtrArray *one_clause(const unsigned *rules, guint count, unsigned negative)
{
    GPtrArray *clauses = clauses_new();
    if (count > LITERALS_MAX)
        return clauses;
    GArray *clause = g_array_new(FALSE, FALSE, sizeof(unsigned));
    for (guint i = 0; i < count; i++) {
        unsigned literal = 2 * rules[i] + negative;
        g_array_append_val(clause, literal);
    }
    g_ptr_array_add(clauses, clause);
    return clauses;
}

/* What both operands need; A and B are taken over, here and below. */
static GPtrArray *both(GPtrArray *a, GPtrArray *b)
{
    while (b->len > 0 && a->len < CLAUSES_MAX)
        g_ptr_array_add(a, g_ptr_array_steal_index(b, 0));
    g_ptr_array_unref(b);
    return a;
}

static GArray *shortest_clause(const GPtrArray *clauses)
{
    GArray *shortest = clauses->len > 0 ? clauses->pdata[0] : NULL;
    for (guint i = 1; i < clauses->len; i++)
        if (((GArray *)clauses->pdata[i])->len < shortest->len)
            shortest = clauses->pdata[i];
    return shortest;
}

/* What one of two operands needs, whichever it is: a clause of each, joined. */
static GPtrArray *either(GPtrArray *a, GPtrArray *b)
{
    GPtrArray *clauses = clauses_new();
    const GArray *left = shortest_clause(a), *right = shortest_clause(b);
    if (left && right && left->len + right->len <= LITERALS_MAX) {
        GArray *clause = g_array_new(FALSE, FALSE, sizeof(unsigned));
        g_array_append_vals(clause, left->data, left->len);
        g_array_append_vals(clause, right->data, right->len);
        g_ptr_array_add(clauses, clause);
    }
    g_ptr_array_unref(a);
    g_ptr_array_unref(b);
    return clauses;
}

static GPtrArray *neither(GPtrArray *a, GPtrArray *b)
{
    g_ptr_array_unref(a);
    g_ptr_array_unref(b);
    return clauses_new();
}

static struct wants wants_of_name(const struct expression *expression,
                                  const struct expression_op *op)
{
    if (op->code == CODE_NUMBER)
        return (struct wants){clauses_new(), clauses_new(), op->number};
    if (op->code == CODE_NAME)
        return (struct wants){one_clause(&op->name, 1, 0), one_clause(&op->name, 1, 1), NAN};
    const struct expression_name *name = expression->names->pdata[op->name];
    return (struct wants){one_clause((void *)name->members->data, name->members->len, 0),
                          clauses_new(), NAN};
}

/* Comparisons are read with a number on the right alone: "A + B > 1". */
static struct wants wants_of_two(enum code code, struct wants a, struct wants b)
{
    double number = b.number;
    switch (code) {
    case CODE_AND:
        return (struct wants){both(a.something, b.something), either(a.nothing, b.nothing), NAN};
    case CODE_OR:
        return (struct wants){either(a.something, b.something), both(a.nothing, b.nothing), NAN};
    case CODE_ADD:
    case CODE_SUBTRACT:
        return (struct wants){either(a.something, b.something), neither(a.nothing, b.nothing), NAN};
    case CODE_MULTIPLY:
        return (struct wants){both(a.something, b.something), neither(a.nothing, b.nothing), NAN};
    case CODE_EQUAL:
        if (number < 0 || number > 0)
            break;
        if (isnan(number))
            return (struct wants){neither(a.something, b.something), neither(a.nothing, b.nothing),
                                  NAN};
        g_ptr_array_unref(b.something);
        g_ptr_array_unref(b.nothing);
        return (struct wants){a.nothing, a.something, NAN};
    case CODE_GREATER:
        if (number >= 0)
            break;
        return (struct wants){neither(a.something, b.something), neither(a.nothing, b.nothing),
                              NAN};
    case CODE_GREATER_EQUAL:
        if (number > 0)
            break;
        return (struct wants){neither(a.something, b.something), neither(a.nothing, b.nothing),
                              NAN};
    default:
        return (struct wants){neither(a.something, b.something), neither(a.nothing, b.nothing),
                              NAN};
    }
    g_ptr_array_unref(b.something); /* A must be something for it */
    return (struct wants){a.something, neither(a.nothing, b.nothing), NAN};
}

GArray *expression_clauses(const struct expression *expression)
{
    GArray *clauses = g_array_new(FALSE, FALSE, sizeof(unsigned));
    if (expression->may_fail)
        return clauses;
    g_autofree struct wants *stack = g_new0(struct wants, expression->stack);
    struct wants *top = stack;
    for (guint i = 0; i < expression->code->len; i++) {
        const struct expression_op *op = &g_array_index(expression->code, struct expression_op, i);
        if (op->code == CODE_OR_ELSE || op->code == CODE_AND_THEN)
            continue;
        if (op->code == CODE_NEGATE) {
            top[-1].number = -top[-1].number;
        } else if (op->code <= CODE_SUM) {
            *top++ = wants_of_name(expression, op);
        } else if (op->code == CODE_NOT) {
            top[-1] = (struct wants){top[-1].nothing, top[-1].something, NAN};
        } else if (op->code == CODE_CHOOSE) {
            top -= 2;
            top[-1] = (struct wants){
                neither(neither(top[-1].something, top[0].something), top[1].something),
                neither(neither(top[-1].nothing, top[0].nothing), top[1].nothing), NAN};
        } else {
            top--;
            top[-1] = wants_of_two(op->code, top[-1], *top);
        }
    }
    for (guint i = 0; i < stack->something->len; i++) {
        const GArray *clause = stack->something->pdata[i];
        g_array_append_val(clauses, clause->len);
        g_array_append_vals(clauses, clause->data, clause->len);
    }
    g_ptr_array_unref(stack->something);
    g_ptr_array_unref(stack->nothing);
    return clauses;
}

double expression_value(const struct expression *expression, const double *values, bool *failed_r)
{
    double small[32];
    double *stack = expression->stack <= 32 ? small : g_new(double, expression->stack);
    stack[0] = 0;
    double *top = stack;
    const struct expression_op *op = (const void *)expression->code->data;
    for (const struct expression_op *end = op + expression->code->len; op < end; op++) {
        switch (op->code) {
        case CODE_NUMBER:
            *top++ = op->number;
            break;
        case CODE_NAME:
            *top++ = values[op->name];
            break;
        case CODE_SUM:
            *top++ = sum_members(expression->names->pdata[op->name], values);
            break;
        case CODE_AND_THEN:
            op += isnan(top[-1]) || !is_true(top[-1]) ? op->name : 0;
            break;
        case CODE_OR_ELSE:
            op += isnan(top[-1]) || is_true(top[-1]) ? op->name : 0;
            break;
        default:
            top = apply(op->code, top);
            break;
        }
    }
    double value = stack[0];
    if (stack != small)
        g_free(stack);
    *failed_r = isnan(value);
    return *failed_r ? 0 : value;
}
