/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl greylist, from the daemon's side.
 */
#include <string.h>
#include <sysexits.h>

#include "base/text.h"
#include "checks/greylist.h"
#include "checks/limit.h"
#include "control/control.h"
#include "limits_control.h"
#include "mail/address.h"
#include "mail/hostname.h"
#include "report/json.h"

enum { LINES_MAX = 20000 };

/* What the marks are, by the beginning of their keys. */
static const struct {
    const char *prefix, *word;
    uint64_t hits; /* from which on it counts */
} kinds[] = {
    {GREYLIST_MARK, "mark", 0},
    {GREYLIST_KNOWN, "known", 2},
    {GREYLIST_HAND, "by-hand", 1},
    {GREYLIST_CORRESPONDENT, "written-to", 1},
};

static const char *state_of(size_t kind, const struct store_answer *answer)
{
    if (kind > 0)
        return kinds[kind].word;
    return answer->mark == STORE_MARK_PASSED ? "passed" : "waiting";
}

static void write_mark(bool json, const char *state, const char *what,
                       const struct store_answer *answer, GString *out)
{
    g_autofree char *shown = text_escape(what);
    if (json) {
        json_open(out, NULL, '{');
        json_string(out, "state", state);
        json_string(out, "who", what);
        json_integer(out, "first", answer->first / 1000);
        json_integer(out, "last", answer->last / 1000);
        json_integer(out, "times", (gint64)answer->hits);
        json_close(out, '}');
        g_string_append_c(out, '\n');
        return;
    }
    g_autofree char *age = limit_duration_text(g_get_real_time() / 1000 - answer->first);
    g_string_append_printf(out, "%s %s, since %s", state, shown, age);
    if (answer->hits)
        g_string_append_printf(out, ", %" G_GUINT64_FORMAT " times", answer->hits);
    g_string_append_c(out, '\n');
}

static uint64_t count_of(struct store *store, const char *key)
{
    struct store_answer answer;
    const struct store_request request = {.action = STORE_LOOK,
                                          .key = key,
                                          .window = {.length = GREYLIST_COUNT_MS},
                                          .max = UINT64_MAX};
    store_ask_now(store, &request, &answer);
    return answer.used;
}

/* What is listed. */
struct listing {
    const struct limits_control *control;
    bool json;
    const char *wanted; /* a part of the keys; NULL: all are */
    uint64_t waiting, lines;
};

/* The marks of a KIND, by KEYS. */
static void list_marks(struct listing *listing, size_t kind, const GPtrArray *keys, GString *out)
{
    struct store *store = listing->control->store;
    guint most = limits_control_batch(listing->control);
    g_autofree struct store_request *requests = g_new(struct store_request, most);
    g_autofree struct store_answer *answers = g_new(struct store_answer, most);
    for (guint next = 0; next < keys->len;) {
        guint count = 0;
        for (; next < keys->len && count < most; next++)
            if (!listing->wanted || strstr(keys->pdata[next], listing->wanted))
                requests[count++] =
                    (struct store_request){.action = STORE_SEE, .key = keys->pdata[next]};
        store_ask_all(store, requests, count, answers);
        for (guint i = 0; i < count; i++) {
            const struct store_answer *answer = &answers[i];
            if (answer->mark == STORE_MARK_NONE || answer->hits < kinds[kind].hits)
                continue;
            listing->waiting += kind == 0 && answer->mark != STORE_MARK_PASSED;
            if (++listing->lines <= LINES_MAX)
                write_mark(listing->json, state_of(kind, answer),
                           requests[i].key + strlen(kinds[kind].prefix), answer, out);
        }
    }
}

static int list(const struct limits_control *control, bool json, const char *what, GString *out)
{
    struct ipaddr address;
    g_autofree char *lower = what ? g_ascii_strdown(what, -1) : NULL;
    g_autofree char *network =
        what && ipaddr_parse(what, &address) ? greylist_network(&address) : NULL;
    struct listing listing = {
        .control = control, .json = json, .wanted = network ? network : lower};
    for (size_t kind = 0; kind < G_N_ELEMENTS(kinds); kind++) {
        g_autofree char *why = NULL;
        g_autoptr(GPtrArray) keys = store_list(control->store, kinds[kind].prefix, &why);
        if (!keys) {
            g_string_append_printf(out, "%s\n", why);
            return EX_UNAVAILABLE;
        }
        list_marks(&listing, kind, keys, out);
    }
    if (json || what)
        return what && listing.lines == 0 ? 1 : EX_OK;
    uint64_t opened = count_of(control->store, GREYLIST_OPENED_COUNT);
    uint64_t passed = count_of(control->store, GREYLIST_PASSED_COUNT);
    if (listing.lines > LINES_MAX)
        g_string_append_printf(out, "and %" G_GUINT64_FORMAT " more\n", listing.lines - LINES_MAX);
    g_string_append_printf(out,
                           "in the last week %" G_GUINT64_FORMAT " strangers were asked to come "
                           "again: %" G_GUINT64_FORMAT " came, %" G_GUINT64_FORMAT
                           " may still come, %" G_GUINT64_FORMAT " never came back\n",
                           opened, passed, listing.waiting,
                           opened > passed + listing.waiting ? opened - passed - listing.waiting
                                                             : 0);
    return EX_OK;
}

/* Who passes together with WHAT: as greylist names its networks and domains; NULL: it is neither an
 * address nor such a name. The caller frees it. */
static char *group_of(const char *what)
{
    struct ipaddr address;
    g_autofree char *before = g_strndup(what, strcspn(what, "/"));
    if (ipaddr_parse(before, &address)) {
        g_autofree char *network = greylist_network(&address);
        struct ipnet given, whole;
        bool is_other = strchr(what, '/') &&
                        (!ipnet_parse(what, &given, NULL) || !ipnet_parse(network, &whole, NULL) ||
                         given.prefix != whole.prefix || !ipnet_contains(&whole, &given.address));
        return is_other ? NULL : g_steal_pointer(&network);
    }
    g_autofree char *ascii = hostname_to_ascii(what);
    g_autofree char *name = ascii ? mail_domain_fold(ascii) : NULL;
    bool is_domain =
        name && hostname_valid(name) && strchr(name, '.') && !hostname_ends_in_number(name);
    return is_domain ? g_steal_pointer(&name) : NULL;
}

static int let_pass(const struct limits_control *control, const char *what, GString *out)
{
    struct store_answer answer;
    g_autofree char *group = group_of(what);
    if (!group) {
        g_autofree char *shown = text_escape(what);
        g_string_append_printf(out, "\"%s\" is neither an address nor a domain\n", shown);
        return EX_USAGE;
    }
    g_autofree char *key = g_strconcat(GREYLIST_HAND, group, NULL);
    const struct store_request touch = {
        .action = STORE_TOUCH, .key = key, .keep = GREYLIST_KNOWN_MS};
    store_ask_now(control->store, &touch, &answer);
    if (answer.own) {
        g_string_append(out, "the store is away: nothing was changed there\n");
        return EX_UNAVAILABLE;
    }
    g_autofree char *who = control_peer();
    log_info(control->log, "greylisting lets %s pass for 60 days, says %s", group, who);
    g_string_append_printf(out, "%s passes for 60 days\n", group);
    return EX_OK;
}

int greylist_control_run(const struct limits_control *control, const char *const *words,
                         GString *out)
{
    bool json = words[0] && strcmp(words[0], "--json") == 0;
    words += json;
    if (words[0] && strcmp(words[0], "pass") == 0 && words[1] && !words[2])
        return let_pass(control, words[1], out);
    if (!words[0] || !words[1])
        return list(control, json, words[0], out);
    g_string_append(out, "usage: greylist [--json] [ADDRESS|IP|DOMAIN], greylist pass IP|DOMAIN\n");
    return EX_USAGE;
}
