/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of an upload session: appended and hashed as they come, and verified at the end. Only
 * who holds the session calls this.
 */
#include "serve/storage/file_sessions.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"

/* Start writing out in pieces of this size, so that the final flush finds little left to do. */
#define FLUSH_BYTES (16 * CORAS_MIB)
#define READ_BYTES  (256 * CORAS_KIB)

/* Let the disk work while the rest arrives. Failures show at the final flush. */
static void begin_flush(serve_file_session *s)
{
    if (s->session.size - s->flushed < FLUSH_BYTES)
        return;
    (void)sync_file_range(s->fd, s->flushed, s->session.size - s->flushed, SYNC_FILE_RANGE_WRITE);
    s->flushed = s->session.size;
}

static void set_size(serve_file_session *s, int64_t size)
{
    __atomic_store_n(&s->session.size, size, __ATOMIC_RELAXED);
}

int serve_file_session_append(serve_sessions *t, serve_session *session, const void *data,
                              size_t len, coras_error **err)
{
    serve_file_session *s = (serve_file_session *)session;
    int rc = coras_pwrite_full(s->fd, data, len, s->session.size, err);

    (void)t;
    if (rc < 0) {
        /* a part may stand in the file: the offset is what the file says */
        struct stat st;
        if (fstat(s->fd, &st) == 0 && st.st_size > s->session.size) {
            set_size(s, st.st_size);
            coras_hasher_free(s->hasher);
            s->hasher = NULL;
        }
        return rc;
    }
    if (s->hasher)
        coras_hasher_update(s->hasher, data, len);
    set_size(s, s->session.size + (int64_t)len);
    begin_flush(s);
    return 0;
}

/* A hasher that has seen the file. */
static int hash_again(serve_file_session *s, int algorithm, coras_error **err)
{
    coras_auto(coras_hasher) hasher = NULL;
    coras_auto_free char *chunk = coras_malloc(READ_BYTES);
    int64_t offset = 0;
    size_t got = 0;

    if (!chunk)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_hasher_new(algorithm, &hasher, err));
    do {
        CORAS_TRY(coras_pread_full(s->fd, chunk, READ_BYTES, offset, &got, err));
        coras_hasher_update(hasher, chunk, got);
        offset += (int64_t)got;
    } while (got == READ_BYTES);
    if (offset != s->session.size)
        return coras_fail(err, CORAS_ERR_IO, "upload %s: %lld bytes on disk, expected %lld",
                          s->session.id, (long long)offset, (long long)s->session.size);
    coras_hasher_free(s->hasher);
    s->hasher = coras_steal(&hasher);
    s->session.algorithm = algorithm;
    return 0;
}

int serve_file_session_verify(serve_sessions *t, serve_session *session, const coras_digest *digest,
                              coras_error **err)
{
    serve_file_session *s = (serve_file_session *)session;
    coras_digest have;

    (void)t;
    if (!s->hasher || s->session.algorithm != digest->algorithm)
        CORAS_TRY(hash_again(s, digest->algorithm, err));
    coras_hasher_final(s->hasher, &have);
    coras_hasher_free(s->hasher); /* it is at its start again, the content is not */
    s->hasher = NULL;
    if (!coras_digest_equal(&have, digest))
        return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH,
                          "provided digest did not match uploaded content");
    return coras_fsync(s->fd, s->session.id, err);
}
