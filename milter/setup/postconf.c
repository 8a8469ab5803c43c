/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Running postconf and reading what it prints.
 */
#include "postconf.h"

#include <string.h>

/* Where postconf is, for people whose PATH lacks the folders of administrators. */
static char *find_program(void)
{
    static const char *const places[] = {"/usr/sbin/postconf", "/usr/local/sbin/postconf"};
    char *found = g_find_program_in_path("postconf");
    for (size_t i = 0; !found && i < G_N_ELEMENTS(places); i++)
        if (g_file_test(places[i], G_FILE_TEST_IS_EXECUTABLE))
            found = g_strdup(places[i]);
    return found;
}

/* Runs postconf with ARGUMENTS; its output, or NULL. Its warnings are about Postfix, not about us.
 */
static char *run(const char *folder, const char *const *arguments, char **why_r)
{
    g_autofree char *program = find_program();
    if (!program) {
        *why_r = g_strdup("Postfix is not installed here (there is no postconf)");
        return NULL;
    }
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(argv, g_strdup(program));
    if (folder) {
        g_ptr_array_add(argv, g_strdup("-c"));
        g_ptr_array_add(argv, g_strdup(folder));
    }
    for (; *arguments; arguments++)
        g_ptr_array_add(argv, g_strdup(*arguments));
    g_ptr_array_add(argv, NULL);
    g_autofree char *output = NULL, *errors = NULL;
    g_autoptr(GError) error = NULL;
    int status;
    if (!g_spawn_sync(NULL, (char **)argv->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output,
                      &errors, &status, &error)) {
        *why_r = g_strdup(error->message);
        return NULL;
    }
    if (g_spawn_check_wait_status(status, NULL))
        return g_steal_pointer(&output);
    *why_r = g_strdup(*errors ? g_strchomp(errors) : "postconf failed");
    return NULL;
}

/* Calls EACH for the lines "NAME = VALUE" of TEXT. */
static void each_setting(char *text, void (*each)(void *data, const char *name, const char *value),
                         void *data)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        char *equals = strstr(*line, " =");
        if (!equals)
            continue;
        *equals = '\0';
        each(data, *line, g_strstrip(equals + 2));
    }
}

static void take_parameter(void *data, const char *name, const char *value)
{
    g_hash_table_insert(data, g_strdup(name), g_strdup(value));
}

static bool read_parameters(struct postconf *postconf, const char *folder, const char *const *names,
                            char **why_r)
{
    g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(arguments, g_strdup("-x"));
    for (; *names; names++)
        g_ptr_array_add(arguments, g_strdup(*names));
    g_ptr_array_add(arguments, NULL);
    g_autofree char *output = run(folder, (const char *const *)arguments->pdata, why_r);
    if (output)
        each_setting(output, take_parameter, postconf->parameters);
    return output;
}

static void service_free(void *data)
{
    struct postconf_service *service = data;
    g_free(service->name);
    g_free(service->type);
    g_free(service->command);
    g_hash_table_unref(service->overrides);
    g_free(service);
}

/* service type private unpriv chroot wakeup maxproc command + args */
static void read_service(struct postconf *postconf, const char *line)
{
    enum { NAME, TYPE, CHROOT = 4, COMMAND = 7 };
    g_autofree char *copy = g_strdelimit(g_strdup(line), "\t", ' ');
    g_auto(GStrv) all = g_strsplit(copy, " ", -1);
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    for (char **word = all; *word; word++)
        if (**word)
            g_ptr_array_add(words, *word);
    if (words->len <= COMMAND)
        return;
    struct postconf_service *service = g_new0(struct postconf_service, 1);
    service->name = g_strdup(words->pdata[NAME]);
    service->type = g_strdup(words->pdata[TYPE]);
    service->command = g_strdup(words->pdata[COMMAND]);
    bool old = strcmp(postconf_get(postconf, "compatibility_level"), "0") == 0;
    const char *chroot = words->pdata[CHROOT];
    service->chroot = chroot[0] == 'y' || (chroot[0] == '-' && old);
    service->overrides = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_ptr_array_add(postconf->services, service);
}

/* "SERVICE/TYPE/PARAMETER = VALUE"; a service may hold "/" only in types that are not ours. */
static void take_override(void *data, const char *name, const char *value)
{
    struct postconf *postconf = data;
    g_auto(GStrv) parts = g_strsplit(name, "/", 3);
    for (guint i = 0; g_strv_length(parts) == 3 && i < postconf->services->len; i++) {
        struct postconf_service *service = postconf->services->pdata[i];
        if (strcmp(service->name, parts[0]) == 0 && strcmp(service->type, parts[1]) == 0)
            g_hash_table_insert(service->overrides, g_strdup(parts[2]), g_strdup(value));
    }
}

static bool read_services(struct postconf *postconf, const char *folder, char **why_r)
{
    static const char *const services[] = {"-M", NULL}, *const overrides[] = {"-x", "-P", NULL};
    g_autofree char *text = run(folder, services, why_r);
    if (!text)
        return false;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        read_service(postconf, *line);
    g_autofree char *settings = run(folder, overrides, why_r);
    if (settings)
        each_setting(settings, take_override, postconf);
    return settings;
}

struct postconf *postconf_read(const char *folder, const char *const *names, char **why_r)
{
    struct postconf *postconf = g_new0(struct postconf, 1);
    postconf->parameters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    postconf->services = g_ptr_array_new_with_free_func(service_free);
    if (read_parameters(postconf, folder, names, why_r) && read_services(postconf, folder, why_r))
        return postconf;
    postconf_free(postconf);
    return NULL;
}

void postconf_free(struct postconf *postconf)
{
    if (!postconf)
        return;
    g_hash_table_unref(postconf->parameters);
    g_ptr_array_unref(postconf->services);
    g_free(postconf);
}

const char *postconf_get(const struct postconf *postconf, const char *name)
{
    const char *value = g_hash_table_lookup(postconf->parameters, name);
    return value ? value : "";
}

const char *postconf_service_get(const struct postconf *postconf,
                                 const struct postconf_service *service, const char *name)
{
    const char *value = g_hash_table_lookup(service->overrides, name);
    return value ? value : postconf_get(postconf, name);
}
