/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From a request to its answer: who is answered, what there is. Nothing of HTTP's own is here, nor
 * any waiting but in the function that asks the daemon; so it is tested and fuzzed as it runs.
 *
 * Threads: pure but for what ASK does.
 */
#ifndef WEB_WEB_REPLY_H
#define WEB_WEB_REPLY_H

#include <glib.h>
#include <stdbool.h>

#include "settings/websettings.h"

/* What became of a question to the daemon. */
enum web_asked {
    WEB_ANSWERED,
    WEB_AWAY,   /* nobody answers, or with an error */
    WEB_BUSY,   /* too many search at once */
    WEB_NO_SUCH /* that is nothing that one can ask; what one can is what it says */
};

/* What one must have, and whom to ask. */
struct web_site {
    const struct web_settings *settings;
    const char *token; /* NULL: there is none, and nobody sees what is personal */
    /* Asks the daemon: its text is appended to OUT; else what it was is in *WHY_R, owned by the
     * caller. */
    enum web_asked (*ask)(void *data, const char *request, GString *out, char **why_r);
    void *data;
};

struct web_request {
    const char *method, *path;
    const char *host, *authorization; /* NULL: there is none, or several */
    const char *query;                /* value of q=, decoded; NULL: there is none */
};

struct web_reply {
    unsigned status;
    const char *type;     /* Content-Type; static */
    const char *location; /* static; NULL: none */
    bool asks_for_token;  /* WWW-Authenticate */
    bool come_again;      /* Retry-After */
    GString *body;        /* to be freed by the caller */
};

/* The headers of every answer: name, value, name ..., NULL behind the last. */
extern const char *const web_headers[];

void web_reply(const struct web_site *site, const struct web_request *request,
               struct web_reply *reply_r);

#endif
