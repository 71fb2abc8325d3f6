/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A local file as something to send: hashed while it is sent, and refused when it changes
 * meanwhile.
 */
#ifndef CORAS_TRANSFER_LOCAL_FILE_H
#define CORAS_TRANSFER_LOCAL_FILE_H

#include "base/fs.h"
#include "transfer/hash_behind.h"
#include "transfer/run.h"

typedef struct coras_local_file {
    int fd;         /* owned; -1 while it rests */
    char *path;     /* owned; where it is opened again; NULL: it never rests */
    char *name;     /* owned; for messages */
    struct stat st; /* as opened */
    int64_t offset; /* content begins here */
    int64_t size;
    const char *cache_dir; /* borrowed; where its digest is remembered; NULL: nowhere */
    bool settled;          /* its digest may be remembered (digest_cache.h) */
    bool known;            /* `digest` is known */
    bool has_expected;     /* `digest` is what somebody else says; `known` when it was compared */
    coras_digest digest;
    coras_hash_behind *hashing; /* or NULL */
    /* Told how far coras_local_file_hash() is; may be NULL. */
    void (*hashed)(void *user, int64_t position);
    void *hashed_user;
} coras_local_file;
void coras_local_file_clear(coras_local_file *f);
CORAS_DEFINE_AUTO_VALUE(coras_local_file, coras_local_file_clear)

/* Take over an open file: [offset, offset + size) of it. fd = -1 afterwards, also on failure. */
CORAS_MUST_CHECK int coras_local_file_take(int *fd, const char *name, int64_t offset, int64_t size,
                                           coras_local_file *ret, coras_error **err);

/*
 * Let go of the descriptor until the file is needed again: an artifact may have more files than a
 * process may have open. `path` is absolute. No hashing beside is under way.
 */
void coras_local_file_rest(coras_local_file *f, const char *path);
/* Have it open again, and the same file. CHANGED. */
CORAS_MUST_CHECK int coras_local_file_wake(coras_local_file *f, coras_error **err);

/* Hash now, on this thread, unless the digest is known or remembered. */
CORAS_MUST_CHECK int coras_local_file_hash(coras_local_file *f, const coras_cancel *cancel,
                                           coras_error **err);
/* Look only whether the digest is remembered. */
void coras_local_file_recall(coras_local_file *f);
/* Start hashing beside; the digest comes through coras_local_file_promise(). */
CORAS_MUST_CHECK int coras_local_file_start_hashing(coras_local_file *f, const coras_cancel *cancel,
                                                    coras_error **err);
coras_digest_promise coras_local_file_promise(coras_local_file *f);
/* Note and remember the digest that hashing beside has found. */
CORAS_MUST_CHECK int coras_local_file_settle(coras_local_file *f, coras_error **err);

/*
 * For coras_blob_push.unchanged, of a file that is hashed beside with a digest expected: unchanged,
 * and of that digest. DIGEST_MISMATCH.
 */
CORAS_MUST_CHECK int coras_local_file_as_expected(void *user, coras_error **err);

coras_source coras_local_file_source(coras_local_file *f);
/* For coras_blob_push.unchanged; `user` is the file. CHANGED "<name>: changed while it was read".
 */
int coras_local_file_unchanged(void *user, coras_error **err);

#endif
