/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading times.
 */
#include "mtatime.h"

#include <glib.h>

enum { YEAR = 366 * 86400 };

unsigned mtatime_seconds(const char *text)
{
    static const struct {
        char unit;
        unsigned seconds;
    } rows[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    guint64 sum = 0;
    while (g_ascii_isdigit(*text) && sum < YEAR) {
        char *end;
        guint64 number = MIN(g_ascii_strtoull(text, &end, 10), (guint64)YEAR);
        unsigned factor = 1;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
            if (*end == rows[i].unit)
                factor = rows[i].seconds;
        sum += number * factor;
        text = *end ? end + 1 : end;
    }
    return (unsigned)MIN(sum, (guint64)YEAR);
}
