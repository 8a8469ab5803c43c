/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What gatepost.conf says of gatepost-web, judged for it and for `gatepostctl check` alike.
 *
 * Threads: pure.
 */
#ifndef SETTINGS_WEBSETTINGS_H
#define SETTINGS_WEBSETTINGS_H

#include "settings/settings.h"
#include "settings/socket.h"

/* Characters of a token at least, and at most. */
#define WEB_TOKEN_MIN 16
#define WEB_TOKEN_MAX 1024

struct web_settings {
    struct socket_address listen;
    bool loopback;     /* nobody on another machine can connect */
    const char *token; /* the file's path, of the settings; NULL: none */
    char **names;      /* of hosts, lower case, and addresses; NULL behind the last; owned */
};

/* What is wrong is added to PROBLEMS: a page for the world without a token is an error, one without
 * a proxy in front a warning. To be emptied with web_settings_clear in any case. */
void web_settings_read(const struct settings *settings, struct problems *problems,
                       struct web_settings *web_r);
void web_settings_clear(struct web_settings *web);

/* The token in the file at PATH, its first line; NULL with *ERROR_R (the caller's), a GFileError,
 * G_FILE_ERROR_INVAL for one that nobody may have. The caller frees it. */
char *web_token_read(const char *path, GError **error_r);

#endif
