/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions as files: ROOT/uploads/<id> holds the bytes, <id>.json says whose they are. The offset
 * of a session is the length of its file.
 */
#ifndef SERVE_STORAGE_FILE_SESSIONS_H
#define SERVE_STORAGE_FILE_SESSIONS_H

#include "serve/storage/blob_store.h"
#include "serve/storage/sessions.h"

struct serve_session_owner;

typedef struct serve_file_session {
    serve_session session; /* first: it is one */
    int fd;                /* holder: open while held */
    int64_t flushed;       /* holder: bytes whose writing out was begun */
    coras_hasher *hasher;  /* holder: over the first `size` bytes; NULL = read them again */
    bool held;             /* the table's lock */
    int64_t touched_s;     /* the table's lock; wall clock */
    struct serve_session_owner *owner; /* the table's lock; set while it is in the table */
} serve_file_session;

/* Reads what an earlier process left. `store` is borrowed. */
CORAS_MUST_CHECK int serve_file_sessions_open(serve_blob_store *store, serve_sessions **ret,
                                              coras_error **err);

/* What serve_session_append() and serve_session_verify() do with such a session. */
CORAS_MUST_CHECK int serve_file_session_append(serve_sessions *t, serve_session *s,
                                               const void *data, size_t len, coras_error **err);
CORAS_MUST_CHECK int serve_file_session_verify(serve_sessions *t, serve_session *s,
                                               const coras_digest *digest, coras_error **err);

#endif
