/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading a file whole: whatever is at the path, it ends, takes no more memory than it may, and
 * what is being written is not taken half. Replacing one whole.
 *
 * Threads: any.
 */
#ifndef BASE_WHOLEFILE_H
#define BASE_WHOLEFILE_H

#include <stddef.h>
#include <sys/stat.h>

enum whole_file_kinds {
    WHOLE_FILE_REGULAR, /* nothing else: opening a FIFO or a device neither hangs nor does anything
                         */
    WHOLE_FILE_STREAMS, /* pipes and devices as well, which are waited for to their end */
};

enum whole_file_result {
    WHOLE_FILE_READ,
    WHOLE_FILE_FAULT,     /* errno says why */
    WHOLE_FILE_FOLDER,    /* it is a folder */
    WHOLE_FILE_SPECIAL,   /* it is a FIFO, a device or a socket, which was not asked for */
    WHOLE_FILE_UNWRITTEN, /* a FIFO that nobody writes to */
    WHOLE_FILE_TOO_LARGE, /* it has more bytes than it may have */
    WHOLE_FILE_CHANGED,   /* it was written to while it was read; try again */
};

struct whole_file {
    char *text; /* ended by a NUL that LENGTH does not count; for g_free */
    size_t length;
    struct stat status; /* of what was read */
};

/* Reads the file PATH, of MOST bytes at most. After anything but WHOLE_FILE_READ the text is NULL.
 * A regular file counts as changed if size or times differ before and after. */
enum whole_file_result whole_file_read(const char *path, enum whole_file_kinds kinds, size_t most,
                                       struct whole_file *file_r);

/* The same of what is open as FD, which stays open. */
enum whole_file_result whole_file_read_open(int fd, enum whole_file_kinds kinds, size_t most,
                                            struct whole_file *file_r);

/* The same of a regular file, but waits a little, 2 seconds at most, while it changes. */
enum whole_file_result whole_file_read_settled(const char *path, size_t most,
                                               struct whole_file *file_r);

/* The first line of the regular file PATH, without its end, in *LINE_R: how a password is kept, in
 * 64 kB at most. The caller frees it; after anything but WHOLE_FILE_READ it is NULL. */
enum whole_file_result whole_file_first_line(const char *path, char **line_r);

/* Why it was not read: "it is a directory", the text of errno. Static. */
const char *whole_file_why(enum whole_file_result result);

/* Replaces the file PATH by LENGTH bytes, by rename, so that nobody sees half of them; where it has
 * just these it stays as it is. A file that was there keeps its permissions (never setuid), and its
 * owner and group as far as we may give it away; a new one has MODE, whatever the umask. Anything
 * but a regular file is refused: of a link, which others may have laid there, neither itself nor
 * what it leads to is replaced, and no device. NULL, or what is wrong, with PATH, for g_free; then
 * all is as it was. */
char *whole_file_replace(const char *path, const char *bytes, size_t length, mode_t mode);

#endif
