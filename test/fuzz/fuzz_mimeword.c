/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Encoded words from a stranger: the result is valid UTF-8 and of bounded length.
 */
#include <stdint.h>
#include <stdlib.h>

#include "mail/charset.h"
#include "mail/mimeword.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GString) out = g_string_new(NULL);
    mimeword_decode_field("Subject", (const char *)data, size, out);
    if (!charset_is_utf8(out->str, out->len) || out->len > 12 * size + 64)
        abort();
    g_string_truncate(out, 0);
    mimeword_decode_name((const char *)data, size, out);
    if (!charset_is_utf8(out->str, out->len))
        abort();
    g_autoptr(GString) strict = g_string_new(NULL);
    mimeword_relabel((const char *)data, size, strict);
    g_string_truncate(out, 0);
    mimeword_decode(strict->str, strict->len, out);
    g_string_truncate(out, 0);
    charset_to_utf8("hz-gb-2312", (const char *)data, size, out);
    if (!charset_is_utf8(out->str, out->len) || out->len > 3 * size + 64)
        abort();
    return 0;
}
