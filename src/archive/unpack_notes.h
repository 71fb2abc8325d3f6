/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be done about members of an archive when all are there: modes and times of
 * directories, links that only the kernel can judge. An archive of some megabytes may name
 * millions; a few notes are kept in memory and the rest in an unnamed file.
 */
#ifndef CORAS_ARCHIVE_UNPACK_NOTES_H
#define CORAS_ARCHIVE_UNPACK_NOTES_H

#include "base/buf.h"

struct coras_note {
    const char *path;   /* beneath the root; "" is the root */
    const char *target; /* of a link; "" for a directory */
    int32_t mode;       /* of a directory; -1: as made */
    uint32_t mtime_ns;
    int64_t mtime_s;
};

typedef struct coras_notes {
    coras_buf tail;  /* the last notes */
    int fd;          /* the others; -1: there are none */
    int64_t written; /* bytes in the file */
} coras_notes;
#define CORAS_NOTES_INIT                                                                           \
    {                                                                                              \
        .tail = CORAS_BUF_UNLIMITED, .fd = -1                                                      \
    }
void coras_notes_clear(coras_notes *n);

/* `dirfd`: where the unnamed file is made. */
CORAS_MUST_CHECK int coras_notes_add(coras_notes *n, int dirfd, const struct coras_note *note,
                                     coras_error **err);

typedef int coras_note_visit(void *user, const struct coras_note *note, coras_error **err);
/* In the order in which they were added, or the other way round; until one fails. */
CORAS_MUST_CHECK int coras_notes_each(const coras_notes *n, bool backwards, coras_note_visit *visit,
                                      void *user, coras_error **err);

#endif
