/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Places of the state in gatepost.conf.
 */
#include "settings/stateplace.h"

#include <string.h>

static const char *read_file(const char *text, struct state_place *place)
{
    size_t length = strlen(text);
    if (text[0] != '/')
        return "the path must be absolute";
    if (text[length - 1] == '/')
        return "the path must name a file, not a folder";
    if (length > STATE_PATH_MAX)
        return "the path is too long";
    memcpy(place->path, text, length + 1);
    return NULL;
}

static const char *read_memory(const char *text, struct state_place *place)
{
    (void)place;
    return *text == '\0' ? NULL : "memory: has nothing behind the colon";
}

static const char *read_server(const char *text, struct state_place *place)
{
    (void)text, (void)place;
    return "this version keeps its state in sqlite:PATH or memory: alone, not yet on a Redis "
           "server";
}

bool state_place_parse(const char *text, struct state_place *place_r, const char **why_r)
{
    static const struct {
        const char *prefix;
        enum state_kind kind;
        const char *(*read)(const char *text, struct state_place *place);
    } kinds[] = {
        {"sqlite:", STATE_SQLITE, read_file},
        {"memory:", STATE_MEMORY, read_memory},
        {"redis:", STATE_MEMORY, read_server},
        {"rediss:", STATE_MEMORY, read_server},
    };
    const char *fault = "write sqlite:PATH or memory:";
    *place_r = (struct state_place){.kind = STATE_MEMORY};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t length = strlen(kinds[i].prefix);
        if (strncmp(text, kinds[i].prefix, length) != 0)
            continue;
        place_r->kind = kinds[i].kind;
        fault = kinds[i].read(text + length, place_r);
        break;
    }
    if (fault && why_r)
        *why_r = fault;
    return !fault;
}
