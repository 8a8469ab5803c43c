/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl check: what the daemon would say of its settings, and what it will need when it
 * starts on this machine (the latter are warnings: the settings may be meant for another one).
 * Root looks as the user that the daemon becomes: what that user may not read, the daemon cannot.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/system.h"
#include "base/wholefile.h"
#include "command.h"
#include "dns/public_resolvers.h"
#include "history/history_writer.h"
#include "policy/snapshot.h"
#include "rules.h"
#include "settings/socket.h"
#include "settings/stateplace.h"
#include "settings/websettings.h"
#include "store/store.h"

#define RESOLV_CONF "/etc/resolv.conf"

static void warn_of_folder(const struct settings *settings, enum setting id, const char *path,
                           struct problems *problems)
{
    const struct setting_value *value = settings_get(settings, NULL, id);
    if (*path == '\0')
        return;
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *above = g_path_get_dirname(folder);
    if (g_file_test(folder, G_FILE_TEST_IS_DIR))
        return;
    /* gatepost makes one folder, not those above it */
    if (g_file_test(above, G_FILE_TEST_IS_DIR))
        problems_warning(problems, value->file, value->line,
                         "%s: there is no folder %s; gatepost makes it if root starts it",
                         setting_row(id)->name, folder);
    else
        problems_warning(
            problems, value->file, value->line,
            "%s: there is no folder %s; make %s, and gatepost makes it if root starts it",
            setting_row(id)->name, folder, above);
}

/* Whether what this process may do says what the settings' user may: root has become him. Without
 * such a user whoever runs this is taken for him. */
static bool speaks_for_user(const struct settings *settings)
{
    const struct passwd *entry = getpwnam(settings_get(settings, NULL, SETTING_USER)->text);
    return !entry || entry->pw_uid == geteuid();
}

/* Whether this process has GROUP, or the folder gives it to what is made in it. */
static bool may_give(gid_t group, const struct stat *folder)
{
    gid_t groups[256];
    int count = getgroups(G_N_ELEMENTS(groups), groups);
    bool given = geteuid() == 0 || getegid() == group ||
                 (folder->st_mode & S_ISGID && folder->st_gid == group);
    for (int i = 0; i < count && !given; i++)
        given = groups[i] == group;
    return given;
}

/* The service of the packages is never root, so that its user makes the socket. */
static void warn_of_socket_folder(const struct settings *settings, const char *path,
                                  struct problems *problems)
{
    const struct setting_value *value = settings_get(settings, NULL, SETTING_MILTER_SOCKET);
    const struct setting_value *group = settings_get(settings, NULL, SETTING_MILTER_SOCKET_GROUP);
    const char *user = settings_get(settings, NULL, SETTING_USER)->text;
    const struct group *entry = *group->text ? getgrnam(group->text) : NULL;
    g_autofree char *folder = g_path_get_dirname(path);
    struct stat status;
    if (stat(folder, &status) != 0)
        return;
    if (access(folder, W_OK | X_OK) != 0)
        problems_warning(problems, value->file, value->line,
                         "milter_socket: user \"%s\" cannot make a socket in %s: gatepost starts "
                         "as root alone, and the packages' service does not",
                         user, folder);
    if (entry && !may_give(entry->gr_gid, &status))
        problems_warning(problems, group->file, group->line,
                         "milter_socket_group: user \"%s\" is no member of %s (adduser %s %s): "
                         "gatepost starts as root alone, and the packages' service does not",
                         user, group->text, user, group->text);
}

static void warn_of_socket(const struct settings *settings, struct problems *problems)
{
    struct socket_address address;
    const char *why;
    const char *text = settings_get(settings, NULL, SETTING_MILTER_SOCKET)->text;
    if (!socket_parse(text, &address, &why) || address.kind != SOCKET_UNIX)
        return;
    warn_of_folder(settings, SETTING_MILTER_SOCKET, address.path, problems);
    if (speaks_for_user(settings))
        warn_of_socket_folder(settings, address.path, problems);
}

/* The server is asked: that it is away is no fault of the settings, what it says of itself may be.
 */
static void warn_of_redis(const struct settings *settings, const struct state_place *place,
                          struct problems *problems)
{
    const struct setting_value *value = settings_get(settings, NULL, SETTING_STATE);
    const struct setting_value *file = settings_get(settings, NULL, SETTING_STATE_PASSWORD_FILE);
    const char *user = settings_get(settings, NULL, SETTING_STATE_USER)->text;
    const char *ca_file = settings_get(settings, NULL, SETTING_STATE_CA_FILE)->text;
    const char *cert_file = settings_get(settings, NULL, SETTING_STATE_CERT_FILE)->text;
    g_autoptr(GPtrArray) hosts = g_ptr_array_new();
    g_autofree char *password = NULL;
    enum whole_file_result result =
        *file->text ? whole_file_first_line(file->text, &password) : WHOLE_FILE_READ;
    if (result != WHOLE_FILE_READ) {
        problems_warning(problems, file->file, file->line, "state_password_file: %s: %s",
                         file->text, whole_file_why(result));
        return;
    }
    for (unsigned i = 0; i < place->host_count; i++)
        g_ptr_array_add(hosts, (char *)place->hosts[i]);
    const struct store_redis_options options = {.hosts = hosts,
                                                .path = *place->path ? place->path : NULL,
                                                .tls = place->tls,
                                                .ca_file = *ca_file ? ca_file : NULL,
                                                .cert_file = *cert_file ? cert_file : NULL,
                                                .user = *user ? user : NULL,
                                                .password = password};
    g_autofree char *said = store_redis_inquire(&options);
    if (said)
        problems_warning(problems, value->file, value->line, "state: %s", said);
}

static void warn_of_state(const struct settings *settings, struct problems *problems)
{
    struct state_place place;
    const struct setting_value *value = settings_get(settings, NULL, SETTING_STATE);
    const char *user = settings_get(settings, NULL, SETTING_USER)->text;
    if (!state_place_parse(value->text, &place, NULL))
        return;
    if (place.kind == STATE_REDIS)
        warn_of_redis(settings, &place, problems);
    if (place.kind != STATE_SQLITE)
        return;
    warn_of_folder(settings, SETTING_STATE, place.path, problems);
    g_autofree char *folder = g_path_get_dirname(place.path);
    if (speaks_for_user(settings) && g_file_test(folder, G_FILE_TEST_IS_DIR) &&
        access(folder, W_OK | X_OK) != 0)
        problems_warning(problems, value->file, value->line,
                         "state: user \"%s\" cannot write to %s: what is remembered would be lost "
                         "when gatepost stops",
                         user, folder);
}

/* That it cannot be kept stops no mail, and so is easily overlooked. */
static void warn_of_history(const struct settings *settings, struct problems *problems)
{
    const struct setting_value *value = settings_get(settings, NULL, SETTING_HISTORY);
    const char *user = settings_get(settings, NULL, SETTING_USER)->text;
    const char *path = history_path(settings);
    g_autofree char *folder = path ? g_path_get_dirname(path) : NULL;
    if (!folder)
        return;
    if (value->given)
        warn_of_folder(settings, SETTING_HISTORY, path, problems);
    if (speaks_for_user(settings) && g_file_test(folder, G_FILE_TEST_IS_DIR) &&
        access(folder, W_OK | X_OK) != 0)
        problems_warning(
            problems, value->file, value->line,
            "history: user \"%s\" cannot write to %s: nothing of what is decided would "
            "be kept",
            user, folder);
}

/* A list of SET whose operator refuses public resolvers; NULL: none. */
static const char *refused_list(const struct dnsbl_set *set)
{
    for (unsigned i = 0; set && i < dnsbl_set_count(set); i++)
        if (public_resolver_is_refused(dnsbl_set_get(set, i)->zone))
            return dnsbl_set_get(set, i)->zone;
    return NULL;
}

/* Of the system's servers the first is asked, and the next where that is silent. What
 * dns_servers names is looked at with the settings. */
static void warn_of_resolver(const struct snapshot *snapshot, struct problems *problems)
{
    const struct settings *settings = snapshot_settings(snapshot);
    const struct policy *policy;
    const char *zone = NULL;
    bool failed = false; /* to say by which name it may be shown */
    g_autofree char *text = NULL, *shown = NULL;
    for (unsigned i = 0; (policy = snapshot_policy_at(snapshot, i)) && !zone; i++) {
        if (policy->asks_dns)
            zone = refused_list(policy->site.dnsbl_weighted)
                       ? refused_list(policy->site.dnsbl_weighted)
                       : refused_list(policy->site.dnsbl_zones);
        if (zone)
            shown = site_shown_list(&policy->site, zone, &failed);
    }
    if (!zone || *settings_get(settings, NULL, SETTING_DNS_SERVERS)->text ||
        !g_file_get_contents(RESOLV_CONF, &text, NULL, NULL))
        return;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i]; i++) {
        char **words = g_strsplit_set(g_strstrip(lines[i]), " \t", 2);
        const char *server = words[0] && strcmp(words[0], "nameserver") == 0 && words[1]
                                 ? public_resolver(g_strstrip(words[1]))
                                 : NULL;
        if (server)
            problems_warning(problems, RESOLV_CONF, i + 1,
                             "%s serves everybody, and %s answers such servers wrongly or not at "
                             "all; ask a resolver of your own (apt install unbound, and "
                             "dns_servers = 127.0.0.1)",
                             server,
                             shown    ? shown
                             : failed ? "a DNS list"
                                      : zone);
        g_strfreev(words);
    }
}

/* A token that the page would not start with. A file that is not there or that this user may not
 * read may be on the page's machine, or its user's alone. */
static void warn_of_web(const struct settings *settings, struct problems *problems)
{
    const struct setting_value *value = settings_get(settings, NULL, SETTING_WEB_TOKEN_FILE);
    struct web_settings web;
    g_autoptr(GError) error = NULL;
    web_settings_read(settings, problems, &web);
    if (web.token)
        g_free(web_token_read(web.token, &error));
    if (error && !g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT) &&
        !g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_ACCES))
        problems_warning(problems, value->file, value->line, "web_token_file: %s", error->message);
    web_settings_clear(&web);
}

static void warn_of_surroundings(const struct snapshot *snapshot, struct problems *problems)
{
    const struct settings *settings = snapshot_settings(snapshot);
    const struct setting_value *user = settings_get(settings, NULL, SETTING_USER);
    const struct setting_value *group = settings_get(settings, NULL, SETTING_MILTER_SOCKET_GROUP);
    const struct setting_value *reads = settings_get(settings, NULL, SETTING_READ_SOCKET_GROUP);
    if (!getpwnam(user->text))
        problems_warning(problems, user->file, user->line, "user: there is no user \"%s\"",
                         user->text);
    if (*group->text && !getgrnam(group->text))
        problems_warning(problems, group->file, group->line,
                         "milter_socket_group: there is no group \"%s\"", group->text);
    if (reads->given && *reads->text && !getgrnam(reads->text))
        problems_warning(problems, reads->file, reads->line,
                         "read_socket_group: there is no group \"%s\"", reads->text);
    warn_of_socket(settings, problems);
    warn_of_folder(settings, SETTING_CONTROL_SOCKET,
                   settings_get(settings, NULL, SETTING_CONTROL_SOCKET)->text, problems);
    warn_of_folder(settings, SETTING_PID_FILE, settings_get(settings, NULL, SETTING_PID_FILE)->text,
                   problems);
    warn_of_state(settings, problems);
    warn_of_history(settings, problems);
    warn_of_resolver(snapshot, problems);
    warn_of_web(settings, problems);
}

static void print_value(const struct settings *settings, const struct section *section,
                        enum setting id)
{
    const struct setting_value *value = settings_get(settings, section, id);
    const char *unset = setting_row(id)->default_text || value->given ? "(empty)" : "(not set)";
    printf("  %-22s %s\n", setting_row(id)->name, *value->text ? value->text : unset);
}

/* What decides about mail, in the order in which it is asked. */
static const enum setting summary[] = {
    SETTING_MODE,
    SETTING_MYNETWORKS,
    SETTING_LOCAL_DOMAINS,
    SETTING_SUBMISSION_LISTENERS,
    SETTING_UNTRUSTED_LISTENERS,
    SETTING_CLIENT_RESTRICTIONS,
    SETTING_HELO_RESTRICTIONS,
    SETTING_SENDER_RESTRICTIONS,
    SETTING_RELAY_RESTRICTIONS,
    SETTING_RECIPIENT_RESTRICTIONS,
    SETTING_MESSAGE_RESTRICTIONS,
};

static void print_section(const struct settings *settings, const struct section *section)
{
    for (size_t i = 0; i < G_N_ELEMENTS(summary); i++) {
        const struct setting_value *value = settings_get(settings, section, summary[i]);
        if (!section || value != settings_get(settings, NULL, summary[i]))
            print_value(settings, section, summary[i]);
    }
}

static void print_whole(const char *file, const struct snapshot *snapshot)
{
    const struct settings *settings = snapshot_settings(snapshot);
    printf("%s: what decides about mail\n", file);
    print_section(settings, NULL);
    guint count = settings_section_count(settings, SECTION_LISTENER);
    for (guint i = 0; i < count; i++) {
        const struct section *section = settings_section(settings, SECTION_LISTENER, i);
        printf("[listener %s]\n", section_name(section));
        print_section(settings, section);
    }
    rules_print_skipped(snapshot, stdout);
}

/* Root becomes the user of the settings in FILE, with all his groups, for good. Whether that is
 * somebody else; *NAME_R is who, to be freed. Where there is no such user, or root must stay, all
 * is looked at as it is. */
static bool become_user(const char *file, char **name_r)
{
    struct problems *problems = problems_new(); /* told when the policy is loaded */
    struct settings *settings = settings_load(file, problems);
    const char *name = settings ? settings_get(settings, NULL, SETTING_USER)->text
                                : setting_row(SETTING_USER)->default_text;
    const struct passwd *user = geteuid() == 0 ? getpwnam(name) : NULL;
    bool becomes = user && user->pw_uid != 0;
    if (becomes && (!system_take_groups(user->pw_name, user->pw_gid) || setgid(user->pw_gid) != 0 ||
                    setuid(user->pw_uid) != 0)) {
        complain("cannot look with the eyes of user %s: %s", name, g_strerror(errno));
        becomes = false;
    }
    *name_r = g_strdup(name);
    settings_free(settings);
    problems_free(problems);
    return becomes;
}

/* Whether a file is there that may not be read: another user may. */
static bool is_denied(const struct problems *problems)
{
    const struct problem *problem;
    for (unsigned i = 0; (problem = problems_get(problems, i)); i++)
        if (strstr(problem->text, g_strerror(EACCES)))
            return true;
    return false;
}

enum exit_code command_check(struct invocation *invocation)
{
    gboolean verbose = FALSE;
    const GOptionEntry entries[] = {{"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose, NULL, NULL},
                                    {NULL, 0, 0, 0, NULL, NULL, NULL}};
    enum parse_result parsed = invocation_parse(invocation, entries, 0, 0);
    if (parsed != PARSE_GOOD)
        return parse_code(parsed);
    g_autofree char *user = NULL;
    bool is_user = become_user(invocation->config, &user);
    struct problems *problems = problems_new();
    struct snapshot *snapshot = snapshot_examine(invocation->config, problems);
    if (snapshot)
        warn_of_surroundings(snapshot, problems);
    bool is_good = problems_errors(problems) == 0;
    problems_print(problems, stderr);
    if (!is_good && is_user && is_denied(problems))
        complain("this is what user %s, which the daemon becomes, can read", user);
    if (verbose) {
        if (snapshot)
            print_whole(invocation->config, snapshot);
        printf("%u errors, %u warnings\n", problems_errors(problems), problems_warnings(problems));
    }
    /* For a person, that nothing is said does not say that it is done. */
    bool is_silent = problems_errors(problems) + problems_warnings(problems) == 0 && !verbose;
    if (is_good && is_silent && isatty(STDOUT_FILENO))
        printf("%s: nothing is wrong\n", invocation->config);
    problems_free(problems);
    enum exit_code code = is_good ? CODE_FINE : CODE_CONFIG;
    snapshot_unref(snapshot);
    return code;
}
