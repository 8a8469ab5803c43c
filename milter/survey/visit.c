/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The talk of smtp_talk.h over a connection.
 */
#include "visit.h"

#include <errno.h>
#include <unistd.h>

#include "base/stream.h"
#include "interrupt.h"

/* Once the outcome is clear, the reply to QUIT is not worth much of anybody's time. */
enum { QUIT_S = 3 };

/* How often one looks whether the survey shall end. */
enum { LOOK_US = 500000 };

void visit_free(struct visit *visit)
{
    if (!visit)
        return;
    g_free(visit->reply);
    g_free(visit->banner);
    g_free(visit->keywords);
    tls_facts_clear(&visit->tls);
    g_free(visit);
}

/* As stream_read; given up when the survey is interrupted. */
static enum stream_result read_some(int fd, void *buffer, size_t room, size_t *got_r,
                                    int64_t deadline)
{
    for (;;) {
        int64_t now = g_get_monotonic_time();
        enum stream_result result =
            stream_read(fd, buffer, room, got_r, MIN(deadline, now + LOOK_US));
        if (result != STREAM_TIMEOUT || now >= deadline || interrupt_came())
            return result;
    }
}

/* Talks until there is an outcome; true: TLS is to be made. */
static bool talk_on(struct smtp_talk *talk, int fd, int64_t deadline)
{
    char buffer[2048];
    for (;;) {
        enum stream_result result = STREAM_GOOD;
        size_t got = 0;
        switch (smtp_talk_next(talk)) {
        case SMTP_DONE:
            return false;
        case SMTP_STARTTLS:
            return true;
        case SMTP_SEND:
            if (talk->state != SMTP_UNKNOWN)
                deadline = MIN(deadline, g_get_monotonic_time() + QUIT_S * G_USEC_PER_SEC);
            result = stream_write(fd, talk->command->str, talk->command->len, deadline);
            break;
        case SMTP_READ:
            result = read_some(fd, buffer, sizeof buffer, &got, deadline);
            break;
        }
        if (result != STREAM_GOOD)
            smtp_talk_over(talk, result == STREAM_TIMEOUT);
        else if (got > 0)
            smtp_talk_feed(talk, buffer, got);
    }
}

static void talk_to(struct visit *visit, struct tls_context *context, int fd, const char *helo,
                    const char *name, int only)
{
    int64_t deadline = g_get_monotonic_time() + VISIT_S * G_USEC_PER_SEC;
    struct smtp_talk talk;
    smtp_talk_begin(&talk, helo);
    bool tls = talk_on(&talk, fd, deadline);
    visit->state = talk.state;
    visit->banner = g_strdup(talk.banner->str);
    visit->keywords = g_strdup(talk.keywords->str);
    visit->reply = g_strdup(talk.reply->str);
    if (tls) {
        tls_handshake(context, fd, name, only, deadline, &visit->tls);
        if (!visit->tls.done)
            visit->state = visit->tls.timeout ? SMTP_TIMEOUT : SMTP_HANDSHAKE_FAILED;
    }
    smtp_talk_end(&talk);
}

struct visit *visit_make(struct tls_context *context, const struct ipaddr *address,
                         const char *helo, const char *name, int only)
{
    struct visit *visit = g_new0(struct visit, 1);
    visit->tries = 1;
    int fd = stream_connect(address, VISIT_PORT,
                            g_get_monotonic_time() + VISIT_CONNECT_S * G_USEC_PER_SEC);
    if (fd < 0) {
        visit->state = errno == ETIMEDOUT ? SMTP_TIMEOUT : SMTP_REFUSED;
        visit->reply = g_strdup(g_strerror(errno));
        return visit;
    }
    talk_to(visit, context, fd, helo, name, only);
    close(fd);
    if (visit->state == SMTP_TIMEOUT && interrupt_came()) {
        visit_free(visit);
        return NULL;
    }
    return visit;
}
