/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The macros of a connection.
 */
#include "macros.h"

#include <string.h>

/* A session asks for some forty names of as many macros: most of them differ in their sums. */
struct macro {
    uint32_t sum;  /* of its name */
    uint32_t size; /* of its name; a letter alone has no braces */
    uint32_t name; /* where it begins in the text */
    uint32_t value;
};

/* NAME without the braces that a name of one letter may stand in, and its length. */
static const char *bare(const char *name, size_t *length)
{
    if (*length != 3 || name[0] != '{' || name[2] != '}')
        return name;
    *length = 1;
    return name + 1;
}

/* Of length, first, middle and last letter. */
static uint32_t sum_of(const char *name, size_t length)
{
    if (length == 0)
        return 0;
    return (uint32_t)length | (uint32_t)(unsigned char)name[0] << 8 |
           (uint32_t)(unsigned char)name[length / 2] << 16 |
           (uint32_t)(unsigned char)name[length - 1] << 24;
}

void macros_forget(struct macros *macros, enum macros_stage stage)
{
    for (unsigned i = stage; i < MACROS_STAGES; i++) {
        g_clear_pointer(&macros->of[i].list, g_free);
        macros->of[i].count = 0;
    }
}

/* The stage of each command that has one. */
static const char letters[MACROS_STAGES + 1] = "CHMRTEN";

/* Pairs of strings within LENGTH bytes at TEXT; one without a partner is none. */
static unsigned count_pairs(const char *text, size_t length)
{
    unsigned strings = 0;
    for (const char *at = text, *end = text + length; at < end; strings++)
        at = (const char *)memchr(at, '\0', (size_t)(end - at)) + 1;
    return strings / 2;
}

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
    size_t length = packet->length - 1;
    unsigned count = count_pairs((const char *)packet->data + 1, length);
    if (count == 0)
        return true;
    struct macro *list = g_malloc(count * sizeof(*list) + length);
    char *text = memcpy(list + count, packet->data + 1, length);
    struct wire_cursor cursor = {.at = text, .end = text + length};
    for (unsigned i = 0; i < count; i++) {
        const char *found = wire_string(&cursor), *value = wire_string(&cursor);
        size_t size = (size_t)(value - found) - 1;
        const char *name = bare(found, &size);
        list[i] = (struct macro){.sum = sum_of(name, size),
                                 .size = (uint32_t)size,
                                 .name = (uint32_t)(name - text),
                                 .value = (uint32_t)(value - text)};
    }
    macros->of[stage].list = list;
    macros->of[stage].count = count;
    return true;
}

static const char *get(void *context, const char *name)
{
    const struct macros *macros = context;
    size_t length = strlen(name);
    name = bare(name, &length);
    uint32_t sum = sum_of(name, length);
    for (unsigned i = MACROS_STAGES; i-- > 0;) {
        const struct macro *list = macros->of[i].list;
        unsigned count = macros->of[i].count;
        for (unsigned k = 0; k < count; k++) {
            const char *text = (const char *)(list + count);
            if (list[k].sum == sum && list[k].size == length &&
                memcmp(text + list[k].name, name, length) == 0)
                return text + list[k].value;
        }
    }
    return NULL;
}

struct macro_source macros_source(struct macros *macros)
{
    return (struct macro_source){.get = get, .context = macros};
}
