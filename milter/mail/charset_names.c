/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Aliases of character sets, made of charset_aliases.txt and charset_iconv.txt; rows are sorted.
 */
#include "charset_names.h"

const struct charset_alias charset_aliases[] = {
#include "charset_aliases.inc"
};
const size_t charset_alias_count = sizeof charset_aliases / sizeof *charset_aliases;

const struct charset_alias charset_iconv_names[] = {
#include "charset_iconv.inc"
};
const size_t charset_iconv_name_count = sizeof charset_iconv_names / sizeof *charset_iconv_names;
