/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Setup of Sendmail.
 *
 * Threads: one thread at a time.
 */
#ifndef SETUP_SETUPSENDMAIL_H
#define SETUP_SETUPSENDMAIL_H

#include "setup/setup.h"

enum setup_result setup_sendmail(struct setup_task *task);

#endif
