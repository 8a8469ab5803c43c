/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Log lines, which strangers write into, and rows out of files that anybody may have handed over:
 * read within bounds; what was read of a line is a row that can be written and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "history/history_log.h"
#include "history_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether what is written of ROW is read as the same again. */
static void check_again(const struct history_row *row)
{
    struct history_row again;
    g_autoptr(GString) first = g_string_new(NULL), second = g_string_new(NULL);
    history_record_write(row, first);
    if (!history_record_read(first->str, first->len, &again))
        abort();
    history_record_write(&again, second);
    if (first->len != second->len || memcmp(first->str, second->str, first->len) != 0)
        abort();
    history_row_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct history_row row;
    g_autofree char *line = g_strndup((const char *)data, size);
    if (history_log_parse(line, INT64_C(1795786245) * G_USEC_PER_SEC, &row) == HISTORY_LOG_ROW) {
        if (!row.client || !row.client_name || row.when < 0)
            abort();
        check_again(&row);
        history_row_clear(&row);
    }
    struct history_log_sent sent;
    if (history_log_read_sent(line, INT64_C(1795786245) * G_USEC_PER_SEC, &sent)) {
        if (!*sent.login || sent.when < 0)
            abort();
        history_log_sent_clear(&sent);
    }
    if (history_record_read(data, size, &row)) {
        check_again(&row);
        history_row_clear(&row);
    }
    return 0;
}
