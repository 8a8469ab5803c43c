/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The edge as a whole: which engine, and its version.
 */
#include "mta/mta.h"

#include <errno.h>
#include <unistd.h>

#include "edge.h"
#include "listen.h"

static const struct edge *const engines[] = {
    [MILTER_ENGINE_LIBMILTER] = &edge_libmilter,
    [MILTER_ENGINE_NATIVE] = &edge_native,
};

static const struct edge *edge = &edge_libmilter;
static struct mta_listen bound; /* what mta_bind was told */

bool mta_bind(const struct mta_listen *listen, char **why_r)
{
    edge = engines[listen->engine];
    bound = *listen;
    return edge->bind(listen, why_r);
}

enum mta_move mta_follow(char **why_r)
{
    int old = edge->listener();
    if (old < 0 || bound.passed >= 0 || listen_is_at(old, &bound.address))
        return MTA_STAYS;
    int fd = listen_open(&bound, why_r);
    if (fd < 0)
        return MTA_CANNOT_MOVE;
    bool moved = edge->move(fd);
    int reason = errno;
    close(fd);
    if (!moved) {
        *why_r = g_strdup_printf("cannot listen on %s: %s", bound.address.host, g_strerror(reason));
        return MTA_CANNOT_MOVE;
    }
    return MTA_MOVED;
}

socklen_t mta_address(struct sockaddr_storage *address_r)
{
    socklen_t length = sizeof(*address_r);
    int fd = edge->listener();
    bool is_known = fd >= 0 && getsockname(fd, (struct sockaddr *)address_r, &length) == 0 &&
                    address_r->ss_family != AF_UNIX;
    return is_known ? length : 0;
}

bool mta_serve(struct engine *engine)
{
    return edge->serve(engine);
}

void mta_drain(void)
{
    edge->drain();
}

bool mta_stop(void)
{
    edge->stop();
    return edge->stops;
}

void mta_get_counts(struct mta_counts *counts_r)
{
    edge->counts(counts_r);
}

const char *mta_engine_name(void)
{
    return edge->name;
}
