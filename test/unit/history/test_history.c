/* SPDX-License-Identifier: BSD-2-Clause */
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "history/history_forget.h"
#include "history/history_writer.h"
#include "history/history_reader.h"
#include "history_file.h"
#include "history_key.h"
#include "history_record.h"
#include "policy/snapshot.h"
#include "store/statefile.h"

static char *folder;

static char *path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

/* ---- rows ---- */

/* The row of a refused recipient tells of who was accepted first, of whose profile the message is;
 * of him alone, and him once, whether or not the refused one is kept with the message (he is not
 * where there are too many). */
static void test_refused_recipient(void)
{
    char reply[] = "550 5.1.1 unknown";
    char first[] = "first@lab.test", second[] = "other@lab.test", bad[] = "bad@lab.test";
    struct session_recipient accepted = {.address = first},
                             other = {.address = second, .reply = reply},
                             refused = {.address = bad, .reply = reply}, again = {.address = bad};
    const struct {
        struct session_recipient *kept[3];
        guint count;
        bool monitor;
        const char *first; /* NULL: nobody */
    } rows[] = {
        {{&refused}, 1, false, NULL},
        {{&refused}, 1, true, NULL},
        {{&accepted, &refused}, 2, false, first},
        {{&accepted}, 1, false, first},
        {{&other, &accepted}, 2, false, first},
        {{&other, &accepted}, 2, true, second},
        {{&other}, 1, false, NULL},
        {{&other}, 1, true, second},
        {{&other, &again}, 2, false, bad}, /* named twice: the second was too much */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        static const struct policy policy;
        struct facts facts;
        struct history_row row;
        g_autoptr(GPtrArray) kept = g_ptr_array_new();
        facts_init(&facts);
        ipaddr_parse("203.0.113.9", &facts.address);
        facts.has_recipient = true;
        mail_address_parse("<bad@lab.test>", &facts.recipient);
        for (guint at = 0; at < rows[i].count; at++)
            g_ptr_array_add(kept, rows[i].kept[at]);
        const struct event event = {.action = ACTION_REJECT,
                                    .stage = STAGE_RCPT,
                                    .reply = reply,
                                    .facts = &facts,
                                    .policy = &policy,
                                    .recipients = kept,
                                    .monitor = rows[i].monitor};
        history_row_from_event(&row, &event);
        guint others = rows[i].first ? 1 : 0;
        g_assert_cmpuint(row.recipients->len, ==, others + 1);
        const struct history_recipient *all = (const void *)row.recipients->data;
        if (others)
            g_assert_cmpstr(all[0].address, ==, rows[i].first);
        g_assert_cmpstr(all[others].address, ==, "bad@lab.test");
        g_assert_cmpstr(all[others].reply, ==, reply);
        history_row_clear(&row);
        facts_clear(&facts);
    }
}

/* Message N: a client and a session of its own, a sender of four, two recipients. */
static void fill(struct history_row *row, unsigned n, int64_t when, bool early,
                 GStringChunk *memory)
{
    history_row_init(row);
    row->memory = NULL;
    row->when = when;
    row->action = early ? ACTION_REJECT : ACTION_ACCEPT;
    row->stage = early ? STAGE_RCPT : STAGE_MESSAGE;
    row->check = early ? "reject_unauth_destination" : NULL;
    row->reply = early ? "554 5.7.1 Relay access denied" : NULL;
    row->permits[LIST_RELAY] = early ? NULL : "permit_mynetworks";
    g_autofree char *session = g_strdup_printf("session%u", n);
    g_autofree char *queue = g_strdup_printf("Q%u", n);
    g_autofree char *client = g_strdup_printf("10.%u.%u.%u", n >> 16 & 255, n >> 8 & 255, n & 255);
    g_autofree char *sender = g_strdup_printf("Sender%u@Example.com", n % 4);
    g_autofree char *recipient = g_strdup_printf("user%u@lab.test", n);
    row->session = g_string_chunk_insert(memory, session);
    row->queue_id = g_string_chunk_insert(memory, queue);
    row->client = g_string_chunk_insert(memory, client);
    row->client_name = n % 10 == 0 ? "mail.ten.example" : "unknown";
    row->sender = row->sender_meant = g_string_chunk_insert(memory, sender);
    row->login = n % 100 == 0 ? "bob" : NULL;
    row->recipients = g_array_new(FALSE, FALSE, sizeof(struct history_recipient));
    struct history_recipient one = {.address = g_string_chunk_insert(memory, recipient)};
    g_array_append_val(row->recipients, one);
    one.address = "second@other.example";
    if (!early)
        g_array_append_val(row->recipients, one);
}

static struct history_item *item_of(unsigned n, int64_t when, bool early)
{
    struct history_row row;
    GStringChunk *memory = g_string_chunk_new(256);
    g_autoptr(GString) record = g_string_new(NULL);
    fill(&row, n, when, early, memory);
    history_record_write(&row, record);
    struct history_item *item = history_item_new(record->str, record->len);
    item->early = early;
    history_row_clear(&row);
    g_string_chunk_free(memory);
    return item;
}

static void write_items(const char *path, GPtrArray *items, int64_t oldest, int64_t size)
{
    struct state_file *file = state_file_new(path);
    struct history_work work = {.items = items, .oldest = oldest, .size = size, .delimiters = "+-"};
    char *why = NULL;
    do {
        bool done = state_file_run(file, true, history_file_work, &work, &why);
        g_assert_cmpstr(why, ==, NULL);
        g_assert_true(done);
        g_ptr_array_set_size(items, 0);
    } while (work.more);
    state_file_free(file);
}

static GPtrArray *new_items(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))history_item_free);
}

/* COUNT messages, a second between them, the last one now. */
static void write_messages(const char *path, unsigned first, unsigned count, bool early,
                           int64_t oldest, int64_t size)
{
    int64_t now = g_get_real_time();
    g_autoptr(GPtrArray) items = new_items();
    for (unsigned n = first; n < first + count; n++) {
        int64_t when = now - (int64_t)(first + count - 1 - n) * G_USEC_PER_SEC;
        g_ptr_array_add(items, item_of(n, when, early));
        if (items->len == 1000 || n == first + count - 1)
            write_items(path, items, oldest, size);
    }
}

/* A row with something in each field that only some have. */
struct row_of_all {
    struct history_row row;
    GStringChunk *memory;
};

static void row_of_all_init(struct row_of_all *all)
{
    struct history_row *row = &all->row;
    all->memory = g_string_chunk_new(256);
    fill(row, 7, 1234567, false, all->memory);
    row->header = "Subject: x\n";
    row->score = 4.25;
    row->scored = row->tagged = row->smtputf8 = true;
    row->size = 1 << 20;
    row->header_counted = true;
    row->header_bytes = 70000;
    row->header_lines = 12;
    row->least = -0.5;
    row->most = 104.25;
    struct history_asked asked = {"greylist", NULL, CHECK_REFUSE, "451 4.7.0 Greylisted"};
    struct history_recipient *first = &g_array_index(row->recipients, struct history_recipient, 0);
    first->asked = g_array_new(FALSE, FALSE, sizeof asked);
    g_array_append_val(first->asked, asked);
    struct history_list list = {.query = "1.0.0.10.bl.example",
                                .zone = "bl.example",
                                .what = "10.0.0.1",
                                .place = DNSBL_CLIENT,
                                .verdict = DNSBL_LISTED,
                                .codes = "127.0.0.2 127.0.0.4",
                                .weight = -3,
                                .weighted = true};
    row->lists = g_array_new(FALSE, FALSE, sizeof list);
    g_array_append_val(row->lists, list);
}

static void row_of_all_clear(struct row_of_all *all)
{
    g_array_unref(g_array_index(all->row.recipients, struct history_recipient, 0).asked);
    history_row_clear(&all->row);
    g_string_chunk_free(all->memory);
}

/* Packed it says the same, in less. */
static void test_record(void)
{
    struct row_of_all all;
    struct history_row again;
    row_of_all_init(&all);
    g_autoptr(GString) bytes = g_string_new(NULL), bytes_again = g_string_new(NULL);
    g_autoptr(GString) packed = g_string_new(NULL);
    history_record_write(&all.row, bytes);
    g_assert_true(history_record_read(bytes->str, bytes->len, &again));
    history_record_write(&again, bytes_again);
    g_assert_cmpmem(bytes->str, bytes->len, bytes_again->str, bytes_again->len);
    g_assert_cmpstr(again.sender, ==, "Sender3@Example.com");
    g_assert_cmpstr(again.permits[LIST_RELAY], ==, "permit_mynetworks");
    g_assert_cmpint(g_array_index(again.lists, struct history_list, 0).weight, ==, -3);
    g_assert_true(again.tagged && again.smtputf8 && !again.refused && again.header_counted);
    g_assert_cmpuint(again.header_bytes, ==, 70000);
    g_assert_cmpuint(again.header_lines, ==, 12);
    g_assert_cmpfloat(again.least, ==, -0.5);
    g_assert_cmpfloat(again.most, ==, 104.25);
    history_row_clear(&again);
    history_record_pack(&all.row, packed);
    g_assert_cmpuint(packed->len, <, bytes->len * 2 / 3);
    g_assert_true(history_record_read(packed->str, packed->len, &again));
    g_string_truncate(bytes_again, 0);
    history_record_write(&again, bytes_again);
    g_assert_cmpmem(bytes->str, bytes->len, bytes_again->str, bytes_again->len);
    history_row_clear(&again);
    row_of_all_clear(&all);
}

/* Nothing is read behind the end of a record that was cut, or that says something else. */
static void test_broken_record(void)
{
    struct row_of_all all;
    struct history_row again;
    row_of_all_init(&all);
    g_autoptr(GString) bytes = g_string_new(NULL), packed = g_string_new(NULL);
    history_record_write(&all.row, bytes);
    history_record_pack(&all.row, packed);
    for (size_t bit = 8; bit < packed->len * 8; bit++) {
        size_t at = bit / 8;
        g_autofree char *other = g_memdup2(packed->str, packed->len);
        other[at] ^= (char)(1 << bit % 8);
        if (history_record_read(other, at + 1, &again))
            history_row_clear(&again);
        if (history_record_read(other, packed->len, &again))
            history_row_clear(&again);
    }
    for (size_t length = 0; length < bytes->len; length++) {
        g_autofree char *cut = g_memdup2(bytes->str, length);
        if (history_record_read(cut, length, &again))
            history_row_clear(&again);
    }
    row_of_all_clear(&all);
}

/* What a later version adds is passed over. */
static void test_later_record(void)
{
    static const char packed_more[] = "\xf0\x03"
                                      "abc";
    struct row_of_all all;
    struct history_row again;
    row_of_all_init(&all);
    g_autoptr(GString) bytes = g_string_new(NULL), packed = g_string_new(NULL);
    history_record_write(&all.row, bytes);
    history_record_pack(&all.row, packed);
    g_string_append_len(packed, packed_more, sizeof packed_more - 1);
    g_assert_true(history_record_read(packed->str, packed->len, &again));
    history_row_clear(&again);
    g_string_append_len(bytes, "\xf0\x03\0\0\0abc", 8);
    g_assert_true(history_record_read(bytes->str, bytes->len, &again));
    history_row_clear(&again);
    row_of_all_clear(&all);
}

/* ---- finding ---- */

struct found {
    unsigned rows;
    char *first, *last;
};

static bool note(void *data, const struct history_row *row)
{
    struct found *found = data;
    if (found->rows++ == 0)
        found->first = g_strdup(row->queue_id);
    g_free(found->last);
    found->last = g_strdup(row->queue_id);
    return true;
}

static unsigned find(struct history_reader *reader, const char *key, struct history_search search,
                     const char *first)
{
    struct found found = {0};
    char *why = NULL;
    if (key)
        g_assert_true(history_key_parse(key, &search.key));
    g_assert_true(history_search(reader, &search, note, &found, &why));
    g_assert_cmpstr(why, ==, NULL);
    if (first)
        g_assert_cmpstr(found.first, ==, first);
    g_free(found.first);
    g_free(found.last);
    return found.rows;
}

static struct history_reader *open_reader(const char *path)
{
    char *why = NULL;
    struct history_reader *reader = history_reader_open(path, &why);
    g_assert_cmpstr(why, ==, NULL);
    return reader;
}

static void test_search(void)
{
    enum { MESSAGES = 3000 };
    g_autofree char *path = path_of("search.db");
    write_messages(path, 0, MESSAGES, false, 0, G_MAXINT64);
    struct history_reader *reader = open_reader(path);
    static const struct {
        const char *key;
        unsigned rows;
    } rows[] = {
        {"Q17", 1},
        {"session17", 1},
        {"user17@lab.test", 1},
        {"USER17@LAB.TEST", 1},
        {"<user17@lab.test>", 1},
        {"user17@lab.tes", 0},
        {"second@other.example", MESSAGES},
        {"other.example", MESSAGES},
        {"@other.example", MESSAGES},
        {"lab.test", MESSAGES},
        {"sender1@example.com", MESSAGES / 4},
        {"bob", MESSAGES / 100},
        {"mail.ten.example", MESSAGES / 10},
        {"10.0.0.17", 1},
        {"[10.0.0.17]", 1},
        {"10.0.1.0/24", 256},
        {"10.0.0.0/30", 4},
        {"10.0.0.0/8", MESSAGES},
        {"2001:db8::/32", 0},
        {"nothing", 0},
        {"unknown", 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("%s", rows[i].key);
        g_assert_cmpuint(find(reader, rows[i].key, (struct history_search){0}, NULL), ==,
                         rows[i].rows);
    }
    /* most rows have no login */
    struct history_search owner = {0};
    g_assert_true(history_key_parse("user17@lab.test", &owner.key));
    owner.key.login = "Bob";
    g_assert_cmpuint(find(reader, NULL, owner, "Q0"), ==, MESSAGES / 100 + 1);
    int64_t now = g_get_real_time();
    struct history_search some = {.rows_max = 5};
    g_assert_cmpuint(find(reader, "lab.test", some, "Q0"), ==, 5);
    some.newest_first = true;
    g_assert_cmpuint(find(reader, "lab.test", some, "Q2999"), ==, 5);
    g_assert_cmpuint(find(reader, NULL, some, "Q2999"), ==, 5);
    some.newest_first = false;
    g_assert_cmpuint(find(reader, NULL, some, "Q0"), ==, 5);
    struct history_search late = {.since = now - 100 * G_USEC_PER_SEC - G_USEC_PER_SEC / 2};
    unsigned recent = find(reader, "lab.test", late, NULL);
    g_assert_cmpuint(recent, >, 90);
    g_assert_cmpuint(recent, <=, 101);
    g_assert_cmpuint(find(reader, NULL, late, NULL), ==, recent);
    late.until = now - 50 * G_USEC_PER_SEC;
    g_assert_cmpuint(find(reader, NULL, late, NULL), <, recent - 30);
    struct history_search hurried = {.microseconds = 1};
    struct found found = {0};
    char *why = NULL;
    g_assert_false(history_search(reader, &hurried, note, &found, &why));
    g_assert_nonnull(strstr(why, "takes too long"));
    g_free(why);
    g_free(found.first);
    g_free(found.last);
    history_reader_close(reader);
    struct history_key key;
    g_assert_false(history_key_parse("", &key));
    g_assert_false(history_key_parse("@", &key));
    g_assert_false(history_key_parse("<>", &key));
    struct stat status;
    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 07777, ==, 0600);
}

static unsigned count(const char *path, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *query;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_prepare_v2(db, sql, -1, &query, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(query), ==, SQLITE_ROW);
    unsigned number = (unsigned)sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    sqlite3_close(db);
    return number;
}

static bool note_id(void *data, const struct history_row *row)
{
    g_ptr_array_add(data, g_strdup(row->queue_id));
    return true;
}

/* Every spelling finds every other one. */
static void test_spellings(void)
{
    static const struct {
        const char *written, *key;
        bool found;
    } rows[] = {
        {"j@b\303\274cher.example", "j@xn--bcher-kva.example", true},
        {"j@xn--bcher-kva.example", "j@b\303\274cher.example", true},
        {"j@b\303\274cher.example", "J@B\303\234CHER.EXAMPLE", true},
        {"j@bu\314\210cher.example", "j@XN--BCHER-KVA.example", true}, /* decomposed */
        {"j@b\303\274cher\343\200\202example", "j@b\303\274cher.example", true},
        {"j@b\303\274cher.example", "xn--bcher-kva.example", true},
        {"j@xn--bcher-kva.example", "@b\303\234cher.example", true},
        {"j@xn--bcher-kva.example", "bu\314\210cher.example", true},
        {"J\303\226RG@lab.test", "j\303\266rg@lab.test", true},
        {"jo\314\210rg@lab.test", "j\303\266rg@lab.test", true},
        {"\"carol\"@lab.test", "carol@lab.test", true},
        {"carol@lab.test", "\"Ca\\rol\"@LAB.test", true},
        {"\"two words\"@lab.test", "\"two\\ words\"@lab.test", true},
        {"carol@lab.test.", "carol@lab.test", true},
        {"carol@lab.test", "lab.test.", true},
        {"carol+news@lab.test", "carol@lab.test", true},
        {"carol+news+old@lab.test", "Carol@lab.test", true},
        {"\"carol+x\"@b\303\274cher.example", "carol@xn--bcher-kva.example", true},
        {"carol-news@lab.test", "carol@lab.test", true},
        {"carol-news@lab.test", "carol-news@lab.test", true},
        {"bounces+j=x.example@list.example", "bounces@list.example", true},
        {"carol_news@lab.test", "carol@lab.test", false},
        {"carol@lab.test", "carol+news@lab.test", false},
        {"carol+news@lab.test", "carol+old@lab.test", false},
        {"acarol@lab.test", "carol@lab.test", false},
        {"j@buecher.example", "j@b\303\274cher.example", false},
        {"\377\376@lab.test", "\377\376@lab.test", true}, /* no UTF-8 */
        {"\"a@b\"@lab.test", "\"a@b\"@lab.test", true},
    };
    g_autofree char *path = path_of("spellings.db");
    g_autoptr(GPtrArray) items = new_items();
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        GStringChunk *memory = g_string_chunk_new(256);
        g_autoptr(GString) record = g_string_new(NULL);
        struct history_row row;
        fill(&row, i, g_get_real_time(), false, memory);
        g_array_index(row.recipients, struct history_recipient, 0).address = rows[i].written;
        history_record_write(&row, record);
        history_row_clear(&row);
        g_string_chunk_free(memory);
        g_ptr_array_add(items, history_item_new(record->str, record->len));
    }
    write_items(path, items, 0, G_MAXINT64);
    struct history_reader *reader = open_reader(path);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct history_search search = {0};
        g_autofree char *why = NULL, *queue_id = g_strdup_printf("Q%u", i);
        g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
        g_test_message("%s by %s", rows[i].written, rows[i].key);
        g_assert_true(history_key_parse(rows[i].key, &search.key));
        search.key.delimiters = "+-";
        g_assert_true(history_search(reader, &search, note_id, found, &why));
        unsigned times = 0;
        for (guint k = 0; k < found->len; k++)
            times += strcmp(found->pdata[k], queue_id) == 0;
        g_assert_cmpuint(times, ==, rows[i].found);
    }
    /* where no address has an extension, each is itself alone */
    g_assert_cmpuint(find(reader, "bounces@list.example", (struct history_search){0}, NULL), ==, 0);
    history_reader_close(reader);
    /* what goes, goes with all that it was found by */
    write_items(path, items, g_get_real_time() + G_USEC_PER_SEC, G_MAXINT64);
    g_assert_cmpuint(count(path, "SELECT count(*) FROM decision"), ==, 0);
    g_assert_cmpuint(count(path, "SELECT count(*) FROM key"), ==, 0);
}

/* ---- what goes ---- */

static void test_age(void)
{
    g_autofree char *path = path_of("age.db");
    write_messages(path, 0, 1000, false, 0, G_MAXINT64);
    g_autoptr(GPtrArray) none = new_items();
    write_items(path, none, g_get_real_time() - 500 * G_USEC_PER_SEC, G_MAXINT64);
    unsigned rows = count(path, "SELECT count(*) FROM decision");
    g_assert_cmpuint(rows, >, 480);
    g_assert_cmpuint(rows, <=, 501);
    g_assert_cmpuint(count(path, "SELECT count(*) FROM client"), ==, rows);
    g_assert_cmpuint(count(path, "SELECT count(DISTINCT id) FROM key"), ==, rows);
    g_assert_cmpuint(count(path, "SELECT rows FROM total WHERE early = 0"), ==, rows);
}

static bool count_row(void *data, const struct history_row *row)
{
    unsigned *rows = data;
    *rows += row != NULL;
    return true;
}

/* One decision while the clock was a year ahead keeps no older ones alive, nor hides later ones. */
static void test_clock(void)
{
    g_autofree char *path = path_of("clock.db"), *why = NULL;
    int64_t now = g_get_real_time();
    g_autoptr(GPtrArray) items = new_items();
    g_ptr_array_add(items, item_of(0, now + 365 * G_TIME_SPAN_DAY, false));
    for (unsigned n = 1; n <= 50; n++)
        g_ptr_array_add(items, item_of(n, now - G_TIME_SPAN_DAY, false));
    write_items(path, items, 0, G_MAXINT64);
    write_messages(path, 51, 10, false, 0, G_MAXINT64);
    struct history_reader *reader = open_reader(path);
    unsigned rows = 0;
    g_assert_true(history_scan(reader, 0, now + G_USEC_PER_SEC, count_row, &rows, &why));
    g_assert_cmpuint(rows, ==, 60);
    history_reader_close(reader);
    write_items(path, items, now - G_TIME_SPAN_HOUR, G_MAXINT64);
    g_assert_cmpuint(count(path, "SELECT count(*) FROM decision"), ==, 10);
}

/* Whoever is refused a hundred thousand times washes no message out. */
static void test_size(void)
{
    enum { SIZE = 4 << 20, MESSAGES = 3000 };
    g_autofree char *path = path_of("size.db");
    write_messages(path, 0, MESSAGES, false, 0, SIZE);
    g_assert_cmpuint(count(path, "SELECT count(*) FROM decision"), ==, MESSAGES);
    write_messages(path, 100000, 20000, true, 0, SIZE);
    g_assert_cmpuint(count(path, "SELECT count(*) FROM decision WHERE early = 0"), ==, MESSAGES);
    unsigned early = count(path, "SELECT count(*) FROM decision WHERE early = 1");
    g_assert_cmpuint(early, >, 100);
    struct stat status;
    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpint(status.st_size, <, SIZE * 5 / 4);
    /* messages make refusals go, then the oldest of their own */
    write_messages(path, 200000, 10000, false, 0, SIZE);
    g_assert_cmpuint(count(path, "SELECT count(*) FROM decision WHERE early = 1"), ==, 0);
    unsigned left = count(path, "SELECT count(*) FROM decision");
    g_assert_cmpuint(left, <, MESSAGES + 10000);
    g_assert_cmpuint(left, >, 2000);
    struct history_reader *reader = open_reader(path);
    g_assert_cmpuint(find(reader, "Q209999", (struct history_search){0}, NULL), ==, 1);
    g_assert_cmpuint(find(reader, "Q0", (struct history_search){0}, NULL), ==, 0);
    history_reader_close(reader);
    g_assert_cmpuint(count(path, "SELECT count(DISTINCT id) FROM key"), ==, left);
    /* half of the file is the most for refusals where nothing else wants it */
    g_autofree char *other = path_of("half.db");
    write_messages(other, 0, 20000, true, 0, SIZE);
    g_assert_cmpuint(count(other, "SELECT bytes FROM total WHERE early = 1"), <=,
                     SIZE / 2 + 500000);
}

static bool holds(const char *bytes, gsize length, const char *text)
{
    for (gsize i = 0; i + strlen(text) <= length; i++)
        if (memcmp(bytes + i, text, strlen(text)) == 0)
            return true;
    return false;
}

static struct history_forgotten forget(const char *path, const char *address)
{
    struct history_person *person = history_person_new(address, "+", false);
    struct history_forgotten forgotten;
    char *why = NULL;
    g_assert_nonnull(person);
    g_assert_true(history_forget(path, person, &forgotten, &why));
    g_assert_cmpstr(why, ==, NULL);
    history_person_free(person);
    return forgotten;
}

static void test_forget(void)
{
    g_autofree char *path = path_of("forget.db");
    write_messages(path, 0, 2500, false, 0, G_MAXINT64);
    g_assert_cmpuint(forget(path, "User17@lab.test").rows, ==, 1);
    struct history_reader *reader = open_reader(path);
    g_assert_cmpuint(find(reader, "user17@lab.test", (struct history_search){0}, NULL), ==, 0);
    g_assert_cmpuint(find(reader, "user217@lab.test", (struct history_search){0}, NULL), ==, 1);
    history_reader_close(reader);
    /* neither the end nor the beginning of another one's */
    g_assert_cmpuint(forget(path, "ser18@lab.test").rows, ==, 0);
    g_assert_cmpuint(forget(path, "user18@lab").rows, ==, 0);
    g_assert_cmpuint(forget(path, "sender1@example.com").rows, >, 600);
    g_autofree char *text = NULL, *log = g_strconcat(path, "-wal", NULL);
    gsize length;
    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    g_assert_false(holds(text, length, "Sender1@Example.com"));
    g_assert_true(holds(text, length, "Sender2@Example.com"));
    struct stat status;
    g_assert_true(stat(log, &status) != 0 || status.st_size == 0);
    g_autofree char *missing = path_of("missing.db");
    struct history_person *person = history_person_new("a@b", NULL, false);
    struct history_forgotten forgotten;
    char *why = NULL;
    g_assert_false(history_forget(missing, person, &forgotten, &why));
    g_assert_nonnull(strstr(why, "there is no history yet"));
    g_free(why);
    history_person_free(person);
    /* while somebody writes nothing is deleted, and it does not say so */
    sqlite3 *db;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);
    person = history_person_new("sender2@example.com", NULL, false);
    g_assert_false(history_forget(path, person, &forgotten, &why));
    g_assert_nonnull(strstr(why, "locked"));
    g_assert_null(strstr(why, "deleted"));
    g_free(why);
    history_person_free(person);
    g_assert_cmpint(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), ==, SQLITE_OK);
    /* a row that cannot be read goes where its bytes name him */
    g_assert_cmpint(sqlite3_exec(db,
                                 "INSERT INTO decision(at, early, size, row) VALUES(1, 0, 9, "
                                 "CAST(char(255) || 'x user2@lab.test' AS BLOB))",
                                 NULL, NULL, NULL),
                    ==, SQLITE_OK);
    sqlite3_close(db);
    g_assert_cmpuint(forget(path, "user2@lab.test").rows, ==, 2);
}

/* Which texts name whom: in doubt, him. */
static void test_person(void)
{
    static const struct {
        const char *address, *text;
        enum history_named named;
    } rows[] = {
        {"carol@lab.test", "carol@lab.test", HISTORY_NAMED},
        {"Carol@LAB.test", "<CAROL@Lab.Test.>", HISTORY_NAMED},
        {"carol@lab.test", "\"carol\"@lab.test", HISTORY_NAMED},
        {"carol@lab.test", "to=\"car\\ol\"@lab.test,x", HISTORY_NAMED},
        {"\"carol\"@lab.test", "carol@lab.test", HISTORY_NAMED},
        {"\"a b\"@lab.test", "\"A B\"@lab.test", HISTORY_NAMED},
        {"o'brien@lab.test", "550 5.7.1 o'brien@lab.test: no", HISTORY_NAMED},
        {"carol@lab.test", "carol+news@lab.test", HISTORY_NAMED_EXTENSION},
        {"carol@lab.test", "\"carol+a b\"@lab.test", HISTORY_NAMED_EXTENSION},
        {"carol@lab.test", "carol+news@lab.test carol@lab.test", HISTORY_NAMED},
        {"carol+news@lab.test", "carol@lab.test", HISTORY_NAMED_NOT},
        {"carol+news@lab.test", "carol+NEWS@lab.test", HISTORY_NAMED},
        {"carol@lab.test", "xcarol@lab.test", HISTORY_NAMED_NOT},
        {"carol@lab.test", "x.carol@lab.test", HISTORY_NAMED_NOT},
        {"carol@lab.test", "x-carol@lab.test", HISTORY_NAMED_NOT},
        {"carol@lab.test", "carol@lab.test.example", HISTORY_NAMED_NOT},
        {"carol@lab.test", "carol@xlab.test", HISTORY_NAMED_NOT},
        {"carol@lab.test", "carola@lab.test", HISTORY_NAMED_NOT},
        {"postmaster@lab.test", "postmaster+x@lab.test", HISTORY_NAMED_EXTENSION},
        {"carol@lab.test", "550 carol@lab.test.", HISTORY_NAMED},
        {"carol@lab.test", "?to=carol%40lab.test&x", HISTORY_NAMED},
        {"carol@lab.test", "%3Ccarol%40lab.test%3E", HISTORY_NAMED},
        {"carol@lab.test", "prvs=1234abcd=carol@lab.test", HISTORY_NAMED},
        {"carol@lab.test", "bounces+12-carol=lab.test@list.example", HISTORY_NAMED},
        {"carol@lab.test", "SRS0=aB+1=4X=lab.test=carol@fwd.example", HISTORY_NAMED},
        {"carol@lab.test", "SRS0=aB+1=4X=lab.test=xcarol@fwd.example", HISTORY_NAMED_NOT},
        {"carol@lab.test", "carol%lab.test@relay.example", HISTORY_NAMED},
        {"carol@lab.test", "<@a.example:carol@lab.test>", HISTORY_NAMED},
        {"a@b\303\274cher.example", "a@xn--bcher-kva.example", HISTORY_NAMED},
        {"a@xn--bcher-kva.example", "A@B\303\234CHER.example", HISTORY_NAMED},
        {"j\303\266rg@lab.test", "J\303\226RG@lab.test", HISTORY_NAMED},
        {"jo\314\210rg@lab.test", "j\303\266rg@lab.test", HISTORY_NAMED},
        {"carol@[192.0.2.1]", "carol@[192.0.2.1]", HISTORY_NAMED},
        {"carol@lab.test", "carol@lab.test\302\273", HISTORY_NAMED},
        {"carol@lab.test", "carol@lab.test\377", HISTORY_NAMED},
        {"carol@lab.test", "@lab.test", HISTORY_NAMED_NOT},
        {"carol@lab.test", "\"@lab.test", HISTORY_NAMED_NOT},
        {"carol@lab.test", "carol@", HISTORY_NAMED_NOT},
        {"brien@lab.test", "550 o'brien@lab.test", HISTORY_NAMED_NOT},
        {"carol@lab.test", "user='carol@lab.test'", HISTORY_NAMED},
        {"carol@lab.test", "\377=CAROL@lab.test", HISTORY_NAMED},
        {"j\303\266rg@lab.test", "\377=J\303\226RG@lab.test", HISTORY_NAMED},
        {"j\366rg@lab.test", "J\366RG@lab.test", HISTORY_NAMED},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct history_person *person = history_person_new(rows[i].address, "+", false);
        enum history_named named =
            history_person_in_text(person, rows[i].text, strlen(rows[i].text));
        if (named != rows[i].named)
            g_error("%s in %s: %d", rows[i].address, rows[i].text, named);
        history_person_free(person);
    }
    g_assert_null(history_person_new("carol", "+", false));
    /* an extension itself by one delimiter, and has some by the other */
    struct history_person *person = history_person_new("anna-maria@lab.test", "-+", false);
    static const char text[] = "anna-maria+news@lab.test", other[] = "anna-maria-news@lab.test";
    g_assert_cmpint(history_person_in_text(person, text, strlen(text)), ==,
                    HISTORY_NAMED_EXTENSION);
    g_assert_cmpint(history_person_in_text(person, other, strlen(other)), ==, HISTORY_NAMED_NOT);
    history_person_free(person);
}

/* Microseconds of this thread's time to look for somebody in 32 kB of PIECE. */
static gint64 look_through(const char *piece)
{
    struct history_person *person = history_person_new("carol@lab.test", "+", false);
    g_autoptr(GString) text = g_string_new(NULL);
    while (text->len < 32768)
        g_string_append(text, piece);
    struct timespec begin, end;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    g_assert_cmpint(history_person_in_text(person, text->str, text->len), ==, HISTORY_NAMED_NOT);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    history_person_free(person);
    return (end.tv_sec - begin.tv_sec) * G_USEC_PER_SEC + (end.tv_nsec - begin.tv_nsec) / 1000;
}

/* A stranger who writes nothing but what looks like borders costs not much more than one who writes
 * addresses: each border was once folded and looked at anew. */
static void test_hostile_texts(void)
{
    gint64 usual = look_through("someone@lab.test ");
    static const char *const pieces[] = {"=lab.test", "'/!%lab.test", "\\\"@lab.test",
                                         "carol=lab.tes", "\303\251=lab.test"};
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        gint64 took = look_through(pieces[i]);
        g_test_message("%s: %d us beside %d", pieces[i], (int)took, (int)usual);
        g_assert_cmpint(took, <, usual * 800);
    }
}

static enum history_named in_row(const struct history_row *row, bool bare_login)
{
    struct history_person *person = history_person_new("carol@lab.test", "+", bare_login);
    enum history_named named = history_person_in_row(person, row);
    history_person_free(person);
    return named;
}

/* Whatever text of a row it is in. */
static void test_person_in_row(void)
{
    static const char name[] = "carol@lab.test";
    struct history_row row;
    history_row_init(&row);
    g_assert_cmpint(in_row(&row, false), ==, HISTORY_NAMED_NOT);
    const char **const texts[] = {
        &row.check,       &row.reply,       &row.text,         &row.entry,
        &row.session,     &row.client_addr, &row.daemon_name,  &row.cert_subject,
        &row.cert_issuer, &row.auth_authen, &row.mail_addr,    &row.helo,
        &row.login,       &row.sender,      &row.sender_meant, &row.header,
        &row.profile,     &row.client_name, &row.permits[0],   &row.permit_entries[2],
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        *texts[i] = name;
        g_assert_cmpint(in_row(&row, false), ==, HISTORY_NAMED);
        *texts[i] = NULL;
    }
    row.header = "From: \"x\" <carol@\n lab.test>\n";
    g_assert_cmpint(in_row(&row, false), ==, HISTORY_NAMED);
    row.header = "To: =?utf-8?B?Y2Fyb2xAbGFiLnRlc3Q=?= <x@y.example>\n";
    g_assert_cmpint(in_row(&row, false), ==, HISTORY_NAMED);
    row.header = "To: =?utf-8?Q?carol=40lab=2Etest?= <x@y.example>\n";
    g_assert_cmpint(in_row(&row, false), ==, HISTORY_NAMED);
    row.header = NULL;
    struct history_recipient recipient = {.address = "x@y.example"};
    const char **const of[] = {&recipient.address, &recipient.meant, &recipient.reply,
                               &recipient.entry, &recipient.resolved};
    for (size_t i = 0; i < G_N_ELEMENTS(of); i++) {
        row.recipients = history_recipients_new();
        *of[i] = name;
        g_array_append_val(row.recipients, recipient);
        *of[i] = NULL;
        g_assert_cmpint(in_row(&row, false), ==, HISTORY_NAMED);
        history_row_clear(&row);
    }
    struct history_detail detail = {"key", name};
    row.details = g_array_new(FALSE, FALSE, sizeof detail);
    g_array_append_val(row.details, detail);
    g_assert_cmpint(in_row(&row, false), ==, HISTORY_NAMED);
    history_row_clear(&row);
    const char *entry = "inline:carol@lab.test";
    row.entries = g_array_new(FALSE, FALSE, sizeof entry);
    g_array_append_val(row.entries, entry);
    g_assert_cmpint(in_row(&row, false), ==, HISTORY_NAMED);
    history_row_clear(&row);
    struct history_list list = {.query = "x", .zone = "y", .what = name};
    row.lists = g_array_new(FALSE, FALSE, sizeof list);
    g_array_append_val(row.lists, list);
    g_assert_cmpint(in_row(&row, false), ==, HISTORY_NAMED);
    history_row_clear(&row);
    struct history_asked asked = {"check_limit", name, CHECK_REFUSE, NULL};
    row.asked = g_array_new(FALSE, FALSE, sizeof asked);
    g_array_append_val(row.asked, asked);
    g_assert_cmpint(in_row(&row, false), ==, HISTORY_NAMED);
    history_row_clear(&row);
    row.login = "Carol";
    g_assert_cmpint(in_row(&row, false), ==, HISTORY_NAMED_NOT);
    g_assert_cmpint(in_row(&row, true), ==, HISTORY_NAMED);
}

static void test_aside(void)
{
    g_autofree char *path = path_of("aside.db"), *other = path_of("aside.db.bak"),
                    *broken = path_of("aside.db.broken-20260101T000000"),
                    *log = path_of("aside.db.broken-20260101T000000-wal");
    const char *const files[] = {path, other, broken, log};
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
        g_assert_true(g_file_set_contents(files[i], "x", -1, NULL));
    g_autoptr(GPtrArray) none = history_remove_aside(path, g_get_real_time() - G_TIME_SPAN_HOUR);
    g_assert_cmpuint(none->len, ==, 0);
    g_autoptr(GPtrArray) removed = history_remove_aside(path, G_MAXINT64);
    g_assert_cmpuint(removed->len, ==, 2);
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS) && g_file_test(other, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(broken, G_FILE_TEST_EXISTS));
}

/* ---- a file that is none ---- */

static void test_unusable(void)
{
    g_autofree char *path = path_of("broken.db");
    char *why = NULL;
    g_assert_true(
        g_file_set_contents(path, "no database, and long enough to be looked at", -1, NULL));
    g_assert_null(history_reader_open(path, &why));
    g_assert_nonnull(strstr(why, "broken.db"));
    g_clear_pointer(&why, g_free);
    write_messages(path, 0, 10, false, 0, G_MAXINT64); /* puts it aside */
    struct history_reader *reader = open_reader(path);
    g_assert_cmpuint(find(reader, "lab.test", (struct history_search){0}, NULL), ==, 10);
    history_reader_close(reader);
    /* of a later version: nobody touches it */
    sqlite3 *db;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), ==, SQLITE_OK);
    sqlite3_close(db);
    g_assert_null(history_reader_open(path, &why));
    g_assert_nonnull(strstr(why, "another version"));
    g_clear_pointer(&why, g_free);
    struct state_file *file = state_file_new(path);
    g_autoptr(GPtrArray) items = new_items();
    struct history_work work = {.items = items, .size = G_MAXINT64};
    g_assert_false(state_file_run(file, true, history_file_work, &work, &why));
    g_assert_true(work.too_new);
    g_free(why);
    state_file_free(file);
    g_assert_cmpuint(count(path, "SELECT count(*) FROM decision"), ==, 10);
}

/* A file of the first version is brought up, and its rows are found, forgotten and evicted. */
static void test_first_version(void)
{
    static const char schema[] =
        "CREATE TABLE decision(id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
        " early INTEGER NOT NULL, size INTEGER NOT NULL, row BLOB NOT NULL);"
        "CREATE INDEX decision_early ON decision(id) WHERE early = 1;"
        "CREATE TABLE key(day INTEGER, hash INTEGER, id INTEGER, PRIMARY KEY(day, hash, id))"
        " WITHOUT ROWID;"
        "CREATE TABLE client(day INTEGER, address BLOB, id INTEGER, PRIMARY KEY(day, address, id))"
        " WITHOUT ROWID;"
        "CREATE TABLE ruleset(name TEXT PRIMARY KEY, at INTEGER NOT NULL, rules TEXT NOT NULL)"
        " WITHOUT ROWID;"
        "CREATE TABLE total(early INTEGER PRIMARY KEY, rows INTEGER NOT NULL, bytes INTEGER NOT "
        "NULL);"
        "INSERT INTO total VALUES(0, 100, 100000), (1, 0, 0);"
        "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
        "INSERT INTO meta VALUES('seed', x'000102030405060708090a0b0c0d0e0f');"
        "PRAGMA user_version = 1";
    g_autofree char *path = path_of("first.db");
    sqlite3 *db;
    struct siphash_seed seed;
    int64_t now = g_get_real_time();
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, schema, NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(history_file_seed(db, &seed), ==, SQLITE_OK);
    for (unsigned n = 0; n < 100; n++) {
        struct history_item *item = item_of(n, now - 100 + n, false);
        struct history_row row;
        g_autoptr(GArray) hashes = g_array_new(FALSE, FALSE, sizeof(int64_t));
        sqlite3_stmt *insert;
        g_assert_true(history_record_read(item->record, item->length, &row));
        history_row_hashes(&row, &seed, "+", hashes);
        history_row_clear(&row);
        sqlite3_prepare_v2(db, "INSERT INTO decision VALUES(?1, ?2, 0, 1, ?3)", -1, &insert, NULL);
        sqlite3_bind_int64(insert, 1, n + 1);
        sqlite3_bind_int64(insert, 2, now - 100 + n);
        sqlite3_bind_blob(insert, 3, item->record, (int)item->length, SQLITE_TRANSIENT);
        g_assert_cmpint(sqlite3_step(insert), ==, SQLITE_DONE);
        sqlite3_finalize(insert);
        for (guint i = 0; i < hashes->len; i++) {
            g_autofree char *key =
                g_strdup_printf("INSERT INTO key VALUES(%d, %" G_GINT64_FORMAT ", %u)",
                                (int)history_day(now), g_array_index(hashes, int64_t, i), n + 1);
            g_assert_cmpint(sqlite3_exec(db, key, NULL, NULL, NULL), ==, SQLITE_OK);
        }
        history_item_free(item);
    }
    sqlite3_close(db);
    char *why = NULL;
    g_assert_null(history_reader_open(path, &why)); /* the daemon comes first */
    g_clear_pointer(&why, g_free);
    write_messages(path, 100, 10, false, 0, G_MAXINT64);
    g_assert_cmpuint(count(path, "PRAGMA user_version"), ==, HISTORY_SCHEMA);
    struct history_reader *reader = open_reader(path);
    g_assert_cmpuint(find(reader, "user17@lab.test", (struct history_search){0}, NULL), ==, 1);
    g_assert_cmpuint(find(reader, "user107@lab.test", (struct history_search){0}, NULL), ==, 1);
    g_assert_cmpuint(find(reader, "lab.test", (struct history_search){0}, NULL), ==, 110);
    history_reader_close(reader);
    g_assert_cmpuint(forget(path, "user17@lab.test").rows, ==, 1);
    g_autoptr(GPtrArray) none = new_items();
    write_items(path, none, now + G_TIME_SPAN_MINUTE, G_MAXINT64);
    g_assert_cmpuint(count(path, "SELECT count(*) FROM decision"), ==, 0);
    g_assert_cmpuint(count(path, "SELECT count(*) FROM key"), ==, 0);
}

static void remove_folder(void)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = path_of(name);
        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("gatepost-history-XXXXXX", NULL);
    g_test_add_func("/history/record", test_record);
    g_test_add_func("/history/refused-recipient", test_refused_recipient);
    g_test_add_func("/history/broken_record", test_broken_record);
    g_test_add_func("/history/later_record", test_later_record);
    g_test_add_func("/history/search", test_search);
    g_test_add_func("/history/spellings", test_spellings);
    g_test_add_func("/history/age", test_age);
    g_test_add_func("/history/clock", test_clock);
    g_test_add_func("/history/size", test_size);
    g_test_add_func("/history/forget", test_forget);
    g_test_add_func("/history/person", test_person);
    g_test_add_func("/history/hostile-texts", test_hostile_texts);
    g_test_add_func("/history/person-in-row", test_person_in_row);
    g_test_add_func("/history/aside", test_aside);
    g_test_add_func("/history/unusable", test_unusable);
    g_test_add_func("/history/first-version", test_first_version);
    int result = g_test_run();
    remove_folder();
    return result;
}
