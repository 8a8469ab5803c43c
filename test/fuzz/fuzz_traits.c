/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Charsets and scripts of whole messages from a stranger, and the parameters of each field.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/charset.h"
#include "mail/mimeparam.h"
#include "mail/message.h"
#include "ruleset/traits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct header_list *headers = header_list_new();
    struct traits traits;
    g_autoptr(GString) value = g_string_new(NULL);
    size_t body = message_parse((const char *)data, size, headers), letters = 0;
    if (body > size || header_list_bytes(headers) > size + header_list_count(headers) * 2)
        abort();
    for (size_t i = 0; i < header_list_count(headers); i++) {
        const struct header *field = header_list_get(headers, i);
        g_ptr_array_unref(mimeparam_all(field->value, field->value_length, "charset"));
        mimeparam_type(field->value, field->value_length, value);
    }
    traits_read(headers, (const char *)data + body, size - body, size % 2 == 0, &traits);
    if (traits.charsets->len > TRAITS_CHARSETS_MAX + charset_count())
        abort();
    for (int i = 0; i < SCRIPT_MAX; i++)
        letters += traits.scripts.of[i];
    if (letters != traits.scripts.letters)
        abort();
    traits_clear(&traits);
    header_list_free(headers);
    return 0;
}
