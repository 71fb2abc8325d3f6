/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an upload stands, kept in the user's cache directory, so that a later process can go on
 * after this one was ended. One file for each registry, repository and digest, locked while an
 * upload runs: of two processes that push the same blob only one may use a session. Best effort:
 * whatever goes wrong means that nothing is kept.
 *
 * The file is the user's alone: an upload's URL can hold a right to write.
 */
#ifndef CORAS_REGISTRY_UPLOAD_JOURNAL_H
#define CORAS_REGISTRY_UPLOAD_JOURNAL_H

#include "coras/digest.h"
#include "base/common.h"

typedef struct coras_upload_journal {
    int fd; /* -1: closed */
    char *path;
    char *head;        /* what the file begins with: registry, repository, digest, size */
    char *session;     /* found on opening: where a former upload goes on; or NULL */
    int64_t confirmed; /* bytes that the registry had then, at least */
    int64_t started;   /* wall seconds */
} coras_upload_journal;
#define CORAS_UPLOAD_JOURNAL_INIT                                                                  \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* `repository` is "host/name". Stays closed without a cache directory (NULL) and when another
 * process holds it. */
void coras_upload_journal_open(coras_upload_journal *j, const char *cache_dir,
                               const char *repository, const coras_digest *digest, int64_t size);
static inline bool coras_upload_journal_is_open(const coras_upload_journal *j)
{
    return j->fd >= 0;
}
void coras_upload_journal_save(coras_upload_journal *j, const char *session, int64_t confirmed);
/* Nothing to go on with any more: empties the file. */
void coras_upload_journal_forget(coras_upload_journal *j);
/* The file stays only when it holds a session. */
void coras_upload_journal_close(coras_upload_journal *j);
CORAS_DEFINE_AUTO_VALUE(coras_upload_journal, coras_upload_journal_close)

#endif
