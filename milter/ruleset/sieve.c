/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Literals are found by the prefilter, in the order in which they end; runs of sets of bytes by
 * shifting a bit for each of their bytes (Baeza-Yates and Gonnet, 1992), all of them in step.
 */
#include "sieve.h"

#include <string.h>

#include "bytes.h"
#include "prefilter.h"

/* Literals may stand so far from the beginning of a match for its place to be noted. */
#define FAR_MAX 256

/* Stretches that are closer than this are searched as one: a search of its own costs more. Most
 * stretches of one pattern; more become one. */
#define GAP_MIN       16
#define STRETCHES_MAX 100

/* Runs that are met in most texts would be looked for in vain: bits of rarity. Fewer of them than
 * RUNS_MIN are not worth the pass; a pattern with more alternatives than RUNS_EACH_MAX neither. */
#define RARITY_MIN    6
#define RUNS_MIN      8
#define RUNS_EACH_MAX 8

/* So many words of runs cost as much a byte as all literals. */
#define RUN_WORDS 8

/* A literal of a step of a pattern. */
struct literal {
    unsigned pattern, step;
    GString *exact; /* NULL: the case of letters does not count */
    size_t length;
};

/* What is asked of a pattern. */
struct pattern {
    unsigned steps;   /* 0: nothing */
    bool placed;      /* the first step says where a match begins, */
    size_t near, far; /* so many bytes before it */
    unsigned place;   /* of its progress, if it has steps */
    bool has_runs;    /* one of which must occur */
};

struct run {
    struct needs_run needs;
    unsigned word, bit; /* the bit that tells that it was met */
    GArray *patterns;   /* unsigned: that can match when it was */
};

struct sieve {
    unsigned count;
    struct pattern *patterns;
    unsigned stepping; /* patterns that have steps */
    GArray *always;    /* uint64_t, bits of numbers: patterns that pass always */
    struct prefilter *prefilter;
    GArray *literals;  /* struct literal; its index is the prefilter's number */
    GArray *runs;      /* struct run, each once */
    GHashTable *known; /* of struct needs_run -> index + 1, until sieve_finish */
    size_t words;
    uint8_t class_of[256];
    GArray *run_at;   /* unsigned, [word * 64 + bit]: index + 1 of the run that is met with it */
    uint64_t *begins; /* [word] */
    uint64_t *holds;  /* [class * words + word] */
};

/* Where matches can begin; BEFORE is the index + 1 of the stretch before it, 0: none. */
struct stretch {
    size_t first, last;
    unsigned before;
};

/* How far a pattern has come. */
struct progress {
    unsigned step;
    unsigned stretch, stretches; /* the last one's index + 1; how many */
    size_t end;                  /* of the step before */
};

struct sieve_found {
    const struct sieve *sieve;
    const char *text;
    struct work *work;
    unsigned met;      /* literals that are still to be taken of the work */
    GArray *progress;  /* struct progress, of each pattern with steps */
    GArray *passing;   /* uint64_t, bits of numbers: patterns that can match */
    GArray *stretches; /* struct stretch */
    GArray *words;     /* of bits: of each word of runs which were met, then what the scan is at */
    size_t most;       /* bytes that texts before this one took */
};

static guint run_hash(gconstpointer data)
{
    const struct needs_run *run = data;
    guint hash = run->length;
    for (unsigned i = 0; i < run->length; i++)
        for (unsigned n = 0; n < 32; n += 4) {
            guint32 word;
            memcpy(&word, run->sets[i] + n, sizeof word);
            hash = hash * 31 + (word ^ word >> 15);
        }
    return hash;
}

static gboolean run_equal(gconstpointer a, gconstpointer b)
{
    const struct needs_run *left = a, *right = b;
    return left->length == right->length &&
           memcmp(left->sets, right->sets, (size_t)left->length * 32) == 0;
}

static void run_clear(gpointer data)
{
    g_array_unref(((struct run *)data)->patterns);
}

static void literal_clear(gpointer data)
{
    struct literal *literal = data;
    if (literal->exact)
        g_string_free(literal->exact, TRUE);
}

struct sieve *sieve_new(unsigned count)
{
    struct sieve *sieve = g_new0(struct sieve, 1);
    sieve->count = count;
    sieve->patterns = g_new0(struct pattern, count);
    sieve->prefilter = prefilter_new();
    sieve->literals = g_array_new(FALSE, FALSE, sizeof(struct literal));
    g_array_set_clear_func(sieve->literals, literal_clear);
    sieve->runs = g_array_new(FALSE, FALSE, sizeof(struct run));
    g_array_set_clear_func(sieve->runs, run_clear);
    sieve->run_at = g_array_new(FALSE, TRUE, sizeof(unsigned));
    sieve->always = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    g_array_set_size(sieve->always, count / 64 + 1);
    sieve->known = g_hash_table_new_full(run_hash, run_equal, g_free, NULL);
    return sieve;
}

void sieve_free(struct sieve *sieve)
{
    if (!sieve)
        return;
    g_free(sieve->patterns);
    prefilter_free(sieve->prefilter);
    g_array_unref(sieve->literals);
    g_array_unref(sieve->runs);
    g_array_unref(sieve->run_at);
    g_array_unref(sieve->always);
    if (sieve->known)
        g_hash_table_unref(sieve->known);
    g_free(sieve->begins);
    g_free(sieve->holds);
    g_free(sieve);
}

/* Whether the prefilter took all literals of the step; those of another are left to find nothing.
 */
static bool add_step(struct sieve *sieve, unsigned number, unsigned place,
                     const struct needs_step *step, bool caseless)
{
    for (guint i = 0; i < step->literals->len; i++) {
        const GString *text = step->literals->pdata[i];
        struct literal literal = {number, place, NULL, text->len};
        if (!prefilter_add(sieve->prefilter, text->str, text->len, sieve->literals->len))
            return false;
        if (!caseless)
            literal.exact = g_string_new_len(text->str, (gssize)text->len);
        g_array_append_val(sieve->literals, literal);
    }
    return true;
}

static void add_runs(struct sieve *sieve, unsigned number, const GPtrArray *runs)
{
    for (guint i = 0; i < runs->len; i++)
        if (((struct needs_run *)runs->pdata[i])->rarity < RARITY_MIN)
            return;
    sieve->patterns[number].has_runs = true;
    for (guint i = 0; i < runs->len; i++) {
        unsigned index = GPOINTER_TO_UINT(g_hash_table_lookup(sieve->known, runs->pdata[i]));
        if (index == 0) {
            struct run run = {.needs = *(struct needs_run *)runs->pdata[i],
                              .patterns = g_array_new(FALSE, FALSE, sizeof(unsigned))};
            g_array_append_val(sieve->runs, run);
            index = sieve->runs->len;
            g_hash_table_insert(sieve->known, g_memdup2(&run.needs, sizeof run.needs),
                                GUINT_TO_POINTER(index));
        }
        g_array_append_val(g_array_index(sieve->runs, struct run, index - 1).patterns, number);
    }
}

void sieve_add(struct sieve *sieve, unsigned number, const struct needs *needs)
{
    struct pattern *pattern = &sieve->patterns[number];
    const struct needs_step *first = needs->steps->len > 0 ? needs->steps->pdata[0] : NULL;
    unsigned taken = 0;
    while (taken < needs->steps->len &&
           add_step(sieve, number, taken, needs->steps->pdata[taken], needs->caseless))
        taken++;
    pattern->steps = taken;
    if (taken > 0 && !first->loose && first->far <= FAR_MAX) {
        pattern->placed = true;
        pattern->near = first->near;
        pattern->far = first->far;
    }
    if (taken == 0 && needs->runs && needs->runs->len <= RUNS_EACH_MAX)
        add_runs(sieve, number, needs->runs);
}

/* Gives each run its bits, in one word, so that no bit need be shifted from a word to the next. */
static void place_runs(struct sieve *sieve)
{
    unsigned bit = 64;
    for (guint i = 0; i < sieve->runs->len; i++) {
        struct run *run = &g_array_index(sieve->runs, struct run, i);
        if (bit + run->needs.length > 64) {
            sieve->words++;
            bit = 0;
        }
        run->word = (unsigned)sieve->words - 1;
        bit += run->needs.length;
        run->bit = bit - 1;
    }
    g_array_set_size(sieve->run_at, (guint)sieve->words * 64);
    for (guint i = 0; i < sieve->runs->len; i++) {
        const struct run *run = &g_array_index(sieve->runs, struct run, i);
        g_array_index(sieve->run_at, unsigned, run->word * 64 + run->bit) = i + 1;
    }
}

static void set_bit(GArray *bits, unsigned number)
{
    g_array_index(bits, uint64_t, number / 64) |= (uint64_t)1 << number % 64;
}

/* Fills what byte C does to each run. */
static void fill_column(const struct sieve *sieve, unsigned c, uint64_t *column)
{
    memset(column, 0, sieve->words * sizeof *column);
    for (guint i = 0; i < sieve->runs->len; i++) {
        const struct run *run = &g_array_index(sieve->runs, struct run, i);
        for (unsigned n = 0; n < run->needs.length; n++)
            if (bytes_has(run->needs.sets[n], c))
                column[run->word] |= (uint64_t)1 << (run->bit + 1 - run->needs.length + n);
    }
}

/* Bytes that no run tells apart share a class. */
static void fill_tables(struct sieve *sieve)
{
    unsigned classes = 0;
    sieve->begins = g_new0(uint64_t, sieve->words);
    sieve->holds = g_new(uint64_t, sieve->words * 256);
    for (guint i = 0; i < sieve->runs->len; i++) {
        const struct run *run = &g_array_index(sieve->runs, struct run, i);
        sieve->begins[run->word] |= (uint64_t)1 << (run->bit + 1 - run->needs.length);
    }
    for (unsigned c = 0; c < 256; c++) {
        uint64_t *column = sieve->holds + classes * sieve->words;
        unsigned class = 0;
        fill_column(sieve, c, column);
        while (class < classes && memcmp(sieve->holds + class * sieve->words, column,
                                         sieve->words * sizeof *column) != 0)
            class ++;
        sieve->class_of[c] = (uint8_t) class;
        classes = MAX(classes, class + 1);
    }
    sieve->holds = g_renew(uint64_t, sieve->holds, sieve->words * classes);
}

void sieve_finish(struct sieve *sieve)
{
    g_clear_pointer(&sieve->known, g_hash_table_unref);
    prefilter_finish(sieve->prefilter);
    if (sieve->runs->len < RUNS_MIN)
        g_array_set_size(sieve->runs, 0);
    place_runs(sieve);
    if (sieve->words > 0)
        fill_tables(sieve);
    for (unsigned i = 0; i < sieve->count; i++) {
        struct pattern *pattern = &sieve->patterns[i];
        if (pattern->steps > 0)
            pattern->place = sieve->stepping++;
        else if (!pattern->has_runs || sieve->words == 0)
            set_bit(sieve->always, i);
    }
}

static void drop_stretch(struct sieve_found *found, struct progress *progress)
{
    progress->stretch =
        g_array_index(found->stretches, struct stretch, progress->stretch - 1).before;
    progress->stretches--;
}

/* Notes where a match may begin; stretches come nearly in order. */
static void add_stretch(struct sieve_found *found, struct progress *progress, size_t first,
                        size_t last)
{
    struct stretch stretch = {first, last, 0};
    unsigned place = 0; /* of the last that it takes in; it takes its place, so that what a text of
                           nothing but such literals costs stays bounded */
    while (progress->stretch > 0) {
        const struct stretch *before =
            &g_array_index(found->stretches, struct stretch, progress->stretch - 1);
        if (before->last + GAP_MIN < stretch.first && progress->stretches < STRETCHES_MAX)
            break;
        if (before->first <= stretch.first && stretch.last <= before->last)
            return;
        stretch.first = MIN(stretch.first, before->first);
        stretch.last = MAX(stretch.last, before->last);
        place = progress->stretch;
        drop_stretch(found, progress);
    }
    stretch.before = progress->stretch;
    if (place == 0) {
        g_array_append_val(found->stretches, stretch);
        place = found->stretches->len;
    } else {
        g_array_index(found->stretches, struct stretch, place - 1) = stretch;
    }
    progress->stretch = place;
    progress->stretches++;
}

static bool take_met(struct sieve_found *found)
{
    unsigned met = found->met;
    found->met = 0;
    return work_take(found->work, met);
}

static bool take_literal(void *data, unsigned number, size_t end)
{
    struct sieve_found *found = data;
    const struct literal *literal = &g_array_index(found->sieve->literals, struct literal, number);
    const struct pattern *pattern = &found->sieve->patterns[literal->pattern];
    size_t begin = end - literal->length;
    bool more = ++found->met < WORK_LOOK || take_met(found);
    if (literal->step >= pattern->steps)
        return more; /* of a step for which there was no room */
    struct progress *progress = &g_array_index(found->progress, struct progress, pattern->place);
    if (literal->exact && memcmp(literal->exact->str, found->text + begin, literal->length) != 0)
        return more;
    if (literal->step == 0 && pattern->placed && begin >= pattern->near)
        add_stretch(found, progress, begin > pattern->far ? begin - pattern->far : 0,
                    begin - pattern->near);
    if (literal->step == progress->step && begin >= progress->end) {
        progress->end = end;
        if (++progress->step == pattern->steps)
            set_bit(found->passing, literal->pattern);
    }
    return more;
}

/* Notes which runs occur, and the patterns that can match as they do. */
static void scan_runs(struct sieve_found *found, size_t length)
{
    const struct sieve *sieve = found->sieve;
    const uint8_t *p = (const uint8_t *)found->text, *end = p + length;
    g_array_set_size(found->words, 0); /* which clears what is added */
    g_array_set_size(found->words, (guint)(2 * sieve->words));
    uint64_t *met = (uint64_t *)(void *)found->words->data, *state = met + sieve->words;
    for (; p < end; p++) {
        const uint64_t *holds = sieve->holds + sieve->class_of[*p] * sieve->words;
        for (size_t i = 0; i < sieve->words; i++) {
            state[i] = (state[i] << 1 | sieve->begins[i]) & holds[i];
            met[i] |= state[i];
        }
    }
    for (size_t i = 0; i < sieve->words; i++) {
        for (uint64_t left = met[i]; left > 0; left &= left - 1) {
            unsigned bit = (unsigned)__builtin_ctzll(left);
            unsigned index = g_array_index(sieve->run_at, unsigned, i * 64 + bit);
            if (index == 0)
                continue; /* within a run */
            const GArray *patterns = g_array_index(sieve->runs, struct run, index - 1).patterns;
            for (guint n = 0; n < patterns->len; n++)
                set_bit(found->passing, g_array_index(patterns, unsigned, n));
        }
    }
}

struct sieve_found *sieve_found_new(void)
{
    struct sieve_found *found = g_new0(struct sieve_found, 1);
    found->progress = g_array_new(FALSE, TRUE, sizeof(struct progress));
    found->passing = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    found->stretches = g_array_new(FALSE, FALSE, sizeof(struct stretch));
    found->words = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    return found;
}

void sieve_found_free(struct sieve_found *found)
{
    g_array_unref(found->progress);
    g_array_unref(found->passing);
    g_array_unref(found->stretches);
    g_array_unref(found->words);
    g_free(found);
}

size_t sieve_found_size(const struct sieve_found *found)
{
    size_t size =
        found->progress->len * sizeof(struct progress) + found->passing->len * sizeof(uint64_t) +
        found->stretches->len * sizeof(struct stretch) + found->words->len * sizeof(uint64_t);
    return MAX(size, found->most);
}

bool sieve_scan(const struct sieve *sieve, const char *text, size_t length, struct work *work,
                struct sieve_found *found)
{
    found->most = sieve_found_size(found);
    found->work = work;
    found->met = 0;
    found->sieve = sieve;
    found->text = text;
    g_array_set_size(found->progress, 0); /* which clears what is added */
    g_array_set_size(found->progress, sieve->stepping);
    g_array_set_size(found->passing, 0);
    g_array_append_vals(found->passing, sieve->always->data, sieve->always->len);
    g_array_set_size(found->stretches, 0);
    if (!work_take(work, length * (1 + sieve->words / RUN_WORDS)))
        return false;
    if (sieve->literals->len > 0)
        prefilter_find(sieve->prefilter, text, length, take_literal, found);
    if (!take_met(found))
        return false;
    if (sieve->words > 0)
        scan_runs(found, length);
    return true;
}

bool sieve_passes(const struct sieve_found *found, unsigned number)
{
    return g_array_index(found->passing, uint64_t, number / 64) >> number % 64 & 1;
}

unsigned sieve_next(const struct sieve_found *found, unsigned number)
{
    unsigned count = found->sieve->count;
    uint64_t left =
        number < count ? g_array_index(found->passing, uint64_t, number / 64) >> number % 64 : 0;
    if (left > 0)
        return number + (unsigned)__builtin_ctzll(left);
    for (unsigned word = number / 64 + 1; word < found->passing->len; word++) {
        left = g_array_index(found->passing, uint64_t, word);
        if (left > 0)
            return word * 64 + (unsigned)__builtin_ctzll(left);
    }
    return count;
}

void sieve_stretches(const struct sieve_found *found, unsigned number, GArray *stretches)
{
    const struct pattern *pattern = &found->sieve->patterns[number];
    struct sieve_stretch whole = {0, SIZE_MAX};
    if (!pattern->placed) {
        g_array_append_val(stretches, whole);
        return;
    }
    const struct progress *progress =
        &g_array_index(found->progress, struct progress, pattern->place);
    if (progress->stretches == 0)
        return;
    g_array_set_size(stretches, stretches->len + progress->stretches);
    struct sieve_stretch *end = (struct sieve_stretch *)(void *)stretches->data + stretches->len;
    for (unsigned i = progress->stretch; i > 0;) {
        const struct stretch *stretch = &g_array_index(found->stretches, struct stretch, i - 1);
        *--end = (struct sieve_stretch){stretch->first, stretch->last};
        i = stretch->before;
    }
}
