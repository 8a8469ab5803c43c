/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether a text is JSON, for tests of those who write it.
 *
 * Threads: pure.
 */
#ifndef JSON_CHECK_H
#define JSON_CHECK_H

#include <stdbool.h>

/* Whether TEXT is one value of RFC 8259, nested 32 deep at most. That it is UTF-8 is not looked at.
 */
bool json_check(const char *text);

#endif
