/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines as packets.
 */
#include "packet_script.h"

#include <glib.h>

unsigned char *packet_script_data(const char *text, size_t *length_r)
{
    GByteArray *data = g_byte_array_new();
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (text[0] == '\\' && (text[1] == '0' || text[1] == 'n')) {
            byte = *++text == '0' ? '\0' : '\n';
        } else if (text[0] == '\\' && text[1] == 'x' && g_ascii_isxdigit(text[2]) &&
                   g_ascii_isxdigit(text[3])) {
            byte =
                (unsigned char)(g_ascii_xdigit_value(text[2]) << 4 | g_ascii_xdigit_value(text[3]));
            text += 3;
        }
        g_byte_array_append(data, &byte, 1);
    }
    *length_r = data->len;
    return g_byte_array_free(data, FALSE);
}
