/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The macros of a connection.
 */
#include "macros.h"

#include <string.h>

void macros_forget(struct macros *macros, enum macros_stage stage)
{
    for (unsigned i = stage; i < MACROS_STAGES; i++) {
        g_clear_pointer(&macros->of[i].text, g_free);
        macros->of[i].length = 0;
    }
}

/* The stage of each command that has one. */
static const char letters[MACROS_STAGES + 1] = "CHMRTEN";

bool macros_take(struct macros *macros, const struct wire_packet *packet)
{
    if (packet->length < 1)
        return false;
    const char *letter = memchr(letters, packet->data[0], MACROS_STAGES);
    if (packet->length > 1 && packet->data[packet->length - 1] != '\0')
        return false;
    if (!letter)
        return true;
    enum macros_stage stage = (enum macros_stage)(letter - letters);
    macros_forget(macros, stage);
    macros->of[stage].length = packet->length - 1;
    macros->of[stage].text = g_memdup2(packet->data + 1, packet->length - 1);
    return true;
}

/* A name of one letter may stand in braces, on either side. */
static bool same(const char *a, const char *b)
{
    if (strcmp(a, b) == 0)
        return true;
    if (a[0] == '{' && a[1] && a[2] == '}' && !a[3])
        return b[0] == a[1] && !b[1];
    return b[0] == '{' && b[1] && b[2] == '}' && !b[3] && a[0] == b[1] && !a[1];
}

static const char *get(void *context, const char *name)
{
    const struct macros *macros = context;
    for (unsigned i = MACROS_STAGES; i-- > 0;) {
        const char *text = macros->of[i].text;
        struct wire_cursor cursor = {.at = text, .end = text ? text + macros->of[i].length : text};
        const char *found, *value;
        while ((found = wire_string(&cursor)) && (value = wire_string(&cursor)))
            if (same(found, name))
                return value;
    }
    return NULL;
}

struct macro_source macros_source(struct macros *macros)
{
    return (struct macro_source){.get = get, .context = macros};
}
