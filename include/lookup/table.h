/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lookup tables in Postfix's text formats: a key in, a value out, or "not found", or "cannot
 * tell". "cannot tell" is never "not found": a list that cannot be read must not let anybody in.
 *
 *   texthash:FILE   postmap(1), access(5); hash: btree: lmdb: cdb: dbm: read FILE's text source
 *   cidr:FILE       cidr_table(5)
 *   pcre:FILE       pcre_table(5)
 *   regexp:FILE     regexp_table(5); run by PCRE2, so that it can be bounded: of several ways to
 *                   match, groups are those of the longest match
 *   inline:{a=b, {c = d e}}    static:VALUE    static:{VALUE WITH SPACES}
 *   fail:WHATEVER   never can tell; for tests, not for users
 *
 * "proxy:" before a type is ignored. A table is read whole; when its file changed it is read
 * again, aside, and swapped whole.
 *
 * Threads: a table locks itself; any thread may ask it while another refreshes it.
 */
#ifndef LOOKUP_TABLE_H
#define LOOKUP_TABLE_H

#include <glib.h>
#include <stdbool.h>

#include "base/problems.h"

enum lookup_status { LOOKUP_HIT, LOOKUP_MISS, LOOKUP_ERROR };

/* A file longer than this is not read (the table keeps what it had, or cannot be opened). */
#define TABLE_FILE_MAX (1024u * 1024u * 1024u)

struct table;
struct table_set;

/* Where a table or list is asked for, and what it is opened with. */
struct table_context {
    const char *base_dir;      /* relative paths are relative to it; NULL: the working directory */
    struct problems *problems; /* takes errors and warnings; never NULL */
    const char *file;          /* the setting's place, for errors about the spec itself */
    unsigned line;
    struct table_set *set;   /* what is opened is kept and found here; NULL: nothing is shared */
    struct table_set *older; /* tables of it, and lists' files, that are as they were read, without
                                a warning, are taken over; NULL: none are */
};

/* Opens the table that SPEC ("type:name") names and reads it. BARE_PATH_IS_TEXTHASH: a SPEC that
 * is a path without a type means texthash. Bad lines of the table's file are warnings at FILE:LINE
 * of that file and are skipped, as Postfix does. Returns a reference that the caller gives back
 * with table_unref, or NULL with errors at the place in CONTEXT: the type is unknown (the nearest
 * known one is suggested), the file cannot be read, the text is malformed. A file that changes
 * while it is read is waited for, two seconds at most. With CONTEXT->set the same table is opened
 * once only. */
struct table *table_open(const char *spec, bool bare_path_is_texthash,
                         const struct table_context *context);

struct table *table_ref(struct table *table);
void table_unref(struct table *table); /* accepts NULL */

/* "type:name": the type as it is read ("texthash" for "hash"), the path with its base. */
const char *table_name(const struct table *table);

/* The file the table is read from; NULL for inline, static, fail. */
const char *table_file(const struct table *table);

/* Whether it is a pattern table (cidr, pcre, regexp): asked for whole keys alone, never for parent
 * domains or parts of addresses. */
bool table_is_pattern(const struct table *table);

/* Whether lines of its file could not be read: what is not found may stand in one of them. Whoever
 * lets in who is not found must ask. */
bool table_has_gaps(struct table *table);

/* Whether to read its file again would certainly tell nothing new, nor complain of anything; true
 * without a file. */
bool table_is_current(struct table *table);

/* Asks for KEY. HIT: *VALUE_R is the value (perhaps ""); else it is empty. VALUE_R may be NULL.
 * texthash and inline compare folded to lower case (Unicode case folding) and hold no key that is
 * not UTF-8; pattern tables see the bytes of KEY as they are; cidr holds nothing but IP addresses,
 * so that any other KEY is a MISS. ERROR: a pattern went beyond its limits for this key, a
 * rule that cannot be read and may keep out ("!pattern", "if") stands in the way, or the table is
 * fail:. */
enum lookup_status table_find(struct table *table, const char *key, GString *value_r);

/* The same, and which entry it was: of a HIT *ENTRY_R is "TYPE:FILE:LINE", with the line as the
 * file was read; of a table without a file "inline:KEY" or "static:VALUE"; else it is empty.
 * ENTRY_R may be NULL. */
enum lookup_status table_find_entry(struct table *table, const char *key, GString *value_r,
                                    GString *entry_r);

/* Reads the file again if it changed (inode, size, times) and has been quiet for a second, so that
 * a file that is being written is not taken half; a file is best replaced by rename. Returns
 * whether the content was swapped. Its bad lines are warnings. A file that cannot be read leaves
 * the old content in force; a warning says so once, not at each call. */
bool table_refresh(struct table *table, struct problems *problems);

/* Calls VISIT for the values that the table can give, with their place, to check them; the key is
 * the key or pattern, as written if the table keeps it. Of equal values perhaps only the first is
 * shown. Values of patterns hold $1 and $$ as written. For inline and static FILE is the table's
 * name and LINE 0. VISIT returns false to stop; then the result is false. VISIT may ask the table,
 * but KEY and VALUE live only during the call. */
typedef bool table_visit(void *data, const char *file, unsigned line, const char *key,
                         const char *value);
bool table_foreach(struct table *table, table_visit *visit, void *data);

/* The same for every entry, however many have the same value. */
bool table_foreach_entry(struct table *table, table_visit *visit, void *data);

/* Where a pattern does not say that what it names ends there. */
enum table_open_end {
    TABLE_OPEN_LEFT = 1 << 0,  /* a name may begin otherwise: evilexample.com */
    TABLE_OPEN_RIGHT = 1 << 1, /* it may go on: example.com.evil.test */
    TABLE_OPEN_LOCAL = 1 << 2, /* an address may begin otherwise: evilbob@example.com */
};

/* Calls VISIT for the rules of a pcre or regexp table whose pattern (KEY) is open at one of ENDS;
 * those that "!" or "if" bounds are left out. Of other tables there are none. */
bool table_foreach_open(struct table *table, unsigned ends, table_visit *visit, void *data);

/* All tables and match lists opened through it: each spec is opened once, one call refreshes all.
 *
 * Threads: locks itself, except that nobody may use it during table_set_free. */

struct table_set *table_set_new(void);

/* Gives back the set's references; tables and lists that others hold live on. Accepts NULL. */
void table_set_free(struct table_set *set);

/* table_refresh, match_list_refresh for all of them. Returns how many were swapped. */
unsigned table_set_refresh(struct table_set *set, struct problems *problems);

#endif
