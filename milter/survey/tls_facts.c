/* SPDX-License-Identifier: BSD-2-Clause
 *
 * OpenSSL. Verification is done apart from the handshake, over the chain that came: as PKIX has it
 * (with a DANE match OpenSSL reports no error at all), and as DANE has it, once for each MX name
 * that the address has.
 */
#include "tls_facts.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/stream.h"

/* What NIST SP 800-131A and the CA/Browser Forum call too small. */
enum { RSA_BITS_MIN = 2048, EC_BITS_MIN = 224, DH_BITS_MIN = 1024, NAMES_MAX = 8192 };

struct tls_context {
    SSL_CTX *client;
    SSL_CTX *dane;
    X509_STORE *trusted;
};

struct tls_chain {
    STACK_OF(X509) * certificates;
};

static const struct {
    const char *name;
    int number;
} versions[TLS_VERSIONS] = {{"TLS 1.0", TLS1_VERSION},
                            {"TLS 1.1", TLS1_1_VERSION},
                            {"TLS 1.2", TLS1_2_VERSION},
                            {"TLS 1.3", TLS1_3_VERSION}};

const char *tls_version_name(unsigned index)
{
    return versions[index].name;
}

int tls_version_index(const char *name)
{
    for (int i = 0; i < TLS_VERSIONS; i++)
        if (name && strcmp(versions[i].name, name) == 0)
            return i;
    return -1;
}

/* ---- contexts ---- */

/* Whatever the library would refuse for its strength is what we are here to see. */
static int allow_all(const SSL *ssl, const SSL_CTX *context, int operation, int bits, int number,
                     void *other, void *extra)
{
    (void)ssl, (void)context, (void)operation, (void)bits, (void)number, (void)other, (void)extra;
    return 1;
}

/* Anonymous ciphers come last: who has a certificate shall show it. */
static SSL_CTX *new_client(void)
{
    SSL_CTX *client = SSL_CTX_new(TLS_client_method());
    if (!client || !SSL_CTX_set_min_proto_version(client, TLS1_VERSION) ||
        !SSL_CTX_set_max_proto_version(client, TLS1_3_VERSION) ||
        !SSL_CTX_set_cipher_list(client, "ALL:+aNULL:!eNULL:@SECLEVEL=0")) {
        SSL_CTX_free(client);
        return NULL;
    }
    SSL_CTX_set_security_level(client, 0);
    SSL_CTX_set_security_callback(client, allow_all);
    SSL_CTX_set_options(client, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                    SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_verify(client, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_OFF);
    return client;
}

/* Two usages and three ways to match are there after SSL_CTX_dane_enable: SHA-512 is one of them.
 */
static SSL_CTX *new_dane(void)
{
    SSL_CTX *dane = SSL_CTX_new(TLS_client_method());
    if (dane && SSL_CTX_dane_enable(dane) > 0) {
        SSL_CTX_dane_set_flags(dane, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
        return dane;
    }
    SSL_CTX_free(dane);
    return NULL;
}

struct tls_context *tls_context_new(const char *ca_file, char **why_r)
{
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    struct tls_context *context = g_new0(struct tls_context, 1);
    context->client = new_client();
    context->dane = new_dane();
    context->trusted = X509_STORE_new();
    int trusted = 0;
    if (context->trusted)
        trusted = ca_file ? X509_STORE_load_file(context->trusted, ca_file)
                          : X509_STORE_set_default_paths(context->trusted);
    if (context->client && context->dane && (trusted || !ca_file)) {
        ERR_clear_error();
        return context;
    }
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    *why_r = g_strdup_printf("%s%s%s", ca_file && !trusted ? ca_file : "OpenSSL", ": ",
                             reason ? reason : "no certificates can be read from it");
    tls_context_free(context);
    return NULL;
}

void tls_context_free(struct tls_context *context)
{
    if (!context)
        return;
    SSL_CTX_free(context->client);
    SSL_CTX_free(context->dane);
    X509_STORE_free(context->trusted);
    g_free(context);
}

/* ---- the handshake ---- */

static bool is_small(EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_bits(key);
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
    case EVP_PKEY_DSA:
        return bits < RSA_BITS_MIN;
    case EVP_PKEY_DH:
        return bits < DH_BITS_MIN;
    case EVP_PKEY_EC:
        return bits < EC_BITS_MIN;
    default:
        return false;
    }
}

static char *describe_key(EVP_PKEY *key)
{
    const char *name = OBJ_nid2sn(EVP_PKEY_get_base_id(key));
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        name = "RSA";
        break;
    case EVP_PKEY_EC:
        name = "EC";
        break;
    case EVP_PKEY_DH:
        name = "DH";
        break;
    case EVP_PKEY_ED25519:
        return g_strdup("Ed25519");
    case EVP_PKEY_ED448:
        return g_strdup("Ed448");
    case EVP_PKEY_X25519:
        return g_strdup("X25519");
    case EVP_PKEY_X448:
        return g_strdup("X448");
    }
    return g_strdup_printf("%s %d", name, EVP_PKEY_get_bits(key));
}

/* One operation that may want the socket, until it is through, fails or the deadline is there. */
static bool drive(SSL *ssl, int fd, int (*operation)(SSL *), int64_t deadline, bool *timeout)
{
    for (;;) {
        ERR_clear_error();
        int result = operation(ssl);
        if (result > 0)
            return true;
        int wanted = SSL_get_error(ssl, result);
        if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE)
            return false;
        short events = wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
        if (stream_wait(fd, events, deadline) == STREAM_TIMEOUT) {
            *timeout = true;
            return false;
        }
    }
}

static int say_quit(SSL *ssl)
{
    return SSL_write(ssl, "QUIT\r\n", 6);
}

static int hear_reply(SSL *ssl)
{
    char reply[512];
    return SSL_read(ssl, reply, sizeof reply);
}

static const int small_key_reasons[] = {
    SSL_R_DH_KEY_TOO_SMALL, SSL_R_EE_KEY_TOO_SMALL, SSL_R_CA_KEY_TOO_SMALL,  SSL_R_BAD_DH_VALUE,
    SSL_R_BAD_ECPOINT,      SSL_R_WRONG_CURVE,      SSL_R_BAD_DIGEST_LENGTH, SSL_R_CA_MD_TOO_WEAK,
};

/* Why it failed; a key that the library cannot be talked into is a weak key. */
static void explain(struct tls_facts *facts, int system_error)
{
    unsigned long code = ERR_peek_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    if (facts->timeout)
        facts->error = g_strdup("no answer in time");
    else if (reason)
        facts->error = g_strdup(reason);
    else
        facts->error = g_strdup(system_error ? g_strerror(system_error) : "connection closed");
    for (size_t i = 0; code && i < G_N_ELEMENTS(small_key_reasons); i++)
        if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == small_key_reasons[i])
            facts->weak = true;
    if (code && (ERR_GET_LIB(code) == ERR_LIB_DH || ERR_GET_LIB(code) == ERR_LIB_RSA ||
                 ERR_GET_LIB(code) == ERR_LIB_EC))
        facts->weak = true;
    ERR_clear_error();
}

static struct tls_chain *take_chain(SSL *ssl)
{
    STACK_OF(X509) *sent = SSL_get_peer_cert_chain(ssl);
    if (!sent || sk_X509_num(sent) == 0)
        return NULL;
    struct tls_chain *chain = g_new0(struct tls_chain, 1);
    chain->certificates = X509_chain_up_ref(sent);
    return chain;
}

static void describe_session(SSL *ssl, struct tls_facts *facts)
{
    EVP_PKEY *temporary = NULL;
    for (size_t i = 0; i < TLS_VERSIONS; i++)
        if (SSL_version(ssl) == versions[i].number)
            facts->version = g_strdup(versions[i].name);
    facts->cipher = g_strdup(SSL_get_cipher_name(ssl));
    facts->bits = SSL_get_cipher_bits(ssl, NULL);
    facts->insecure_renegotiation =
        SSL_version(ssl) < TLS1_3_VERSION && !SSL_get_secure_renegotiation_support(ssl);
    if (SSL_get_peer_tmp_key(ssl, &temporary)) {
        facts->exchange = describe_key(temporary);
        facts->weak = is_small(temporary);
        EVP_PKEY_free(temporary);
    }
    facts->chain = take_chain(ssl);
}

void tls_handshake(struct tls_context *context, int fd, const char *name, int only,
                   int64_t deadline, struct tls_facts *facts_r)
{
    *facts_r = (struct tls_facts){0};
    SSL *ssl = SSL_new(context->client);
    if (only >= 0) {
        SSL_set_min_proto_version(ssl, versions[only].number);
        SSL_set_max_proto_version(ssl, versions[only].number);
    }
    SSL_set_fd(ssl, fd);
    if (name)
        SSL_set_tlsext_host_name(ssl, name);
    errno = 0;
    facts_r->done = drive(ssl, fd, SSL_connect, deadline, &facts_r->timeout);
    if (!facts_r->done) {
        explain(facts_r, errno);
        facts_r->chain = take_chain(ssl);
        SSL_free(ssl);
        return;
    }
    describe_session(ssl, facts_r);
    bool late = false;
    if (drive(ssl, fd, say_quit, deadline, &late) && drive(ssl, fd, hear_reply, deadline, &late))
        SSL_shutdown(ssl);
    ERR_clear_error();
    SSL_free(ssl);
}

void tls_facts_clear(struct tls_facts *facts)
{
    g_free(facts->version);
    g_free(facts->cipher);
    g_free(facts->exchange);
    g_free(facts->error);
    tls_chain_free(facts->chain);
    *facts = (struct tls_facts){0};
}

/* ---- certificates ---- */

void tls_chain_free(struct tls_chain *chain)
{
    if (!chain)
        return;
    sk_X509_pop_free(chain->certificates, X509_free);
    g_free(chain);
}

static X509 *leaf(const struct tls_chain *chain)
{
    return sk_X509_value(chain->certificates, 0);
}

static char *hexadecimal(const unsigned char *bytes, unsigned count)
{
    GString *text = g_string_new(NULL);
    for (unsigned i = 0; i < count; i++)
        g_string_append_printf(text, "%02x", bytes[i]);
    return g_string_free(text, FALSE);
}

static char *describe_name(const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    long length = BIO_get_mem_data(bio, &text);
    char *copy = g_strndup(text, (gsize)MIN(length, NAMES_MAX));
    BIO_free(bio);
    return copy;
}

/* DNS names of subjectAltName; what is no plain name is left out, since no host has it. */
static char *describe_names(X509 *certificate)
{
    GString *text = g_string_new(NULL);
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names) && text->len < NAMES_MAX; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS)
            continue;
        const char *bytes = (const char *)ASN1_STRING_get0_data(name->d.dNSName);
        int length = ASN1_STRING_length(name->d.dNSName);
        bool plain = length > 0 && length <= DNS_NAME_MAX;
        for (int j = 0; plain && j < length; j++)
            plain = g_ascii_isalnum(bytes[j]) || strchr("-._*", bytes[j]);
        if (!plain)
            continue;
        g_autofree char *lower = g_ascii_strdown(bytes, length);
        g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", lower);
    }
    GENERAL_NAMES_free(names);
    return g_string_free(text, FALSE);
}

static int64_t seconds_of(const ASN1_TIME *time)
{
    struct tm parts;
    if (!ASN1_TIME_to_tm(time, &parts))
        return 0;
    g_autoptr(GDateTime) date = g_date_time_new_utc(parts.tm_year + 1900, parts.tm_mon + 1,
                                                    parts.tm_mday, parts.tm_hour, parts.tm_min, 0);
    return date ? g_date_time_to_unix(date) + parts.tm_sec : 0;
}

/* All errors are gathered, none ends the verification. */
struct verdict {
    int first; /* the first error that is none of dates; 0: none */
};

static int slot;

static int gather(int good, X509_STORE_CTX *context)
{
    struct verdict *verdict = X509_STORE_CTX_get_ex_data(context, slot);
    int error = X509_STORE_CTX_get_error(context);
    bool of_dates = error == X509_V_ERR_CERT_HAS_EXPIRED ||
                    error == X509_V_ERR_CERT_NOT_YET_VALID || error == X509_V_ERR_CRL_HAS_EXPIRED;
    if (!good && !of_dates && verdict->first == 0)
        verdict->first = error;
    return 1;
}

static const char *chain_text(int error, bool self_signed)
{
    switch (error) {
    case X509_V_OK:
        return "trusted";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return "self-signed";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
        return self_signed ? "self-signed" : "untrusted";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return "weak";
    default:
        return "broken";
    }
}

static const char *verify(struct tls_context *context, const struct tls_chain *chain,
                          bool self_signed)
{
    static gsize once;
    struct verdict verdict = {0};
    if (g_once_init_enter(&once)) {
        slot = X509_STORE_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
        g_once_init_leave(&once, 1);
    }
    X509_STORE_CTX *verification = X509_STORE_CTX_new();
    X509_STORE_CTX_init(verification, context->trusted, leaf(chain), chain->certificates);
    X509_STORE_CTX_set_default(verification, "ssl_server");
    X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(verification), 0);
    X509_STORE_CTX_set_ex_data(verification, slot, &verdict);
    X509_STORE_CTX_set_verify_cb(verification, gather);
    if (X509_verify_cert(verification) <= 0 && verdict.first == 0)
        verdict.first = X509_V_ERR_UNSPECIFIED;
    X509_STORE_CTX_free(verification);
    ERR_clear_error();
    return chain_text(verdict.first, self_signed);
}

void tls_chain_describe(struct tls_context *context, const struct tls_chain *chain,
                        struct tls_certificate *certificate_r)
{
    X509 *certificate = leaf(chain);
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned char *spki = NULL;
    unsigned size = 0;
    *certificate_r = (struct tls_certificate){.self_signed = X509_self_signed(certificate, 0) == 1};
    X509_digest(certificate, EVP_sha256(), digest, &size);
    certificate_r->sha256 = hexadecimal(digest, size);
    int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
    if (length > 0 && EVP_Digest(spki, (size_t)length, digest, &size, EVP_sha256(), NULL))
        certificate_r->spki = hexadecimal(digest, size);
    OPENSSL_free(spki);
    certificate_r->subject = describe_name(X509_get_subject_name(certificate));
    certificate_r->issuer = describe_name(X509_get_issuer_name(certificate));
    certificate_r->names = describe_names(certificate);
    certificate_r->key = key ? describe_key(key) : g_strdup("unknown");
    certificate_r->weak = !key || is_small(key);
    certificate_r->signature = g_strdup(OBJ_nid2ln(X509_get_signature_nid(certificate)));
    certificate_r->from = seconds_of(X509_get0_notBefore(certificate));
    certificate_r->until = seconds_of(X509_get0_notAfter(certificate));
    certificate_r->chain = verify(context, chain, certificate_r->self_signed);
    ERR_clear_error();
}

void tls_certificate_clear(struct tls_certificate *certificate)
{
    char *texts[] = {certificate->sha256,   certificate->spki,  certificate->subject,
                     certificate->issuer,   certificate->names, certificate->key,
                     certificate->signature};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    *certificate = (struct tls_certificate){0};
}

bool tls_chain_is_for(const struct tls_chain *chain, const char *name)
{
    return X509_check_host(leaf(chain), name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

/* ---- DANE ---- */

static const char *dane_failure(int error)
{
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "a record matches, but a certificate of its chain has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "a record matches, but a certificate of its chain is not valid yet";
    case X509_V_ERR_HOSTNAME_MISMATCH:
        return "a record matches, but the certificate is for another name";
    default:
        return "no record matches";
    }
}

/* The verification of a handshake, without one: parameters, names and records are an SSL's. */
static int verify_dane(SSL *ssl, const struct tls_chain *chain, X509_STORE *empty)
{
    X509_STORE_CTX *verification = X509_STORE_CTX_new();
    X509_STORE_CTX_init(verification, empty, leaf(chain), chain->certificates);
    X509_STORE_CTX_set0_dane(verification, SSL_get0_dane(ssl));
    X509_STORE_CTX_set_default(verification, "ssl_server");
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(verification);
    X509_VERIFY_PARAM_set1(parameters, SSL_get0_param(ssl));
    X509_VERIFY_PARAM_set_auth_level(parameters, 0);
    int error =
        X509_verify_cert(verification) > 0 ? X509_V_OK : X509_STORE_CTX_get_error(verification);
    X509_STORE_CTX_free(verification);
    return error;
}

/* Whether RECORD alone matches; else *WHY_R. */
static bool record_matches(struct tls_context *context, const struct tls_chain *chain,
                           const struct dns_tlsa *record, const char *const *names,
                           X509_STORE *empty, const char **why_r)
{
    SSL *ssl = SSL_new(context->dane);
    bool fits = ssl && SSL_dane_enable(ssl, names[0]) > 0;
    for (size_t i = 1; fits && names[i]; i++)
        SSL_add1_host(ssl, names[i]);
    if (fits)
        fits = SSL_dane_tlsa_add(ssl, (uint8_t)record->usage, (uint8_t)record->selector,
                                 (uint8_t)record->matching, record->data, record->length) > 0;
    if (fits) {
        int error = verify_dane(ssl, chain, empty);
        fits = error == X509_V_OK;
        if (!fits && strcmp(dane_failure(error), "no record matches") != 0)
            *why_r = dane_failure(error);
    }
    SSL_free(ssl);
    ERR_clear_error();
    return fits;
}

bool tls_chain_dane(struct tls_context *context, const struct tls_chain *chain,
                    const struct dns_tlsa *records, size_t count, const char *const *names,
                    size_t *matched_r, const char **why_r)
{
    X509_STORE *empty = X509_STORE_new();
    bool matched = false;
    *why_r = "no record matches";
    for (size_t i = 0; i < count && !matched; i++) {
        matched = record_matches(context, chain, &records[i], names, empty, why_r);
        *matched_r = i;
    }
    X509_STORE_free(empty);
    return matched;
}

bool tls_sha3_256(const uint8_t *bytes, size_t length, uint8_t digest_r[32])
{
    unsigned size = 0;
    return EVP_Digest(bytes, length, digest_r, &size, EVP_sha3_256(), NULL) == 1 && size == 32;
}
