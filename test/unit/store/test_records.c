/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What strangers can bring about in the records: as many keys as they like, whoever can write them
 * or not.
 */
#include "records.h"

#include <glib.h>
#include <malloc.h>

enum { HOUR = 3600 * 1000, MOST = 16000 };

static int64_t told_time(void *data)
{
    (void)data;
    return 1795000000000LL;
}

static const struct store_clock test_clock = {.now = told_time};

static struct store_answer grey(struct records *records, unsigned number)
{
    g_autofree char *key = g_strdup_printf("g:192.0.2.0/24|s%u@far.test|bob@lab.test", number);
    const struct store_request request = {
        .action = STORE_GREY, .key = key, .delay = 60000, .open = HOUR, .keep = HOUR};
    struct store_answer answer;
    records_apply(records, &request, &answer);
    return answer;
}

static unsigned counters(struct records *records)
{
    g_autoptr(GPtrArray) keys = records_keys(records, "l:");
    return keys->len;
}

/* However long it lasts, no sender begins anew. */
static void test_flood(void)
{
    enum { SENDERS = MOST / 4, STRANGERS = 40 * MOST };
    struct records *records = records_new(&test_clock, MOST, false);
    for (unsigned i = 0; i < SENDERS; i++) {
        g_autofree char *key = g_strdup_printf("l:out|3600|%u", i);
        const struct store_request request = {
            .action = STORE_ADD, .key = key, .window = {.length = HOUR}, .n = 1, .max = 10};
        struct store_answer answer;
        records_apply(records, &request, &answer);
    }
    for (unsigned number = 0; number < STRANGERS; number++)
        grey(records, number);
    g_assert_cmpuint(records_count(records), <=, MOST);
    g_assert_cmpuint(records_forgotten(records), >, STRANGERS - MOST);
    g_assert_cmpuint(counters(records), ==, SENDERS);
    records_free(records);
}

static void count_record(void *data, const char *key, const char *text, int64_t expires)
{
    (void)key, (void)expires;
    *(unsigned *)data += text != NULL;
}

static size_t in_use(void)
{
    return mallinfo2().uordblks;
}

/* While nobody can write them changes are not kept for ever, and then nothing is missing. */
static void test_unwritten(void)
{
    struct records *records = records_new(&test_clock, MOST, true);
    unsigned number = 0, seen = 0;
    while (number < 4 * MOST)
        grey(records, number++);
    size_t before = in_use();
    while (number < 24 * MOST)
        grey(records, number++);
    g_assert_cmpuint(in_use(), <, before + (1 << 20));
    g_assert_true(records_has_changes(records));
    g_assert_true(records_lost_changes(records));
    /* written in vain, and again */
    for (int written = 0; written <= 1; written++) {
        g_assert_true(records_lost_changes(records));
        seen = 0;
        records_changes(records, true, count_record, &seen);
        g_assert_cmpuint(seen, ==, records_count(records));
        g_assert_false(records_lost_changes(records));
        records_confirm(records, written);
    }
    g_assert_false(records_has_changes(records));
    g_assert_cmpint(grey(records, number - 1).mark, ==, STORE_MARK_EARLY);
    g_assert_cmpint(grey(records, number).mark, ==, STORE_MARK_NEW);
    seen = 0;
    records_changes(records, false, count_record, &seen);
    g_assert_cmpuint(seen, ==, 1);
    records_free(records);
}

/* A file that is to have all records is begun anew only by who knew, before, that some are lost. */
static void test_lost_meanwhile(void)
{
    struct records *records = records_new(&test_clock, MOST, true);
    unsigned seen = 0;
    g_assert_false(records_lost_changes(records));
    for (unsigned number = 0; number < 4 * MOST; number++)
        grey(records, number);
    records_changes(records, true, count_record, &seen);
    records_confirm(records, true);
    g_assert_true(records_lost_changes(records));
    records_changes(records, true, count_record, &seen);
    records_confirm(records, true);
    g_assert_false(records_has_changes(records));
    records_free(records);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/records/flood", test_flood);
    g_test_add_func("/records/unwritten", test_unwritten);
    g_test_add_func("/records/lost-meanwhile", test_lost_meanwhile);
    return g_test_run();
}
