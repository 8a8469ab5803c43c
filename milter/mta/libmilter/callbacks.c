/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libmilter's callbacks.
 */
#include "callbacks.h"

#include <string.h>

#include "agreement.h"
#include "connection.h"
#include "mta_answer.h"

/* After QUIT_NC the next client comes on the connection of the last, without a negotiation: the
 * library has closed that one, and does not tell what was agreed on. It sees itself to what an MTA
 * does not allow, and MTAs that know QUIT_NC know how values begin. */
static struct connection_state *connection_of(SMFICTX *context)
{
    struct connection_state *connection = smfi_getpriv(context);
    if (connection)
        return connection;
    connection = connection_new();
    if (connection) {
        connection->steps = SMFIP_HDR_LEADSPC;
        connection->actions = AGREEMENT_ACTIONS;
    }
    smfi_setpriv(context, connection);
    return connection;
}

static sfsistat on_negotiate(SMFICTX *context, unsigned long actions, unsigned long steps,
                             unsigned long f2, unsigned long f3, unsigned long *actions_r,
                             unsigned long *steps_r, unsigned long *f2_r, unsigned long *f3_r)
{
    (void)f2, (void)f3;
    struct connection_state *connection = connection_of(context);
    if (!connection)
        return SMFIS_REJECT;
    connection->steps = agreement_steps(session_needs(connection->session)) & steps;
    connection->actions = AGREEMENT_ACTIONS & actions;
    *steps_r = connection->steps;
    *actions_r = connection->actions;
    if (actions & SMFIF_SETSYMLIST) {
        *actions_r |= SMFIF_SETSYMLIST;
        for (size_t i = 0; i < AGREEMENT_MACRO_LISTS; i++) {
            const char *list = agreement_macro_list(&agreement_macros[i]);
            if (smfi_setsymlist(context, agreement_macros[i].place, (char *)(uintptr_t)list) !=
                MI_SUCCESS)
                connection_warn("libmilter refuses the list of macros for %s",
                                stage_name(agreement_macros[i].stage));
        }
    }
    *f2_r = *f3_r = 0;
    return SMFIS_CONTINUE;
}

static const char *get_macro(void *context, const char *name)
{
    return smfi_getsymval(context, (char *)name);
}

static struct macro_source macros_of(SMFICTX *context)
{
    return (struct macro_source){.get = get_macro, .context = context};
}

/* The value for a step that was agreed to pass in silence, or not. */
static sfsistat go_on(const struct connection_state *connection, unsigned long silence)
{
    return connection->steps & silence ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *context, char *host, _SOCK_ADDR *sockaddr)
{
    struct connection_state *connection = connection_of(context);
    if (!connection)
        return SMFIS_TEMPFAIL;
    struct ipaddr address;
    bool known = sockaddr && ipaddr_from_sockaddr((const struct sockaddr *)sockaddr, &address);
    struct connection client = {.host = host, .address = known ? &address : NULL};
    struct macro_source macros = macros_of(context);
    connection->connected = true;
    connection_settle(connection, session_connect(connection->session, &client, &macros));
    return go_on(connection, SMFIP_NR_CONN);
}

/* The connection, if the client of it is known: the protocol allows MAIL without CONNECT. */
static struct connection_state *client_of(SMFICTX *context)
{
    struct connection_state *connection = connection_of(context);
    return connection && connection->connected ? connection : NULL;
}

static sfsistat on_helo(SMFICTX *context, char *helo)
{
    struct connection_state *connection = client_of(context);
    if (!connection)
        return SMFIS_TEMPFAIL;
    struct macro_source macros = macros_of(context);
    connection_end_message(connection);
    connection_settle(connection, session_helo(connection->session, helo, &macros));
    return go_on(connection, SMFIP_NR_HELO);
}

static sfsistat on_mail(SMFICTX *context, char **argv)
{
    struct connection_state *connection = client_of(context);
    if (!connection)
        return SMFIS_TEMPFAIL;
    struct macro_source macros = macros_of(context);
    connection_begin_message(connection);
    connection_settle(connection,
                      session_mail(connection->session, (const char *const *)argv, &macros));
    if (connection->steps & SMFIP_NR_MAIL)
        return SMFIS_NOREPLY;
    sfsistat status = answer_command(context, session_get_answer(connection->session));
    if (status != SMFIS_CONTINUE)
        connection_end_message(connection);
    return status;
}

static sfsistat on_rcpt(SMFICTX *context, char **argv)
{
    struct connection_state *connection = client_of(context);
    if (!connection)
        return SMFIS_TEMPFAIL;
    struct macro_source macros = macros_of(context);
    connection_settle(connection,
                      session_rcpt(connection->session, (const char *const *)argv, &macros));
    return answer_command(context, session_get_answer(connection->session));
}

static sfsistat on_header(SMFICTX *context, char *name, char *value)
{
    struct connection_state *connection = client_of(context);
    if (!connection)
        return SMFIS_TEMPFAIL;
    if (connection->steps & SMFIP_HDR_LEADSPC) {
        session_header(connection->session, name, value);
    } else {
        g_autofree char *spaced = g_strconcat(" ", value, NULL);
        session_header(connection->session, name, spaced);
    }
    return go_on(connection, SMFIP_NR_HDR);
}

static sfsistat on_end_of_header(SMFICTX *context)
{
    struct connection_state *connection = client_of(context);
    if (!connection)
        return SMFIS_TEMPFAIL;
    connection->wants_body = session_end_of_header(connection->session);
    return go_on(connection, SMFIP_NR_EOH);
}

/* An MTA that cannot be told to skip goes on sending, for nothing. */
static sfsistat on_body(SMFICTX *context, unsigned char *data, size_t length)
{
    struct connection_state *connection = client_of(context);
    if (!connection)
        return SMFIS_TEMPFAIL;
    if (connection->wants_body)
        connection->wants_body = session_body(connection->session, data, length);
    bool skip = !connection->wants_body && (connection->steps & SMFIP_SKIP);
    return skip ? SMFIS_SKIP : SMFIS_CONTINUE;
}

static sfsistat on_end_of_message(SMFICTX *context)
{
    struct connection_state *connection = client_of(context);
    if (!connection)
        return SMFIS_TEMPFAIL;
    struct macro_source macros = macros_of(context);
    connection_settle(connection, session_end_of_message(connection->session, &macros));
    sfsistat status =
        answer_message(context, connection->actions, connection->steps & SMFIP_HDR_LEADSPC,
                       session_get_answer(connection->session));
    connection_end_message(connection);
    return status;
}

static sfsistat on_abort(SMFICTX *context)
{
    struct connection_state *connection = smfi_getpriv(context);
    if (connection) {
        session_abort(connection->session);
        connection_end_message(connection);
    }
    return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *context)
{
    struct connection_state *connection = smfi_getpriv(context);
    smfi_setpriv(context, NULL);
    connection_free(connection);
    return SMFIS_CONTINUE;
}

/* There is no callback for unknown commands: Postfix aborts a session in which one is answered by
 * anything but "continue", which is what libmilter says without one. */
const struct smfiDesc mta_filter = {
    .xxfi_name = (char *)"gatepost",
    .xxfi_version = SMFI_VERSION,
    .xxfi_flags = AGREEMENT_ACTIONS | SMFIF_SETSYMLIST,
    .xxfi_connect = on_connect,
    .xxfi_helo = on_helo,
    .xxfi_envfrom = on_mail,
    .xxfi_envrcpt = on_rcpt,
    .xxfi_header = on_header,
    .xxfi_eoh = on_end_of_header,
    .xxfi_body = on_body,
    .xxfi_eom = on_end_of_message,
    .xxfi_abort = on_abort,
    .xxfi_close = on_close,
    .xxfi_negotiate = on_negotiate,
};
