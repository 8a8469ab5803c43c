/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The tables of charset names; only charset.c reads them.
 */
#ifndef MAIL_CHARSET_NAMES_H
#define MAIL_CHARSET_NAMES_H

#include <stddef.h>

struct charset_alias {
    const char *key;  /* what it is sorted by */
    const char *name; /* the canonical name, or iconv's */
};

/* Alias (letters and digits alone) -> canonical name. */
extern const struct charset_alias charset_aliases[];
extern const size_t charset_alias_count;

/* Canonical name -> the name under which iconv has the charset, or a superset that mail readers
 * use in its place, where that is not the canonical name itself. */
extern const struct charset_alias charset_iconv_names[];
extern const size_t charset_iconv_name_count;

#endif
