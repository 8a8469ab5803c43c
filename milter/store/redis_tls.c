/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hiredis begins TLS; whom it trusts, and for which name, is told to OpenSSL here.
 */
#include "redis_tls.h"

#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct redis_tls {
    SSL *ssl; /* shared with hiredis, which frees its own reference before the last callback ends */
};

/* What OpenSSL says of the last call. */
static char *openssl_says(const char *what)
{
    unsigned long code = ERR_peek_error(); /* the first, which the others follow from */
    const char *reason =
        ERR_SYSTEM_ERROR(code) ? g_strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
    char *text = g_strdup_printf("%s: %s", what, reason ? reason : "OpenSSL gives no reason");
    ERR_clear_error();
    return text;
}

static SSL_CTX *new_context(const struct store_redis_options *options, char **why_r)
{
    static char no_passphrase[] = ""; /* else OpenSSL asks for one on the terminal, and waits */
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context)
        SSL_CTX_set_default_passwd_cb_userdata(context, no_passphrase);
    if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION)) {
        *why_r = openssl_says("TLS");
    } else if (options->ca_file ? !SSL_CTX_load_verify_file(context, options->ca_file)
                                : !SSL_CTX_set_default_verify_paths(context)) {
        *why_r = openssl_says(options->ca_file ? options->ca_file : "the system's authorities");
    } else if (options->cert_file &&
               (SSL_CTX_use_certificate_chain_file(context, options->cert_file) != 1 ||
                SSL_CTX_use_PrivateKey_file(context, options->cert_file, SSL_FILETYPE_PEM) != 1)) {
        *why_r = openssl_says(options->cert_file);
    } else {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        return context;
    }
    SSL_CTX_free(context);
    return NULL;
}

struct redis_tls *redis_tls_begin(redisContext *connection, const char *host,
                                  const struct store_redis_options *options, char **why_r)
{
    ERR_clear_error();
    SSL_CTX *context = new_context(options, why_r);
    if (!context)
        return NULL;
    SSL *ssl = SSL_new(context);
    SSL_CTX_free(context);
    unsigned char address[16];
    bool is_address =
        inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    if (!ssl || (is_address ? !X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host)
                            : !SSL_set1_host(ssl, host) || !SSL_set_tlsext_host_name(ssl, host))) {
        *why_r = openssl_says(host);
        SSL_free(ssl);
        return NULL;
    }
    struct redis_tls *tls = g_new0(struct redis_tls, 1);
    tls->ssl = ssl;
    SSL_up_ref(ssl);
    if (redisInitiateSSL(connection, ssl) == REDIS_OK)
        return tls;
    *why_r = redis_tls_fault(tls);
    if (!*why_r)
        *why_r = g_strdup_printf("TLS: %s", connection->errstr);
    SSL_free(ssl);
    redis_tls_free(tls);
    return NULL;
}

char *redis_tls_fault(const struct redis_tls *tls)
{
    long result = SSL_get_verify_result(tls->ssl);
    if (result == X509_V_OK)
        return NULL;
    return g_strdup_printf("its certificate is not to be trusted: %s",
                           X509_verify_cert_error_string(result));
}

void redis_tls_free(struct redis_tls *tls)
{
    if (!tls)
        return;
    SSL_free(tls->ssl);
    g_free(tls);
}
