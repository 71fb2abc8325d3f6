/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content: what an operation of the API asks of a repository, whatever keeps it. A table of verbs;
 * each kind of storage fills it. The first kind is the directory of the registry (own_content.c:
 * metadata in the database, blobs where storage/blobs.h says), and what this header says of a verb
 * is what storage/metadata.h says of the function of the same name.
 *
 * Threads: every verb may be called from any thread.
 */
#ifndef SERVE_STORAGE_CONTENT_H
#define SERVE_STORAGE_CONTENT_H

#include "serve/storage/blobs.h"
#include "serve/storage/metadata.h"
#include "serve/storage/sessions.h"

typedef struct serve_content serve_content;

struct serve_content_ops {
    /* The size of a blob that the repository holds. NOT_FOUND. */
    int (*find_blob)(serve_content *c, const char *repository, const coras_digest *digest,
                     int64_t *ret_size, coras_error **err);
    /* Open for reading what is exactly this blob, of the size that find_blob told. NOT_FOUND when
     * it is damaged or gone, with words for whoever runs the registry. */
    int (*open_blob)(serve_content *c, const char *repository, const coras_digest *digest,
                     int64_t size, serve_open_blob *ret, coras_error **err);
    /* Somebody is about to name this blob: it stays, as if it was pushed now. */
    int (*keep_blob)(serve_content *c, const char *repository, const coras_digest *digest,
                     int64_t before, coras_error **err);
    int (*mount_blob)(serve_content *c, const char *from, const char *repository,
                      const coras_digest *digest, coras_error **err);
    int (*unlink_blob)(serve_content *c, const char *repository, const coras_digest *digest,
                       coras_error **err);
    /* Make the content of a session, verified as `digest`, a blob of the session's repository. On
     * success, and when only the last step failed, the session is gone and *s is NULL. */
    int (*take_upload)(serve_content *c, serve_sessions *sessions, serve_session **s,
                       const coras_digest *digest, coras_error **err);

    int (*get_manifest)(serve_content *c, const char *repository, const char *tag,
                        const coras_digest *digest, bool with_content,
                        struct serve_stored_manifest *ret, coras_error **err);
    int (*put_manifest)(serve_content *c, const struct serve_manifest_put *put,
                        coras_digest *ret_missing, coras_error **err);
    int (*delete_manifest)(serve_content *c, const char *repository, const coras_digest *digest,
                           coras_error **err);
    int (*delete_tag)(serve_content *c, const char *repository, const char *tag, coras_error **err);

    int (*has_repository)(serve_content *c, const char *repository, coras_error **err);
    int (*tags)(serve_content *c, const char *repository, const char *last, int64_t limit,
                coras_strlist *ret, bool *ret_more, coras_error **err);
    int (*repositories)(serve_content *c, const char *last, int64_t limit, coras_strlist *ret,
                        bool *ret_more, coras_error **err);
    int (*referrers)(serve_content *c, const struct serve_referrers_query *query,
                     bool (*visit)(const char *descriptor, const char *digest, void *user),
                     void *user, coras_error **err);
};

struct serve_content {
    const struct serve_content_ops *ops;
    bool read_only; /* const: none of the verbs that change something may be called */
    bool is_near;   /* const: looking something up takes a database and files of this machine */
};

/* The directory of the registry. Everything is borrowed. */
struct serve_own_content {
    serve_content content; /* first: it is one */
    serve_blobs *blobs;
    serve_metadata *metadata;
};
void serve_own_content_init(struct serve_own_content *own, serve_blobs *blobs,
                            serve_metadata *metadata, bool read_only);
/* Whether a blob is stored, whichever repositories hold it, and can be read. */
bool serve_own_content_has(const struct serve_own_content *own, const coras_digest *digest,
                           int64_t *ret_size);

#endif
