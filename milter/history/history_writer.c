/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The queue of decisions, and the thread that writes them. A batch that cannot be written stays in
 * the queue and is tried again, so that a disk that is full for a moment costs nothing.
 */
#include "history/history_writer.h"

#include <string.h>
#include <time.h>

#include "checks/spam.h"
#include "history/history_forget.h"
#include "history_file.h"
#include "policy/snapshot.h"
#include "settings/stateplace.h"
#include "store/statefile.h"

/* How long rows gather before they are written; how many at once; when it is tried again, at the
 * latest where each try rewrites the file; how often what is too old is looked for. */
enum {
    GATHER_US = 200 * 1000,
    BATCH_ROWS = 4000,
    BATCH_BYTES = 4 << 20,
    RETRY_US = G_USEC_PER_SEC,
    RETRY_MAX_US = 300 * G_USEC_PER_SEC,
    IDLE_US = 60 * G_USEC_PER_SEC,
    CLEAR_SECONDS = 3600,
    ITEM_EXTRA = 128,       /* bytes that an item needs beside its record */
    SCRATCH_MAX = 16 << 10, /* bytes that a thread keeps to make its records in */
};

struct history_writer {
    struct state_file *file;
    struct history_log log;
    char *path;
    GThread *thread;
    GMutex lock; /* of what follows; never held while the file is touched */
    GCond changed;
    struct history_options options;
    GQueue items;    /* of struct history_item */
    size_t bytes[2]; /* of them all, by whether they are early */
    struct history_state state;
    bool stop, ended;
    guint rows_max;  /* the thread's: of a batch; fewer where more did not fit on the disk */
    int64_t retry;   /* the thread's: us that a file that could not be written is left alone */
    int64_t cleared; /* the thread's: us since 1970, when what rows left behind was cleared away */
    char *fault;     /* the thread's: what the last try met, and was told; NULL: nothing */
};

const char *history_path(const struct settings *settings)
{
    const char *text = settings_get(settings, NULL, SETTING_HISTORY)->text;
    return g_str_has_prefix(text, "sqlite:") ? text + strlen("sqlite:") : NULL;
}

/* Those that a listener (NULL: main) has, each once. */
static void add_delimiters(struct history_options *options, const struct settings *settings,
                           const struct section *section)
{
    const char *at = settings_get(settings, section, SETTING_RECIPIENT_DELIMITER)->text;
    size_t length = strlen(options->delimiters);
    for (; *at && length + 1 < sizeof options->delimiters; at++)
        if (!strchr(options->delimiters, *at))
            options->delimiters[length++] = *at;
}

struct history_options history_options_from(const struct settings *settings)
{
    struct history_options options = {
        .keep = settings_integer(settings, NULL, SETTING_HISTORY_KEEP),
        .size = settings_integer(settings, NULL, SETTING_HISTORY_SIZE),
    };
    g_strlcpy(options.delimiters, "+", sizeof options.delimiters);
    add_delimiters(&options, settings, NULL);
    guint count = settings_section_count(settings, SECTION_LISTENER);
    for (guint i = 0; i < count; i++)
        add_delimiters(&options, settings, settings_section(settings, SECTION_LISTENER, i));
    return options;
}

struct history_writer *history_writer_new(const char *path, const struct history_options *options,
                                          const struct history_log *log)
{
    struct history_writer *history = g_new0(struct history_writer, 1);
    history->path = g_strdup(path);
    history->file = state_file_new(path);
    history->log = *log;
    history->options = *options;
    history->rows_max = BATCH_ROWS;
    history->retry = RETRY_US;
    g_queue_init(&history->items);
    g_mutex_init(&history->lock);
    g_cond_init(&history->changed);
    return history;
}

void history_writer_configure(struct history_writer *history, const struct history_options *options)
{
    g_mutex_lock(&history->lock);
    history->options = *options;
    g_mutex_unlock(&history->lock);
}

/* ---- the threads of mail ---- */

static size_t size_of(const struct history_item *item)
{
    return item->length + ITEM_EXTRA;
}

/* A flood of refusals drops none of the rest: it has half of the queue. */
static void put(struct history_writer *history, struct history_item *item)
{
    size_t size = size_of(item), most = HISTORY_WAITING_MAX;
    g_mutex_lock(&history->lock);
    bool fits = !history->ended && history->bytes[0] + history->bytes[1] + size <= most &&
                (!item->early || history->bytes[1] + size <= most / 2);
    if (fits) {
        g_queue_push_tail_link(&history->items, &item->link);
        history->bytes[item->early] += size;
        history->state.waiting++;
        if (history->items.length == 1)
            g_cond_signal(&history->changed);
    } else {
        history->state.dropped++;
    }
    g_mutex_unlock(&history->lock);
    if (!fits)
        history_item_free(item);
}

static void free_scratch(void *scratch)
{
    g_string_free(scratch, TRUE);
}

/* Records are made where the thread made its last one, and copied when their length is known: what
 * waits is small, and the thread that frees it is another. */
void history_writer_event(void *data, const struct event *event)
{
    static GPrivate scratch = G_PRIVATE_INIT(free_scratch);
    struct history_row row;
    if (action_is_note(event->action))
        return;
    GString *record = g_private_get(&scratch);
    if (!record || record->allocated_len > SCRATCH_MAX) {
        record = g_string_sized_new(2048);
        g_private_replace(&scratch, record);
    }
    g_string_truncate(record, 0);
    history_row_from_event(&row, event);
    history_record_write(&row, record);
    struct history_item *item = history_item_new(record->str, record->len);
    item->early = history_row_is_early(&row);
    if (row.ruleset) {
        const struct spam_site *spam = event->policy->site.spam;
        item->rules_name = g_ref_string_acquire(spam->rules_name);
        item->rules_text = g_ref_string_acquire(spam->rules_text);
    }
    history_row_clear(&row);
    put(data, item);
}

/* ---- the thread that writes ---- */

/* Says what is new: a fault that was there before was told. Takes over WHY; NULL: it went well. */
static void tell(struct history_writer *history, char *why)
{
    g_autofree char *aside = state_file_put_aside(history->file);
    g_autofree char *text = NULL;
    if (aside) {
        g_autofree char *broken = g_strdup_printf(
            "the history was broken and was put aside as %s; it begins anew", aside);
        history->log.warning(history->log.data, broken);
    }
    if (why && g_strcmp0(why, history->fault) != 0) {
        text = g_strdup_printf("history: %s: what is decided is lost to trace, replay and report "
                               "once no more fits into memory; mail goes on",
                               why);
        history->log.warning(history->log.data, text);
    } else if (!why && history->fault) {
        text = g_strdup_printf("history: %s is written again", history->path);
        history->log.info(history->log.data, text);
    }
    g_free(history->fault);
    history->fault = why;
}

/* The next batch, out of the queue. With the lock held. */
static GPtrArray *take_batch(struct history_writer *history)
{
    GPtrArray *items = g_ptr_array_new();
    size_t bytes = 0;
    GList *link;
    while (items->len < history->rows_max && bytes < BATCH_BYTES &&
           (link = g_queue_pop_head_link(&history->items))) {
        struct history_item *item = link->data;
        bytes += size_of(item);
        history->bytes[item->early] -= size_of(item);
        g_ptr_array_add(items, item);
    }
    return items;
}

static int64_t thread_time(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0)
        return 0;
    return (int64_t)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* What was put aside holds rows as old as itself, at least. */
static void clear_aside(struct history_writer *history, int64_t oldest)
{
    g_autoptr(GPtrArray) removed = history_remove_aside(history->path, oldest);
    for (guint i = 0; i < removed->len; i++) {
        g_autofree char *text =
            g_strdup_printf("%s, put aside as broken, is older than history_keep and is removed",
                            (const char *)removed->pdata[i]);
        history->log.info(history->log.data, text);
    }
}

/* Takes a batch and writes it; with the lock held, which it gives up meanwhile. Whether it could be
 * written; *MORE_R: there is more to be cleared away. */
static bool write_batch(struct history_writer *history, bool *more_r)
{
    int64_t now = g_get_real_time();
    const struct history_options options = history->options;
    struct history_work work = {
        .items = take_batch(history),
        .oldest = now - options.keep,
        .size = options.size,
        .delimiters = options.delimiters,
        /* once an hour, whether rows come or not, and whatever the clock does */
        .clears = now < history->cleared ||
                  now - history->cleared >= CLEAR_SECONDS * (int64_t)G_USEC_PER_SEC,
    };
    char *why = NULL;
    g_mutex_unlock(&history->lock);
    bool done = state_file_run(history->file, true, history_file_work, &work, &why);
    if (work.too_new) {
        g_free(why);
        why = g_strdup_printf("%s was written by a later version of gatepost; move it away, or set "
                              "history to another file",
                              history->path);
    }
    if (work.rises && why) {
        char *whole = g_strdup_printf("%s (it is rewritten for this version of gatepost, for which "
                                      "it needs as much room as it has)",
                                      why);
        g_free(why);
        why = whole;
    }
    tell(history, why);
    /* What does not fit may fit in parts. To rewrite a large file each second for nothing would be
     * worse for the machine than what is lost meanwhile. */
    history->rows_max = done ? MIN(2 * history->rows_max, BATCH_ROWS) : MAX(work.items->len / 2, 1);
    history->retry = done || !work.rises ? RETRY_US : MIN(2 * history->retry, RETRY_MAX_US);
    if (done)
        g_ptr_array_foreach(work.items, (GFunc)(void (*)(void))history_item_free, NULL);
    if (done && work.clears) {
        history->cleared = now;
        clear_aside(history, work.oldest);
    }
    g_mutex_lock(&history->lock);
    if (done) {
        history->state.written += work.items->len;
        history->state.waiting -= work.items->len;
        history->state.evicted += work.evicted;
        history->state.bytes = work.bytes;
        history->state.failing_since = 0;
        g_cond_broadcast(&history->changed); /* who flushes */
    } else {
        if (history->state.failing_since == 0)
            history->state.failing_since = g_get_real_time();
        /* back to where they came from */
        for (guint i = work.items->len; i-- > 0;) {
            struct history_item *item = work.items->pdata[i];
            history->bytes[item->early] += size_of(item);
            g_queue_push_head_link(&history->items, &item->link);
        }
    }
    history->state.thread_us = thread_time();
    g_ptr_array_unref(work.items);
    *more_r = done && work.more;
    return done;
}

static void sleep_until(struct history_writer *history, gint64 microseconds)
{
    gint64 end = g_get_monotonic_time() + microseconds;
    while (!history->stop && g_cond_wait_until(&history->changed, &history->lock, end))
        continue;
}

static void *write_rows(void *data)
{
    struct history_writer *history = data;
    bool more = true; /* what is too old by now */
    g_mutex_lock(&history->lock);
    while (!history->stop) {
        if (!more) {
            /* until there is something to write, or it is time to clear away */
            gint64 end = g_get_monotonic_time() + IDLE_US;
            while (!history->stop && g_queue_is_empty(&history->items) &&
                   g_cond_wait_until(&history->changed, &history->lock, end))
                continue;
        }
        if (!g_queue_is_empty(&history->items) && !more)
            sleep_until(history, GATHER_US);
        if (!write_batch(history, &more) && !history->stop)
            sleep_until(history, history->retry);
    }
    while (!g_queue_is_empty(&history->items) && write_batch(history, &more))
        continue;
    history->state.dropped += history->items.length;
    history->ended = true;
    g_cond_broadcast(&history->changed);
    g_mutex_unlock(&history->lock);
    return NULL;
}

void history_writer_start(struct history_writer *history)
{
    history->thread = g_thread_new("history", write_rows, history);
}

bool history_writer_stop(struct history_writer *history, gint64 microseconds)
{
    if (!history || !history->thread)
        return true;
    gint64 end = g_get_monotonic_time() + microseconds;
    g_mutex_lock(&history->lock);
    history->stop = true;
    g_cond_broadcast(&history->changed);
    while (!history->ended && g_cond_wait_until(&history->changed, &history->lock, end))
        continue;
    bool ended = history->ended;
    g_mutex_unlock(&history->lock);
    if (ended)
        g_clear_pointer(&history->thread, g_thread_join);
    return ended;
}

uint64_t history_writer_flush(struct history_writer *history, gint64 microseconds)
{
    gint64 end = g_get_monotonic_time() + microseconds;
    g_mutex_lock(&history->lock);
    uint64_t wanted = history->state.written + history->state.waiting;
    while (!history->ended && history->state.written < wanted &&
           g_cond_wait_until(&history->changed, &history->lock, end))
        continue;
    uint64_t left = wanted - MIN(wanted, history->state.written);
    g_mutex_unlock(&history->lock);
    return left;
}

void history_writer_free(struct history_writer *history)
{
    if (!history)
        return;
    GList *link;
    while ((link = g_queue_pop_head_link(&history->items)))
        history_item_free(link->data);
    state_file_free(history->file);
    g_mutex_clear(&history->lock);
    g_cond_clear(&history->changed);
    g_free(history->path);
    g_free(history->fault);
    g_free(history);
}

void history_writer_get_state(struct history_writer *history, struct history_state *state_r)
{
    g_mutex_lock(&history->lock);
    *state_r = history->state;
    g_mutex_unlock(&history->lock);
}
