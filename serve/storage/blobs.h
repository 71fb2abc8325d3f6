/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs: where the content of a registry is kept. A table of verbs with a kind for each sort of
 * place: the directory (blob_store.h), and a store elsewhere that clients can be sent to. The
 * directory is always there, since uploads and transfers from upstreams are under way in it.
 *
 * `place` is what the metadata remember of a blob that is elsewhere: the name that it has there.
 * NULL: it is a file of the directory, whatever kind new blobs go to.
 *
 * Threads: every verb may be called from any thread.
 */
#ifndef SERVE_STORAGE_BLOBS_H
#define SERVE_STORAGE_BLOBS_H

#include "base/fs.h"
#include "base/stream.h"
#include "oci/digest.h"

/* A blob that is open for reading and lies elsewhere. */
typedef struct serve_far_blob serve_far_blob;
struct serve_far_blob_ops {
    /* A URL from which everybody who has it may read the blob for some minutes. */
    int (*link)(serve_far_blob *b, coras_buf *ret, coras_error **err);
    /* Bytes [offset, offset + length) into the sink. Waits for the network. */
    int (*fetch)(serve_far_blob *b, int64_t offset, int64_t length, const coras_sink *sink,
                 coras_error **err);
    void (*close)(serve_far_blob *b);
};
struct serve_far_blob { /* each kind's own begins with it */
    const struct serve_far_blob_ops *ops;
};

/* A blob that is open for reading: one of both. */
typedef struct serve_open_blob {
    int fd;              /* a file that is exactly this blob, or -1 */
    serve_far_blob *far; /* or NULL */
} serve_open_blob;
#define SERVE_OPEN_BLOB_INIT                                                                       \
    {                                                                                              \
        .fd = -1                                                                                   \
    }
void serve_open_blob_clear(serve_open_blob *b);
CORAS_DEFINE_AUTO_VALUE(serve_open_blob, serve_open_blob_clear)
/* Bytes [offset, offset + length) into the sink, wherever they are. CHANGED: fewer came. */
CORAS_MUST_CHECK int serve_open_blob_fetch(serve_open_blob *b, int64_t offset, int64_t length,
                                           const coras_sink *sink, coras_error **err);

typedef struct serve_blobs serve_blobs;
struct serve_blobs_ops {
    /* The upload file `name` of the directory, open as `fd` and verified as `digest`, becomes a
     * blob, durably; unless blobs have places it was flushed to the disk before. On success its
     * name is gone, and *ret_place (a new string, or NULL) is where it lies. */
    int (*publish)(serve_blobs *b, const char *name, int fd, const coras_digest *digest,
                   char **ret_place, coras_error **err);
    /* Open for reading. NOT_FOUND, also when it is seen not to be of this size. Does not wait for
     * the network. */
    int (*open)(serve_blobs *b, const coras_digest *digest, int64_t size, const char *place,
                serve_open_blob *ret, coras_error **err);
    /* Remove; absent is success. */
    int (*remove)(serve_blobs *b, const coras_digest *digest, const char *place, coras_error **err);
};
struct serve_blobs { /* each kind's own begins with it */
    const struct serve_blobs_ops *ops;
    bool has_places; /* const: blobs may be elsewhere */
};

CORAS_MUST_CHECK static inline int serve_blobs_publish(serve_blobs *b, const char *name, int fd,
                                                       const coras_digest *digest, char **ret_place,
                                                       coras_error **err)
{
    return b->ops->publish(b, name, fd, digest, ret_place, err);
}
CORAS_MUST_CHECK static inline int serve_blobs_open(serve_blobs *b, const coras_digest *digest,
                                                    int64_t size, const char *place,
                                                    serve_open_blob *ret, coras_error **err)
{
    return b->ops->open(b, digest, size, place, ret, err);
}
CORAS_MUST_CHECK static inline int serve_blobs_remove(serve_blobs *b, const coras_digest *digest,
                                                      const char *place, coras_error **err)
{
    return b->ops->remove(b, digest, place, err);
}

#endif
