/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl setup, an MTA a function. FOLDER: where the MTA's configuration is; NULL: where it
 * always is.
 */
#ifndef SETUP_H
#define SETUP_H

#include "command.h"
#include "settings/settings.h"

enum exit_code setup_postfix(const struct settings *settings, const char *folder);

#endif
