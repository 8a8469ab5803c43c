/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The kinds of lines: a row each.
 */
#include "log_kind.h"

static const struct {
    const char *message_id;
    enum engine_level level;
} kinds[] = {
    [LOG_KIND_PASSED] = {"b14946b849384091a025ffb908d44fbc", ENGINE_INFO},
    [LOG_KIND_REFUSED] = {"596b133067184b2ab0090213ab54c4f5", ENGINE_INFO},
    [LOG_KIND_DEFERRED] = {"4a79683ac0674cf2bac338465e4299e5", ENGINE_INFO},
    [LOG_KIND_HELD] = {"dcde6c4b1ea34dc79d37a0750e202374", ENGINE_INFO},
    [LOG_KIND_WARN] = {"0b49edee89ba4efdb7e94035c7c7607e", ENGINE_WARNING},
    [LOG_KIND_NOTE] = {"b0bc74531a794561a0d002d8b50d998e", ENGINE_INFO},
    [LOG_KIND_DAEMON_INFO] = {"4efa7d64dfbd4a999a3a05915e9c1936", ENGINE_INFO},
    [LOG_KIND_DAEMON_WARNING] = {"cd0191659c394cfb82b719e9d0be7376", ENGINE_WARNING},
    [LOG_KIND_RELOADED] = {"b818611860d844c090a06dcda3012a90", ENGINE_INFO},
    [LOG_KIND_NOT_RELOADED] = {"094c6f94f40c4e9ebc6b94f21163c875", ENGINE_WARNING},
    [LOG_KIND_LINES_LOST] = {"4222f85a01da4138a89b990c2d28bc79", ENGINE_WARNING},
};

const char *log_kind_message_id(enum log_kind kind)
{
    return kinds[kind].message_id;
}

enum log_kind log_kind_of_action(enum action action)
{
    static const enum log_kind of[ACTION_COUNT] = {
        [ACTION_ACCEPT] = LOG_KIND_PASSED,     [ACTION_REJECT] = LOG_KIND_REFUSED,
        [ACTION_TEMPFAIL] = LOG_KIND_DEFERRED, [ACTION_HOLD] = LOG_KIND_HELD,
        [ACTION_WARN] = LOG_KIND_WARN,         [ACTION_INFO] = LOG_KIND_NOTE,
    };
    return of[action];
}

enum log_kind log_kind_of_level(enum engine_level level)
{
    return level == ENGINE_WARNING ? LOG_KIND_DAEMON_WARNING : LOG_KIND_DAEMON_INFO;
}

enum engine_level log_kind_level(enum log_kind kind)
{
    return kinds[kind].level;
}
