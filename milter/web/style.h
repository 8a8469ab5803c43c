/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The style sheet of the pages, and their icon.
 */
#ifndef WEB_STYLE_H
#define WEB_STYLE_H

extern const char web_style[];

/* A gate, as SVG. */
extern const char web_icon[];

#endif
