/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The daemon's state.
 */
#include "state.h"

#include <string.h>

#include "base/wholefile.h"
#include "checks/limit.h"
#include "settings/stateplace.h"
#include "statekey.h"

/* How often expired lines are cleared from the file although nothing changed, in seconds. */
enum { CLEAR_SECONDS = 3600 };

struct state {
    struct log *log;
    char *path;              /* NULL: kept in memory alone */
    struct state_file *file; /* likewise */
    struct bounce_memory *memory;
    struct store *store;
    unsigned char notice_secret[LIMIT_SECRET_SIZE];
    gint64 saved; /* monotonic, of the last try */
    char *fault;  /* what the last try met; NULL: nothing */
};

static int64_t now(void)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}

static void find_key(struct state *state, unsigned char key_r[STATE_KEY_SIZE])
{
    g_autofree char *path = g_strconcat(state->path, ".key", NULL);
    g_autofree char *why = NULL;
    switch (state_key_get(path, key_r, &why)) {
    case STATE_KEY_REPLACED:
        log_warning(state->log,
                    "state: %s: a new key was made, and the memory of bounces begins anew", why);
        break;
    case STATE_KEY_LOST:
        log_warning(state->log,
                    "state: %s: bounces are remembered until gatepost stops, and no longer", why);
        g_clear_pointer(&state->path, g_free);
        break;
    default:
        break;
    }
}

/* NULL: none is wanted, or it cannot be read, which is told. */
static char *read_password(const struct state *state, const char *path)
{
    char *password = NULL;
    enum whole_file_result result =
        *path ? whole_file_first_line(path, &password) : WHOLE_FILE_READ;
    if (result != WHOLE_FILE_READ)
        log_warning(state->log,
                    "state_password_file: %s: %s: the server is asked without a password", path,
                    whole_file_why(result));
    return password;
}

static struct store *open_redis(const struct state *state, const struct state_setup *setup,
                                const struct state_place *place, const struct store_log *log)
{
    g_autoptr(GPtrArray) hosts = g_ptr_array_new();
    g_autofree char *password = read_password(state, setup->password_file);
    g_autofree char *why = NULL;
    for (unsigned i = 0; i < place->host_count; i++)
        g_ptr_array_add(hosts, (char *)place->hosts[i]);
    const struct store_redis_options options = {
        .hosts = hosts,
        .path = *place->path ? place->path : NULL,
        .database = place->database,
        .tls = place->tls,
        .ca_file = *setup->ca_file ? setup->ca_file : NULL,
        .cert_file = *setup->cert_file ? setup->cert_file : NULL,
        .user = *setup->user ? setup->user : NULL,
        .password = password,
        .prefix = setup->prefix,
        .timeout = setup->timeout,
    };
    struct store *store = store_redis(&options, log, &why);
    if (!store)
        log_warning(state->log, "state: %s: limits are kept in memory alone", why);
    return store;
}

static void open_store(struct state *state, const struct state_setup *setup,
                       const struct state_place *place)
{
    const struct store_log log = {.warn = log_warn, .tell = log_tell, .data = state->log};
    if (place->kind == STATE_REDIS)
        state->store = open_redis(state, setup, place, &log);
    else if (place->kind == STATE_FAIL)
        state->store = store_failing(NULL);
    else if (state->file)
        state->store = store_sqlite(state->file, NULL, &log);
    if (!state->store)
        state->store = store_memory(NULL);
}

struct state *state_open(const struct state_setup *setup, struct log *log)
{
    struct state *state = g_new0(struct state, 1);
    struct state_place parsed;
    unsigned char key[STATE_KEY_SIZE];
    state->log = log;
    state->saved = g_get_monotonic_time();
    if (state_place_parse(setup->place, &parsed, NULL) && parsed.kind == STATE_SQLITE)
        state->path = g_strdup(parsed.path);
    if (state->path)
        find_key(state, key);
    else
        state_key_random(key);
    state->memory = bounce_memory_new(key, sizeof key, 0);
    gsize size = sizeof state->notice_secret;
    GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, key, sizeof key);
    g_hmac_update(hmac, (const guchar *)"gatepost notice", -1);
    g_hmac_get_digest(hmac, state->notice_secret, &size);
    g_hmac_unref(hmac);
    memset(key, 0, sizeof key);
    g_autofree char *why = NULL;
    if (state->path)
        state->file = state_file_new(state->path);
    if (state->file && !bounce_memory_load(state->memory, state->file, now(), &why))
        log_warning(state->log, "state: %s: the memory of bounces begins empty", why);
    open_store(state, setup, &parsed);
    return state;
}

void state_free(struct state *state)
{
    if (!state)
        return;
    store_close(state->store);
    bounce_memory_free(state->memory);
    state_file_free(state->file);
    g_free(state->path);
    g_free(state->fault);
    g_free(state);
}

const unsigned char *state_notice_secret(const struct state *state)
{
    return state->notice_secret;
}

struct store *state_store(const struct state *state)
{
    return state->store;
}

struct state_file *state_get_file(const struct state *state)
{
    return state->file;
}

struct bounce_memory *state_bounce_memory(const struct state *state)
{
    return state->memory;
}

/* Says what is new: a fault that was there before was told. */
static void tell(struct state *state, char *fault)
{
    if (fault && g_strcmp0(fault, state->fault) != 0)
        log_warning(state->log, "state: %s: bounces are remembered until gatepost stops", fault);
    else if (!fault && state->fault)
        log_info(state->log, "state: %s is written again", state->path);
    g_free(state->fault);
    state->fault = fault;
}

static void save(struct state *state)
{
    char *why = NULL;
    state->saved = g_get_monotonic_time();
    if (bounce_memory_save(state->memory, state->file, now(), &why)) {
        g_clear_pointer(&why, g_free);
        tell(state, NULL);
    } else {
        tell(state, why);
    }
}

void state_save(struct state *state)
{
    if (state->path && bounce_memory_changed(state->memory))
        save(state);
}

void state_tick(struct state *state)
{
    gint64 since = g_get_monotonic_time() - state->saved;
    if (since < (gint64)STATE_SAVE_SECONDS * G_USEC_PER_SEC)
        return;
    if (state->path && bounce_memory_count(state->memory) > 0 &&
        since >= (gint64)CLEAR_SECONDS * G_USEC_PER_SEC)
        save(state);
    else
        state_save(state);
}
