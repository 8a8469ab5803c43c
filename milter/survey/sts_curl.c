/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Policies over HTTPS. The only file that knows libcurl; sts_none.c stands in for it.
 */
#include "sts_fetch.h"

#include <curl/curl.h>
#include <string.h>

#include "interrupt.h"

/* RFC 8461 3.3: "a sender should limit how long it waits"; a minute is its suggestion. */
enum { TIMEOUT_MS = 60000, CONNECT_MS = 15000 };

void sts_fetch_start(void)
{
    curl_global_init(CURL_GLOBAL_ALL);
}

bool sts_can_download(void)
{
    return true;
}

/* Whatever Content-Length says, the bytes are counted. */
static size_t take_bytes(char *bytes, size_t size, size_t count, void *data)
{
    GString *body = data;
    if (body->len + size * count > STS_POLICY_MAX)
        return 0;
    g_string_append_len(body, bytes, (gssize)(size * count));
    return size * count;
}

static void prepare(CURL *easy, const char *url, struct curl_slist *resolve, const char *ca_file,
                    GString *body, char error[CURL_ERROR_SIZE])
{
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE, (long)STS_POLICY_MAX);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "gatepost-survey");
    curl_easy_setopt(easy, CURLOPT_RESOLVE, resolve);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
    if (ca_file) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
}

/* The multi interface waits in poll(2) alone and minds its time limits whatever hangs below. */
static CURLcode perform(CURL *easy)
{
    CURLM *multi = curl_multi_init();
    CURLcode code = CURLE_OUT_OF_MEMORY;
    int running = 1, left;
    if (multi && curl_multi_add_handle(multi, easy) == CURLM_OK) {
        while (running > 0 && !interrupt_came() &&
               curl_multi_perform(multi, &running) == CURLM_OK && running > 0)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
        const CURLMsg *message = curl_multi_info_read(multi, &left);
        if (message && message->msg == CURLMSG_DONE)
            code = message->data.result;
        curl_multi_remove_handle(multi, easy);
    }
    curl_multi_cleanup(multi);
    return code;
}

/* NULL, or what is wrong with an answer that came. */
static char *judge(CURL *easy)
{
    long status = 0;
    const char *type = NULL;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
    if (status / 100 == 3)
        return g_strdup_printf("status %ld: redirects are not followed (RFC 8461 3.3)", status);
    if (status != 200)
        return g_strdup_printf("status %ld", status);
    bool plain = type && g_ascii_strncasecmp(type, "text/plain", 10) == 0 &&
                 (type[10] == '\0' || strchr("; \t", type[10]));
    return plain ? NULL : g_strdup("the policy is not of type text/plain");
}

GString *sts_download(const char *domain, const char *addresses, const char *ca_file, char **why_r)
{
    char error[CURL_ERROR_SIZE] = "";
    g_autofree char *url = g_strdup_printf("https://mta-sts.%s/.well-known/mta-sts.txt", domain);
    g_autofree char *place = g_strdup_printf("mta-sts.%s:443:%s", domain, addresses);
    g_autoptr(GString) body = g_string_new(NULL);
    CURL *easy = curl_easy_init();
    struct curl_slist *resolve = curl_slist_append(NULL, place);
    prepare(easy, url, resolve, ca_file, body, error);
    CURLcode code = perform(easy);
    if (code != CURLE_OK && body->len + CURL_MAX_WRITE_SIZE > STS_POLICY_MAX)
        *why_r = g_strdup("the policy is larger than 64 kB");
    else if (code == CURLE_FILESIZE_EXCEEDED)
        *why_r = g_strdup("the policy is larger than 64 kB");
    else if (code != CURLE_OK)
        *why_r = g_strdup(*error ? error : curl_easy_strerror(code));
    else
        *why_r = judge(easy);
    curl_easy_cleanup(easy);
    curl_slist_free_all(resolve);
    return *why_r ? NULL : g_steal_pointer(&body);
}
