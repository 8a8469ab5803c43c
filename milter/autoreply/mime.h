/* SPDX-License-Identifier: BSD-2-Clause
 *
 * GMime at arm's length: started once, fed with bounded input, its parts walked with a bound on
 * depth and number, their text brought to UTF-8.
 *
 * Threads: mime_start locks itself; the rest works on values of one thread.
 */
#ifndef AUTOREPLY_MIME_H
#define AUTOREPLY_MIME_H

#include <gmime/gmime.h>
#include <stdbool.h>

#include "autoreply/parsed.h"

/* Deepest nesting and greatest number of parts that are looked at. Real replies have three levels
 * and some twenty parts; beyond that nobody can tell, and "cannot tell" counts as a quotation. */
#define MIME_DEPTH_MAX 24
#define MIME_PARTS_MAX 400

/* Starts GMime if it has not been yet. Every other function here does it by itself. */
void mime_start(void);

/* A message by each reading of its header (autoreply_parse). What would cost GMime far more than it
 * is long (groups in address fields, thousands of parts, fields, addresses, parameters) is made
 * harmless before: it is text then. */
struct autoreply_parsed {
    GPtrArray *messages; /* GMimeMessage, at least one; the first is the common reading */
    bool more;           /* it may be read otherwise: there are readings beyond
                          * AUTOREPLY_READINGS_MAX, or parts, fields and parameters that were
                          * made text */
};

/* A message whose header stands in the text itself. NULL if it is none. The caller unrefs it. */
GMimeMessage *mime_parse_whole(const char *text, size_t size);

enum mime_kind {
    MIME_TEXT,      /* text/plain and other text, or a message without any type */
    MIME_HTML,      /* text/html */
    MIME_MESSAGE,   /* message/rfc822 or message/global, taken apart by GMime */
    MIME_RETURNED,  /* text/rfc822-headers, delivery-status and their like; a message as a file */
    MIME_MULTIPART, /* holds others; readers that know no MIME see its prologue and epilogue */
    MIME_DOUBTFUL, /* sealed, or of fields that contradict each other: nobody can tell what it is */
    MIME_OTHER,    /* images, archives: nothing to read in them */
};

/* What PART is, by its type, its file name and, for application/octet-stream, its first bytes. */
enum mime_kind mime_kind(GMimeObject *part);

/* Its type and subtype, "text/plain"; the caller frees it. */
char *mime_type(GMimeObject *part);

/* Called for each part, for one that holds others before what is inside. PATH is as in IMAP
 * ("1.2"; "0" is the outermost multipart). Returns whether to look inside a MIME_MESSAGE. */
typedef bool mime_visitor(void *context, GMimeObject *part, enum mime_kind kind, const char *path);

/* Walks MESSAGE. Returns false when depth or number of parts went over the bounds; what lies
 * within was visited. */
bool mime_walk(GMimeMessage *message, mime_visitor *visit, void *context);

/* Whether parts of MULTIPART stand behind its end, which some readers pass over. */
bool mime_has_late_parts(GMimeMultipart *multipart);

struct mime_text {
    char *text; /* valid UTF-8 but for NULs, which are spaces; NUL-terminated */
    size_t size;
    const char *charset; /* what it was converted from, for mime_set_text: an iconv name of PART's,
                            or what it is in instead, "UTF-8" or "ISO-8859-1" */
};

/* Decodes PART (a GMimePart) wholly. Fills *TEXT_R, to be emptied with mime_text_clear. */
void mime_get_text(GMimeObject *part, struct mime_text *text_r);

/* Whether TEXT of a part of KIND is to be read as HTML: its type says so, or it begins as a
 * document of it, which some readers show as one. */
bool mime_text_is_html(enum mime_kind kind, const struct mime_text *text);
void mime_text_clear(struct mime_text *text);

/* Replaces the content of PART by TEXT, in the charset and transfer encoding that it had; in UTF-8
 * if it cannot be said in that. */
void mime_set_text(GMimeObject *part, const struct mime_text *old, const char *text);

#endif
