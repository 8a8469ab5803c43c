/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packets as inputs of fuzz targets write them: a line each, a letter and data in which "\0" is a
 * NUL, "\n" a line's end, "\xNN" any byte.
 */
#ifndef PACKET_SCRIPT_H
#define PACKET_SCRIPT_H

#include <stddef.h>

/* The data behind the letter of a line; the caller frees it. */
unsigned char *packet_script_data(const char *text, size_t *length_r);

#endif
