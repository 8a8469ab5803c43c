/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Places of the state in gatepost.conf.
 */
#include "settings/stateplace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

static const char *read_path(const char *text, struct state_place *place)
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

static const char *read_fail(const char *text, struct state_place *place)
{
    (void)text, (void)place;
    return NULL;
}

/* Digits up to MOST, and nothing else. */
static bool read_number(const char *text, unsigned long most, unsigned *number_r)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 6 || text[digits] != '\0' || strtoul(text, NULL, 10) > most)
        return false;
    *number_r = (unsigned)strtoul(text, NULL, 10);
    return true;
}

/* HOST[:PORT][/DB]; an IPv6 address stands in brackets. Changes TEXT. */
static const char *read_host(char *text, struct state_place *place)
{
    unsigned port = STATE_REDIS_PORT, database;
    char *slash = strchr(text, '/');
    if (strchr(text, '@'))
        return "write no password here, where everybody may read it; state_user and "
               "state_password_file have them";
    if (slash) {
        *slash = '\0';
        if (!read_number(slash + 1, STATE_DATABASE_MAX, &database))
            return "the database behind the \"/\" is a number";
        if (place->database_given && database != place->database)
            return "all hosts have one database: the next one takes the place of the first";
        place->database = database;
        place->database_given = true;
    }
    char *end = text[0] == '[' ? strchr(text, ']') : NULL;
    if (text[0] == '[' && (!end || end == text + 1 || (end[1] != '\0' && end[1] != ':')))
        return "an IPv6 address stands in brackets: redis://[::1]:6379";
    char *colon = strchr(end ? end : text, ':');
    if (colon && !end && strchr(colon + 1, ':'))
        return "an IPv6 address stands in brackets: redis://[::1]:6379";
    if (colon) {
        *colon = '\0';
        if (!read_number(colon + 1, 65535, &port) || port == 0)
            return "the port is a number from 1 to 65535";
    }
    if (*text == '\0')
        return "write redis://HOST[:PORT][/DB], several hosts separated by commas";
    if (place->host_count >= STATE_HOSTS_MAX)
        return "there are too many hosts";
    char *host = place->hosts[place->host_count];
    if (snprintf(host, STATE_HOST_MAX + 1, "%s:%u", text, port) > STATE_HOST_MAX)
        return "the name of a host is too long";
    place->host_count++;
    return NULL;
}

static const char *read_hosts(const char *text, struct state_place *place)
{
    char copy[STATE_HOSTS_MAX * (STATE_HOST_MAX + 8)];
    const char *fault = NULL;
    if (strlen(text) >= sizeof copy)
        return "there are too many hosts";
    strcpy(copy, text);
    for (char *host = copy, *next; host && !fault; host = next) {
        next = strchr(host, ',');
        if (next)
            *next++ = '\0';
        host += strspn(host, " \t");
        host[strcspn(host, " \t")] = '\0';
        fault = read_host(host, place);
    }
    return fault;
}

static const char *read_tls(const char *text, struct state_place *place)
{
    place->tls = true;
    if (!GATEPOST_REDIS_TLS)
        return "this build speaks no TLS to a Redis server (hiredis before 1.0 cannot); use "
               "redis:// through a tunnel (stunnel, WireGuard), or redis+unix:";
    return read_hosts(text, place);
}

bool state_place_parse(const char *text, struct state_place *place_r, const char **why_r)
{
    static const struct {
        const char *prefix;
        enum state_kind kind;
        const char *(*read)(const char *text, struct state_place *place);
    } kinds[] = {
        {"sqlite:", STATE_SQLITE, read_path},      {"memory:", STATE_MEMORY, read_memory},
        {"redis+unix://", STATE_REDIS, read_path}, {"redis+unix:", STATE_REDIS, read_path},
        {"redis://", STATE_REDIS, read_hosts},     {"rediss://", STATE_REDIS, read_tls},
        {"fail:", STATE_FAIL, read_fail},
    };
    const char *fault = "write sqlite:PATH, redis://HOST[:PORT][/DB], redis+unix:PATH or memory:";
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
