/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The filter as libmilter wants it described.
 */
#ifndef MTA_CALLBACKS_H
#define MTA_CALLBACKS_H

#include <libmilter/mfapi.h>

extern const struct smfiDesc mta_filter;

#endif
