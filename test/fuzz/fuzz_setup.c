/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What setup reads of an MTA: a sendmail.cf, or what postconf prints. The first byte chooses.
 */
#include <glib/gstdio.h>
#include <stdint.h>
#include <unistd.h>

#include "../../milter/setup/postconf.c"
#include "../../milter/setup/sendmailcf.h"

/* Parameters, then, behind a line "=", services, then their own settings. */
static void read_postconf(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "\n=\n", 3);
    struct postconf *postconf = g_new0(struct postconf, 1);
    postconf->parameters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    postconf->services = g_ptr_array_new_with_free_func(service_free);
    guint count = g_strv_length(parts);
    if (count > 0)
        each_setting(parts[0], take_parameter, postconf->parameters);
    g_auto(GStrv) lines = g_strsplit(count > 1 ? parts[1] : "", "\n", -1);
    for (char **line = lines; *line; line++)
        read_service(postconf, *line);
    if (count > 2)
        each_setting(parts[2], take_override, postconf);
    for (guint i = 0; i < postconf->services->len; i++) {
        const struct postconf_service *service = postconf->services->pdata[i];
        g_assert(*service->name && *service->type && *service->command);
        g_assert(postconf_service_get(postconf, service, "smtpd_milters"));
    }
    postconf_free(postconf);
}

static void check_cf(const struct sendmailcf *cf)
{
    g_assert(cf->daemons->len > 0);
    for (guint i = 0; i < cf->daemons->len; i++) {
        const struct sendmailcf_daemon *listener = cf->daemons->pdata[i];
        g_assert(listener->name && listener->address && listener->port && listener->family);
    }
    for (guint i = 0; i < cf->filters->len; i++) {
        const struct sendmailcf_filter *filter = cf->filters->pdata[i];
        g_assert(filter->name && filter->socket && filter->flags);
        g_assert(sendmailcf_find(cf, filter->name));
    }
    g_assert(sendmailcf_option(cf, "InputMailFilters"));
}

static void read_cf(const char *text, size_t length)
{
    g_autofree char *path = g_strdup_printf("%s/gatepost-cf-%d", g_get_tmp_dir(), (int)getpid());
    const char *why = NULL;
    FILE *stream = g_fopen(path, "w");
    if (!stream)
        return;
    fwrite(text, 1, length, stream);
    fclose(stream);
    struct sendmailcf *cf = sendmailcf_read(path, &why);
    g_assert(cf || why);
    if (cf)
        check_cf(cf);
    sendmailcf_free(cf);
    g_remove(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    g_autofree char *text = g_strndup((const char *)data + 1, size - 1);
    if (data[0] == 'p')
        read_postconf(text);
    else
        read_cf((const char *)data + 1, size - 1);
    return 0;
}
