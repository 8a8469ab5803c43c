/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Session facts. An empty macro is the same as none, but for the null sender's; what the MTA does
 * not say is never taken for the answer that lets somebody in.
 */
#include "facts/facts.h"

#include <glib.h>
#include <string.h>

#include "base/text.h"
#include "mail/header.h"

struct macro_row {
    enum stage stage;
    const char *macro;
    size_t offset;
};

#define ROW(stage, macro, field)                                                                   \
    {                                                                                              \
        stage, macro, offsetof(struct macro_facts, field)                                          \
    }

/* TLS is asked for again at MAIL: a client that sends no EHLO after STARTTLS has no second HELO. */
static const struct macro_row macro_rows[] = {
    ROW(STAGE_CONNECT, "j", mta_name),
    ROW(STAGE_CONNECT, "v", mta_version),
    ROW(STAGE_CONNECT, "{client_addr}", client_addr),
    ROW(STAGE_CONNECT, "{client_name}", client_name),
    ROW(STAGE_CONNECT, "{client_ptr}", client_ptr),
    ROW(STAGE_CONNECT, "{client_resolve}", client_resolve),
    ROW(STAGE_CONNECT, "{client_port}", client_port),
    ROW(STAGE_CONNECT, "{daemon_name}", daemon_name),
    ROW(STAGE_CONNECT, "{daemon_port}", daemon_port),
    ROW(STAGE_HELO, "{tls_version}", tls_version),
    ROW(STAGE_HELO, "{cipher}", cipher),
    ROW(STAGE_HELO, "{cipher_bits}", cipher_bits),
    ROW(STAGE_HELO, "{verify}", verify),
    ROW(STAGE_HELO, "{cert_subject}", cert_subject),
    ROW(STAGE_HELO, "{cert_issuer}", cert_issuer),
    ROW(STAGE_HELO, "{auth_type}", helo_auth_type),
    ROW(STAGE_MAIL, "i", queue_id),
    ROW(STAGE_MAIL, "{auth_type}", auth_type),
    ROW(STAGE_MAIL, "{auth_authen}", auth_authen),
    ROW(STAGE_MAIL, "{tls_version}", tls_version),
    ROW(STAGE_MAIL, "{cipher}", cipher),
    ROW(STAGE_MAIL, "{cipher_bits}", cipher_bits),
    ROW(STAGE_MAIL, "{verify}", verify),
    ROW(STAGE_MAIL, "{cert_subject}", cert_subject),
    ROW(STAGE_MAIL, "{cert_issuer}", cert_issuer),
    ROW(STAGE_MAIL, "{mail_mailer}", mail_mailer),
    ROW(STAGE_MAIL, "{mail_host}", mail_host),
    ROW(STAGE_MAIL, "{mail_addr}", mail_addr),
    ROW(STAGE_RCPT, "i", queue_id),
    ROW(STAGE_RCPT, "{rcpt_mailer}", rcpt_mailer),
    ROW(STAGE_RCPT, "{rcpt_host}", rcpt_host),
    ROW(STAGE_RCPT, "{rcpt_addr}", rcpt_addr),
    ROW(STAGE_MESSAGE, "i", queue_id),
};

static char **macro_field(struct macro_facts *macros, const struct macro_row *row)
{
    return (char **)(void *)((char *)macros + row->offset);
}

static void collect(struct facts *facts, enum stage stage, const struct macro_source *source)
{
    for (size_t i = 0; i < G_N_ELEMENTS(macro_rows); i++) {
        if (macro_rows[i].stage != stage)
            continue;
        char **field = macro_field(&facts->macros, &macro_rows[i]);
        const char *value = source ? source->get(source->context, macro_rows[i].macro) : NULL;
        /* An empty address is one: the null sender. */
        bool counts = value && (*value || field == &facts->macros.mail_addr);
        if (counts && *field && strcmp(*field, value) == 0)
            continue; /* as most are, from one message to the next */
        g_free(*field);
        *field = counts ? g_strdup(value) : NULL;
    }
}

void facts_init(struct facts *facts)
{
    *facts = (struct facts){0};
}

void facts_clear(struct facts *facts)
{
    facts_end_message(facts);
    for (size_t i = 0; i < G_N_ELEMENTS(macro_rows); i++) {
        char **field = macro_field(&facts->macros, &macro_rows[i]);
        g_clear_pointer(field, g_free);
    }
    g_free(facts->client_name);
    g_free(facts->reverse_name);
    g_free(facts->network_entry);
    g_free(facts->helo);
    facts_init(facts);
}

/* A name that the MTA gives for a client: "unknown" stands for all that is none. */
static char *take_name(const char *name)
{
    if (!name || !*name || name[0] == '[' || g_ascii_strcasecmp(name, "unknown") == 0)
        return g_strdup("unknown");
    return mail_domain_fold(name);
}

static enum name_status take_status(const char *resolve, const char *client_name)
{
    static const struct {
        const char *word;
        enum name_status status;
    } rows[] = {
        {"OK", NAME_OK},
        {"FAIL", NAME_NOT_FOUND},
        {"FORGED", NAME_FORGED},
        {"TEMP", NAME_CANNOT_TELL},
    };
    for (size_t i = 0; resolve && i < G_N_ELEMENTS(rows); i++)
        if (strcmp(resolve, rows[i].word) == 0)
            return rows[i].status;
    if (resolve)
        return NAME_CANNOT_TELL;
    return strcmp(client_name, "unknown") == 0 ? NAME_NOT_FOUND : NAME_OK;
}

static bool is_sendmail(const struct facts *facts)
{
    return facts->macros.mta_version && facts->mta != MTA_POSTFIX;
}

/* Postfix's cleanup(8) shows mail that came without SMTP as a client on port 0 that was never
 * looked up. So does "sendmail -bs" of Sendmail, but there a program listens to each reply. */
static bool came_without_smtp(const struct facts *facts)
{
    const struct macro_facts *macros = &facts->macros;
    return macros->client_port && strcmp(macros->client_port, "0") == 0 &&
           !macros->client_resolve && !is_sendmail(facts);
}

void facts_connect(struct facts *facts, const struct connection *connection,
                   const struct macro_source *macros)
{
    facts_clear(facts);
    collect(facts, STAGE_CONNECT, macros);
    const char *version = facts->macros.mta_version;
    facts->mta = version && g_str_has_prefix(version, "Postfix") ? MTA_POSTFIX : MTA_OTHER;
    /* Postfix says "unknown" when a proxy does not tell who the client is (XCLIENT), or the client
     * is gone already; Sendmail has no address for a session on standard input, and says "0". */
    const char *macro = facts->macros.client_addr;
    facts->has_address = true;
    if (connection->address && connection->address->family != IP_NONE) {
        facts->address = *connection->address;
    } else if (!macro || !ipaddr_parse(macro, &facts->address)) {
        facts->has_address = false;
        facts->from_nowhere = macro && (facts->mta == MTA_POSTFIX || strcmp(macro, "0") != 0);
        ipaddr_parse("127.0.0.1", &facts->address);
    }
    facts->without_smtp = came_without_smtp(facts);
    const char *name = facts->macros.client_name;
    facts->client_name = take_name(name ? name : connection->host);
    facts->name_status = take_status(facts->macros.client_resolve, facts->client_name);
    if (facts->name_status != NAME_OK) {
        g_free(facts->client_name);
        facts->client_name = g_strdup("unknown");
    }
    const char *ptr = facts->macros.client_ptr;
    facts->reverse_name = ptr ? take_name(ptr) : g_strdup(facts->client_name);
}

/* A login is in clear text when it is there without TLS, or when it came between a HELO without TLS
 * and one with it. The MTA shows no AUTH by itself: what a client does that sends AUTH, STARTTLS
 * and MAIL in a row cannot be told from STARTTLS, AUTH and MAIL. */
static void judge_login(struct facts *facts, bool has_login, bool between_helos)
{
    if (!is_sendmail(facts) || !has_login)
        facts->login_in_clear = false;
    else if (!facts->macros.tls_version || between_helos)
        facts->login_in_clear = true;
}

void facts_helo(struct facts *facts, const char *helo, const struct macro_source *macros)
{
    bool knew_login = facts->macros.helo_auth_type;
    facts_end_message(facts);
    g_free(facts->helo);
    facts->helo = g_strdup(helo);
    collect(facts, STAGE_HELO, macros);
    judge_login(facts, facts->macros.helo_auth_type, facts->helo_in_clear && !knew_login);
    facts->helo_in_clear = !facts->macros.tls_version;
}

/* RFC 1870: up to twenty digits. What is no number says nothing, what is too large is the most that
 * it may mean. */
static uint64_t take_size(const char *text)
{
    return text_is_number(text) ? g_ascii_strtoull(text, NULL, 10) : 0;
}

void facts_mail(struct facts *facts, const char *const *argv, const struct macro_source *macros)
{
    facts_end_message(facts);
    collect(facts, STAGE_MAIL, macros);
    judge_login(facts, facts_has_login(facts), false);
    mail_address_parse(argv[0] ? argv[0] : "", &facts->sender);
    facts->smtputf8 = false;
    facts->announced_size = 0;
    for (size_t i = 1; argv[0] && argv[i]; i++) {
        if (g_ascii_strcasecmp(argv[i], "SMTPUTF8") == 0)
            facts->smtputf8 = true;
        if (g_ascii_strncasecmp(argv[i], "SIZE=", strlen("SIZE=")) == 0)
            facts->announced_size = take_size(argv[i] + strlen("SIZE="));
    }
    facts->in_message = true;
}

void facts_rcpt(struct facts *facts, const char *const *argv, const struct macro_source *macros)
{
    facts_end_recipient(facts);
    collect(facts, STAGE_RCPT, macros);
    mail_address_parse(argv[0] ? argv[0] : "", &facts->recipient);
    facts->has_recipient = true;
}

void facts_message(struct facts *facts, const struct macro_source *macros)
{
    collect(facts, STAGE_MESSAGE, macros);
}

void facts_end_recipient(struct facts *facts)
{
    mail_address_clear(&facts->recipient);
    mail_address_clear(&facts->recipient_meant.address);
    facts->recipient_meant.untold = false;
    facts->has_recipient = false;
    facts->profile = 0;
}

void facts_end_message(struct facts *facts)
{
    facts_end_recipient(facts);
    mail_address_clear(&facts->sender);
    mail_address_clear(&facts->sender_meant.address);
    facts->sender_meant.untold = false;
    g_clear_pointer(&facts->macros.queue_id, g_free);
    facts->in_message = false;
    facts->message = NULL;
}

char *facts_macro_list(enum stage stage)
{
    GString *list = g_string_sized_new(128);
    for (size_t i = 0; i < G_N_ELEMENTS(macro_rows); i++) {
        if (macro_rows[i].stage != stage)
            continue;
        if (list->len)
            g_string_append_c(list, ' ');
        g_string_append(list, macro_rows[i].macro);
    }
    return g_string_free(list, list->len == 0);
}

char *facts_client_text(const struct facts *facts)
{
    char address[IPADDR_TEXT_MAX];
    return g_strconcat(facts->client_name, "[", ipaddr_format(&facts->address, address), "]", NULL);
}

bool facts_listener_is(const struct facts *facts, const char *name)
{
    const char *port = facts->macros.daemon_port;
    if (name[0] == ':')
        return port && strcmp(port, name + 1) == 0;
    const char *daemon = facts->macros.daemon_name;
    return daemon && g_ascii_strcasecmp(daemon, name) == 0;
}

bool facts_listener_may_be(const struct facts *facts, const char *name)
{
    bool told = name[0] == ':' ? facts->macros.daemon_port : facts->macros.daemon_name;
    return !told || facts_listener_is(facts, name);
}

static bool from_submission_program(const struct facts *facts)
{
    if (facts->mta == MTA_POSTFIX || facts->untrusted || !facts->has_address ||
        !ipaddr_is_loopback(&facts->address) || !facts->message)
        return false;
    const struct header *received = header_list_first(facts->message->headers, "Received");
    return received && g_str_has_prefix(received->value + strspn(received->value, " \t"), "(from ");
}

bool facts_nobody_to_tell(const struct facts *facts)
{
    return facts->sender.null && (facts->without_smtp || from_submission_program(facts));
}

char *facts_verified_subject(const struct facts *facts)
{
    const struct macro_facts *macros = &facts->macros;
    if (!macros->cert_subject || !macros->tls_version)
        return NULL;
    if (facts->mta == MTA_POSTFIX) {
        /* Sendmail's encoding of certificate fields: op.txt, "xtext" with more characters. */
        GString *out = g_string_new(NULL);
        for (const unsigned char *p = (const unsigned char *)macros->cert_subject; *p; p++) {
            if (*p < '!' || *p > '~' || strchr("+\\(<>\")", *p))
                g_string_append_printf(out, "+%02X", *p);
            else
                g_string_append_c(out, (char)*p);
        }
        return g_string_free(out, FALSE);
    }
    if (!macros->verify || strcmp(macros->verify, "OK") != 0)
        return NULL;
    return g_strdup(macros->cert_subject);
}

unsigned facts_tls_bits(const struct facts *facts)
{
    const struct macro_facts *macros = &facts->macros;
    if (!macros->tls_version || !macros->cipher_bits)
        return 0;
    guint64 bits;
    if (!g_ascii_string_to_unsigned(macros->cipher_bits, 10, 0, 100000, &bits, NULL))
        return 0;
    return (unsigned)bits;
}

unsigned facts_login_bits(const struct facts *facts)
{
    return facts->login_in_clear ? 0 : facts_tls_bits(facts);
}

bool facts_has_login(const struct facts *facts)
{
    return facts->macros.auth_type || facts->macros.auth_authen;
}

bool facts_is_postmaster(const struct facts *facts)
{
    const struct mail_address *recipient = &facts->recipient;
    return facts->has_recipient && !recipient->malformed && *recipient->domain == '\0' &&
           g_ascii_strcasecmp(recipient->local, "postmaster") == 0;
}
