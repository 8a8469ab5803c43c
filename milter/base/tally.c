/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A hash table that only grows: a place is taken by one compare-and-swap and never given back, so
 * that whoever looks sees either nothing or the whole counter.
 */
#include "base/tally.h"

#include <string.h>

struct tally_counter {
    _Atomic uint64_t count;
    const char *labels[TALLY_LABELS_MAX];
    char text[]; /* of the labels */
};

struct tally {
    unsigned labels, max, size;    /* SIZE: a power of two, twice MAX at least */
    guint made;                    /* places in ORDER that are given away; atomic */
    struct tally_counter **order;  /* of MAX; atomic */
    struct tally_counter *other;   /* made at once, so that it is always there to take */
    gint full;                     /* OTHER was counted; atomic */
    struct tally_counter **places; /* of SIZE; atomic */
};

const int64_t histogram_bounds[HISTOGRAM_BOUNDS] = {
    100, 300, 1000, 3000, 10000, 30000, 100000, 300000, 1000000, 3000000, 10000000, 30000000};

static struct tally_counter *counter_new(const struct tally *tally, const char *const *labels)
{
    size_t length = 0;
    for (unsigned i = 0; i < tally->labels; i++)
        length += strlen(labels[i]) + 1;
    struct tally_counter *counter = g_malloc0(sizeof *counter + length);
    char *text = counter->text;
    for (unsigned i = 0; i < tally->labels; i++) {
        counter->labels[i] = text;
        text = g_stpcpy(text, labels[i]) + 1;
    }
    return counter;
}

struct tally *tally_new(unsigned labels, unsigned max)
{
    static const char *const other[TALLY_LABELS_MAX] = {TALLY_OTHER, TALLY_OTHER, TALLY_OTHER};
    unsigned size = 16;
    g_assert(labels >= 1 && labels <= TALLY_LABELS_MAX);
    while (size < 2 * max)
        size *= 2;
    struct tally *tally = g_new0(struct tally, 1);
    tally->labels = labels;
    tally->max = max;
    tally->size = size;
    tally->order = g_new0(struct tally_counter *, max);
    tally->places = g_new0(struct tally_counter *, size);
    tally->other = counter_new(tally, other);
    return tally;
}

void tally_free(struct tally *tally)
{
    if (!tally)
        return;
    for (unsigned i = 0; i < tally->size; i++)
        g_free(tally->places[i]);
    g_free(tally->order);
    g_free(tally->places);
    g_free(tally->other);
    g_free(tally);
}

static bool has_labels(const struct tally *tally, const struct tally_counter *counter,
                       const char *const *labels)
{
    for (unsigned i = 0; i < tally->labels; i++)
        if (strcmp(counter->labels[i], labels[i]) != 0)
            return false;
    return true;
}

/* The counter, or NULL with the place where it would stand. */
static struct tally_counter *find(const struct tally *tally, const char *const *labels,
                                  unsigned *place_r)
{
    /* FNV-1a; labels are not a stranger's to choose. */
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (unsigned i = 0; i < tally->labels; i++)
        for (const char *p = labels[i];; p++) {
            hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
            if (*p == '\0')
                break;
        }
    unsigned place = (unsigned)(hash >> 32) & (tally->size - 1);
    struct tally_counter *counter;
    while ((counter = g_atomic_pointer_get(&tally->places[place]))) {
        if (has_labels(tally, counter, labels))
            return counter;
        place = (place + 1) & (tally->size - 1);
    }
    *place_r = place;
    return NULL;
}

/* The counter, made if there is room for one: half of the places stay free, so that a search
 * ends. */
static struct tally_counter *find_or_make(struct tally *tally, const char *const *labels)
{
    unsigned place;
    struct tally_counter *counter = find(tally, labels, &place);
    if (counter)
        return counter;
    guint number;
    do {
        number = (guint)g_atomic_int_get(&tally->made);
        if (number >= tally->max)
            return tally->other;
    } while (!g_atomic_int_compare_and_exchange(&tally->made, number, number + 1));
    struct tally_counter *made = counter_new(tally, labels);
    while (!g_atomic_pointer_compare_and_exchange(&tally->places[place], NULL, made)) {
        /* Another thread was faster: with the same labels, or with others in this place. Its number
         * in the order stays empty then. */
        counter = find(tally, labels, &place);
        if (counter) {
            g_free(made);
            return counter;
        }
    }
    g_atomic_pointer_set(&tally->order[number], made);
    return made;
}

void tally_add(struct tally *tally, const char *const *labels, uint64_t n)
{
    struct tally_counter *counter = find_or_make(tally, labels);
    if (counter == tally->other && !g_atomic_int_get(&tally->full))
        g_atomic_int_set(&tally->full, 1);
    counter->count += n;
}

bool tally_get(const struct tally *tally, const char *const *labels, uint64_t *count_r)
{
    unsigned place;
    const struct tally_counter *counter = find(tally, labels, &place);
    if (counter && count_r)
        *count_r = counter->count;
    return counter != NULL;
}

void tally_foreach(const struct tally *tally,
                   void (*visit)(void *data, const char *const *labels, uint64_t count), void *data)
{
    guint made = (guint)g_atomic_int_get(&tally->made);
    for (unsigned i = 0; i < made; i++) {
        const struct tally_counter *counter = g_atomic_pointer_get(&tally->order[i]);
        if (counter)
            visit(data, counter->labels, counter->count);
    }
    if (g_atomic_int_get(&tally->full))
        visit(data, tally->other->labels, tally->other->count);
}

void histogram_add(struct histogram *histogram, int64_t microseconds)
{
    unsigned bucket = 0;
    while (bucket < HISTOGRAM_BOUNDS && microseconds > histogram_bounds[bucket])
        bucket++;
    histogram->buckets[bucket]++;
    histogram->sum += (uint64_t)MAX(microseconds, 0);
}
