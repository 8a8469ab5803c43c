/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The edge as a whole: which engine, and its version.
 */
#include "mta/mta.h"

#include <libmilter/mfapi.h>

#include "edge.h"

static const struct edge *const engines[] = {
    [MILTER_ENGINE_LIBMILTER] = &edge_libmilter,
    [MILTER_ENGINE_NATIVE] = &edge_native,
};

static const struct edge *edge = &edge_libmilter;

bool mta_bind(const struct mta_listen *listen, char **why_r)
{
    edge = engines[listen->engine];
    return edge->bind(listen, why_r);
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

char *mta_library_version(void)
{
    unsigned major = 0, minor = 0, patch = 0;
    smfi_version(&major, &minor, &patch);
    return g_strdup_printf("%u.%u.%u", major, minor, patch);
}
