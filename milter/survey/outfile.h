/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A file that is replaced whole, by the user who started the program, though the program itself has
 * given up root: then a process of its own, which sees no packet, waits for the content and writes
 * it.
 *
 *     file = outfile_begin(path, user, &why);     before there are threads
 *     ... become user ...
 *     outfile_commit(file, text, length, &why);
 *
 * Threads: one thread.
 */
#ifndef SURVEY_OUTFILE_H
#define SURVEY_OUTFILE_H

#include <glib.h>
#include <stdbool.h>

struct outfile;

/* Most bytes of a file. */
#define OUTFILE_MAX (256u << 20)

/* PATH "-" is standard output, and no file. SPLIT: the process is about to give up rights that
 * writing PATH may need. NULL with *WHY_R (the caller's) if that cannot be. */
struct outfile *outfile_begin(const char *path, bool split, char **why_r);

/* Replaces the file as whole_file_replace does, a new one with the permissions 0644; frees FILE.
 * false with *WHY_R. */
bool outfile_commit(struct outfile *file, const char *text, size_t length, char **why_r);

/* Leaves the file as it is, and frees FILE (which may be NULL). */
void outfile_drop(struct outfile *file);

#endif
