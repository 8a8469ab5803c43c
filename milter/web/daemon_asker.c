/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asking the daemon.
 */
#include "daemon_asker.h"

#include <string.h>
#include <sysexits.h>

#include "control/control.h"

/* Seconds that an answer may take, and that a silence is remembered. */
enum { ANSWER_SECONDS = 3, SEARCH_SECONDS = 10, SILENCE_SECONDS = 3 };

struct daemon_asker {
    char *path;
    GMutex lock;
    char *silence; /* what it was that did not answer; NULL: nothing */
    gint64 until;  /* monotonic: for so long */
};

struct daemon_asker *daemon_asker_new(const char *path)
{
    struct daemon_asker *asker = g_new0(struct daemon_asker, 1);
    asker->path = g_strdup(path);
    g_mutex_init(&asker->lock);
    return asker;
}

void daemon_asker_free(struct daemon_asker *asker)
{
    if (!asker)
        return;
    g_mutex_clear(&asker->lock);
    g_free(asker->path);
    g_free(asker->silence);
    g_free(asker);
}

static char *known_silence(struct daemon_asker *asker)
{
    g_mutex_lock(&asker->lock);
    char *why = g_get_monotonic_time() < asker->until ? g_strdup(asker->silence) : NULL;
    g_mutex_unlock(&asker->lock);
    return why;
}

static void note_silence(struct daemon_asker *asker, const char *why)
{
    g_mutex_lock(&asker->lock);
    g_free(asker->silence);
    asker->silence = g_strdup(why);
    asker->until = g_get_monotonic_time() + SILENCE_SECONDS * G_USEC_PER_SEC;
    g_mutex_unlock(&asker->lock);
}

enum web_asked daemon_asker_ask(void *data, const char *request, GString *out, char **why_r)
{
    struct daemon_asker *asker = data;
    int status = 0;
    /* searched one after another, in 2 seconds each: who asks waits for others, too */
    bool searches = g_str_has_prefix(request, "search ") || strcmp(request, "decisions") == 0;
    unsigned seconds = searches ? SEARCH_SECONDS : ANSWER_SECONDS;
    gint64 begun = g_get_monotonic_time();
    size_t before = out->len;
    *why_r = known_silence(asker);
    if (*why_r)
        return WEB_AWAY;
    if (!control_call(asker->path, request, seconds, &status, out, why_r)) {
        /* that a search takes long says nothing of the daemon */
        if (!searches && g_get_monotonic_time() - begun >= seconds * G_USEC_PER_SEC)
            note_silence(asker, *why_r);
        return WEB_AWAY;
    }
    if (status == EX_OK)
        return WEB_ANSWERED;
    g_autofree char *said = g_strchomp(g_strdup(out->str + before));
    g_string_truncate(out, before);
    if (status == EX_USAGE && !g_str_has_prefix(request, "search ")) {
        *why_r = g_strdup_printf("a daemon of another version runs, which does not know what this "
                                 "page asks (%s); restart gatepost, then gatepost-web: %s",
                                 request, said);
        return WEB_AWAY;
    }
    *why_r = g_steal_pointer(&said);
    return status == EX_USAGE ? WEB_NO_SUCH : status == EX_TEMPFAIL ? WEB_BUSY : WEB_AWAY;
}
