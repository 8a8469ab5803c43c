/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The automaton: first a tree of the literals, then a full table of transitions over classes of
 * bytes (a byte that no literal holds is class 0 and leads to the root).
 */
#include "prefilter.h"

#include <glib.h>
#include <string.h>

struct literal {
    guint8 *bytes; /* folded */
    size_t length;
    unsigned number;
};

/* What is told when a state is reached: a list through the array of outputs. */
struct output {
    unsigned number;
    int next; /* -1: no more */
};

/* Marks a transition to a state that tells of a literal. */
#define HAS_OUTPUT 0x80000000u

struct prefilter {
    GArray *literals; /* struct literal; emptied by prefilter_finish */
    size_t room;      /* states that may still be made */
    uint8_t class_of[256];
    unsigned classes;
    uint16_t *next; /* [state * classes + class]: the state; until prefilter_finish */
    uint32_t *rows; /* [row + class]: the next state's row, state * classes, with HAS_OUTPUT */
    int *first;     /* [state]: first output, -1 for none */
    GArray *outputs;
};

unsigned char prefilter_fold(unsigned char c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7))
        return (unsigned char)(c + 32);
    return c;
}

struct prefilter *prefilter_new(void)
{
    struct prefilter *prefilter = g_new0(struct prefilter, 1);
    prefilter->literals = g_array_new(FALSE, FALSE, sizeof(struct literal));
    prefilter->outputs = g_array_new(FALSE, FALSE, sizeof(struct output));
    prefilter->room = PREFILTER_STATES_MAX - 1;
    prefilter->classes = 1;
    return prefilter;
}

static void free_literals(struct prefilter *prefilter)
{
    for (guint i = 0; i < prefilter->literals->len; i++)
        g_free(g_array_index(prefilter->literals, struct literal, i).bytes);
    g_array_set_size(prefilter->literals, 0);
}

void prefilter_free(struct prefilter *prefilter)
{
    if (!prefilter)
        return;
    free_literals(prefilter);
    g_array_unref(prefilter->literals);
    g_array_unref(prefilter->outputs);
    g_free(prefilter->rows);
    g_free(prefilter->first);
    g_free(prefilter);
}

bool prefilter_add(struct prefilter *prefilter, const char *literal, size_t length, unsigned number)
{
    if (length == 0 || length > prefilter->room)
        return false;
    prefilter->room -= length;
    struct literal row = {g_malloc(length), length, number};
    for (size_t i = 0; i < length; i++) {
        unsigned char c = prefilter_fold((unsigned char)literal[i]);
        row.bytes[i] = c;
        if (prefilter->class_of[c] == 0)
            prefilter->class_of[c] = (uint8_t)prefilter->classes++;
    }
    g_array_append_val(prefilter->literals, row);
    return true;
}

static void add_output(struct prefilter *prefilter, unsigned state, unsigned number)
{
    struct output output = {number, prefilter->first[state]};
    prefilter->first[state] = (int)prefilter->outputs->len;
    g_array_append_val(prefilter->outputs, output);
}

/* Builds the tree; returns the number of states. State 0 is the root; 0 as target means none. */
static unsigned build_tree(struct prefilter *prefilter)
{
    unsigned states = 1, classes = prefilter->classes;
    for (guint i = 0; i < prefilter->literals->len; i++) {
        const struct literal *row = &g_array_index(prefilter->literals, struct literal, i);
        unsigned state = 0;
        for (size_t n = 0; n < row->length; n++) {
            uint16_t *to = &prefilter->next[state * classes + prefilter->class_of[row->bytes[n]]];
            if (*to == 0)
                *to = (uint16_t)states++;
            state = *to;
        }
        add_output(prefilter, state, row->number);
    }
    return states;
}

/* Appends to a state's outputs those of the state that it falls back to. */
static void join_outputs(struct prefilter *prefilter, unsigned state, unsigned fallback)
{
    int *link = &prefilter->first[state];
    while (*link >= 0)
        link = &g_array_index(prefilter->outputs, struct output, *link).next;
    *link = prefilter->first[fallback];
}

/* Fills the missing transitions, breadth first. */
static void build_transitions(struct prefilter *prefilter, unsigned states)
{
    unsigned classes = prefilter->classes, head = 0, tail = 0;
    g_autofree unsigned *queue = g_new(unsigned, states);
    g_autofree unsigned *fallback = g_new0(unsigned, states);
    for (unsigned c = 0; c < classes; c++)
        if (prefilter->next[c])
            queue[tail++] = prefilter->next[c];
    while (head < tail) {
        unsigned state = queue[head++];
        join_outputs(prefilter, state, fallback[state]);
        for (unsigned c = 0; c < classes; c++) {
            uint16_t *to = &prefilter->next[state * classes + c];
            uint16_t other = prefilter->next[fallback[state] * classes + c];
            if (*to) {
                fallback[*to] = other;
                queue[tail++] = *to;
            } else {
                *to = other;
            }
        }
    }
}

/* Makes the rows, with the transitions to states with outputs marked, so that a scan need neither
 * multiply nor look each state up. */
static void build_rows(struct prefilter *prefilter, unsigned states)
{
    size_t count = (size_t)states * prefilter->classes;
    prefilter->rows = g_new(uint32_t, count);
    for (size_t i = 0; i < count; i++) {
        unsigned state = prefilter->next[i];
        prefilter->rows[i] =
            state * prefilter->classes | (prefilter->first[state] >= 0 ? HAS_OUTPUT : 0);
    }
    g_clear_pointer(&prefilter->next, g_free);
}

/* Upper case letters share the class of their lower case. */
static void fold_classes(struct prefilter *prefilter)
{
    for (unsigned c = 0; c < 256; c++)
        prefilter->class_of[c] = prefilter->class_of[prefilter_fold((unsigned char)c)];
}

void prefilter_finish(struct prefilter *prefilter)
{
    size_t most = PREFILTER_STATES_MAX - prefilter->room;
    prefilter->next = g_new0(uint16_t, most * prefilter->classes);
    prefilter->first = g_new(int, most);
    for (size_t i = 0; i < most; i++)
        prefilter->first[i] = -1;
    unsigned states = build_tree(prefilter);
    build_transitions(prefilter, states);
    build_rows(prefilter, states);
    fold_classes(prefilter);
    free_literals(prefilter);
}

void prefilter_find(const struct prefilter *prefilter, const char *text, size_t length,
                    bool (*found)(void *data, unsigned number, size_t end), void *data)
{
    const uint8_t *p = (const uint8_t *)text, *end = p + length;
    const uint32_t *rows = prefilter->rows;
    uint32_t row = 0;
    while (p < end) {
        row = rows[row + prefilter->class_of[*p++]];
        if (G_LIKELY(!(row & HAS_OUTPUT)))
            continue;
        row &= ~HAS_OUTPUT;
        for (int at = prefilter->first[row / prefilter->classes]; at >= 0;) {
            const struct output *output = &g_array_index(prefilter->outputs, struct output, at);
            if (!found(data, output->number, (size_t)(p - (const uint8_t *)text)))
                return;
            at = output->next;
        }
    }
}

static bool note(void *data, unsigned number, size_t end)
{
    (void)end;
    ((uint8_t *)data)[number] = 1;
    return true;
}

void prefilter_scan(const struct prefilter *prefilter, const char *text, size_t length,
                    uint8_t *found)
{
    prefilter_find(prefilter, text, length, note, found);
}
