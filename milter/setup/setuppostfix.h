/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Setup of Postfix.
 *
 * Threads: one thread at a time.
 */
#ifndef SETUP_SETUPPOSTFIX_H
#define SETUP_SETUPPOSTFIX_H

#include "setup/setup.h"

enum setup_result setup_postfix(struct setup_task *task);

#endif
