/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs that a kind of target implements: a repository of a registry, an OCI layout.
 * coras/target.h has the public functions, which are thin calls into this table (target.c), with
 * verification where the table does not promise it.
 */
#ifndef CORAS_TARGET_TARGET_H
#define CORAS_TARGET_TARGET_H

#include "base/cancel.h"
#include "base/stream.h"
#include "coras/target.h"
#include "oci/descriptor.h"
#include "oci/mediatype.h"

CORAS_DEFINE_AUTO(coras_target, coras_target_close)

struct coras_run;

/* A digest that may still be in the making (a file is hashed while it is sent). */
typedef struct coras_digest_promise {
    /* 0 and *ret set when known; 1 when not known yet (only with wait == false); negative: reading
     * failed. */
    int (*get)(void *user, bool wait, coras_digest *ret, coras_error **err);
    void *user;
} coras_digest_promise;

/* How a transfer reports. Called on the worker's thread; cheap. Members may be NULL. */
typedef struct coras_transfer {
    void (*progress)(void *user, int64_t offset);
    void (*retrying)(void *user, int64_t offset, const char *why);
    void *user;
    coras_cancel *cancel;
    /* It failed, but the other side keeps so many bytes, and a later process goes on there. */
    void (*kept)(void *user, int64_t bytes);
} coras_transfer;

/* A blob to be pushed. */
typedef struct coras_blob_push {
    const coras_descriptor *desc; /* size and media type; digest too unless `promise` is set */
    const coras_digest_promise *promise; /* or NULL: desc->digest is known */
    const coras_source *source;          /* random access; desc->size bytes */
    /* Asked before the upload is closed: CHANGED when the source is not what it was. May be NULL.
     */
    int (*unchanged)(void *user, coras_error **err);
    void *unchanged_user;
    bool known_missing;             /* the caller has just asked: no second existence check */
    const coras_transfer *transfer; /* or NULL */
} coras_blob_push;

/* Results of push_blob beside errors. */
enum { CORAS_PUSHED = 0, CORAS_PUSH_EXISTED = 1 };

/*
 * Where a local target wants a download to land: an open directory, a name for the partial file in
 * it that carries the digest, and the way to publish it. Filled by `land`.
 */
typedef struct coras_landing {
    int dirfd;     /* owned */
    char *partial; /* owned: file name of the partial file within dirfd */
    mode_t mode;   /* of the finished file */
    /* Publish: the partial file is complete, verified and synced. */
    int (*commit)(struct coras_landing *landing, coras_error **err);
    void *user;
} coras_landing;
void coras_landing_clear(coras_landing *l);
CORAS_DEFINE_AUTO_VALUE(coras_landing, coras_landing_clear)

/* Reading of a blob whose size may not be known before. */
typedef struct coras_blob_read {
    const coras_digest *digest;
    int64_t size;           /* -1: whatever the answer says */
    int64_t offset, length; /* length < 0: to the end */
    const coras_sink *sink; /* as of `fetch` */
    /* The size of the whole as the answer tells it (-1: it does not), before the first byte; a
     * negative code with *err set refuses it. May be NULL. */
    int (*measured)(void *user, int64_t size, coras_error **err);
    void *user;
} coras_blob_read;

typedef struct coras_target_ops {
    const char *kind; /* "registry", "oci-layout", "memory" */
    /* What is there as a blob is there as a manifest too, and the other way round: one store for
     * both. In a registry these are two. */
    bool one_store;
    /* A name is given by pushing the manifest under it; there is no other way to tag. */
    bool names_by_push;
    /* Takes bytes whose digest is told after the last of them. */
    bool takes_unhashed;
    void (*close)(coras_target *t);

    /* Reference to descriptor; a layout gives the index entry with its annotations. */
    int (*resolve)(coras_target *t, const char *reference, coras_descriptor *ret,
                   coras_error **err);
    /* Resolve and fetch in one exchange, digest verified; `accept` may be NULL. */
    int (*fetch_manifest)(coras_target *t, const char *reference, const char *accept,
                          coras_descriptor *ret, coras_buf *bytes, coras_error **err);
    /*
     * Stream bytes [offset, offset+length) of a blob or manifest into the sink (length < 0: to the
     * end). NOT verified here: the caller hashes. `sink` may stop early. A server that does not
     * serve the range when offset > 0: CORAS_ERR_RANGE with nothing written. One try: no retry
     * inside, the caller resumes; errors carry `retryable`.
     */
    int (*fetch)(coras_target *t, const coras_descriptor *desc, int64_t offset, int64_t length,
                 const coras_sink *sink, coras_error **err);
    /* application/octet-stream, digest, size. */
    int (*resolve_blob)(coras_target *t, const coras_digest *digest, coras_descriptor *ret,
                        coras_error **err);
    int (*exists)(coras_target *t, const coras_descriptor *desc, bool *ret, coras_error **err);
    /* Returns CORAS_PUSHED or CORAS_PUSH_EXISTED. */
    int (*push_blob)(coras_target *t, const coras_blob_push *push, coras_error **err);
    int (*push_manifest)(coras_target *t, const coras_descriptor *desc, const void *data,
                         const char *reference, coras_error **err);
    /* Give an existing manifest a further name. `data` are its bytes, or NULL. Unlike storing it,
     * this adds nothing to the list of its subject's referrers. */
    int (*tag)(coras_target *t, const coras_descriptor *desc, const void *data,
               const char *reference, coras_error **err);
    int (*tags)(coras_target *t, const char *last, bool (*visit)(const char *tag, void *user),
                void *user, coras_error **err);
    int (*referrers)(coras_target *t, const coras_descriptor *desc, const char *artifact_type,
                     bool (*visit)(const coras_descriptor *d, void *user), void *user,
                     coras_error **err);
    int (*remove)(coras_target *t, const coras_descriptor *desc, coras_error **err);

    /* Optional (NULL): */
    /* As fetch, for whoever knows no more than the digest. */
    int (*read_blob)(coras_target *t, const coras_blob_read *read, coras_error **err);
    /* As resolve_blob, by the request that a download makes; NULL: there is no other. */
    int (*probe_blob)(coras_target *t, const coras_digest *digest, coras_descriptor *ret,
                      coras_error **err);
    /* Take a blob over from another repository of the same registry: *ret true when mounted; false:
     * push it. */
    int (*mount)(coras_target *t, const coras_descriptor *desc, coras_target *from, bool *ret,
                 coras_error **err);
    /* As exists, of what is pushed when it is not there: the push may begin with the question.
     * `from`: where it would be mounted from; NULL: nowhere. */
    int (*claim)(coras_target *t, const coras_descriptor *desc, coras_target *from, bool *ret,
                 coras_error **err);
    /* A read-only fd of a regular file that holds the whole blob at *ret_offset (layout tar: inside
     * the archive). */
    int (*open_local)(coras_target *t, const coras_descriptor *desc, int *ret_fd,
                      int64_t *ret_offset, coras_error **err);
    int (*land)(coras_target *t, const coras_descriptor *desc, coras_landing *ret,
                coras_error **err);
    /*
     * Remember of a manifest that it is stored with only a part of what it names, or no longer.
     * Such a one is not there for `exists`. NULL: a manifest comes with all that it names.
     */
    int (*set_part)(coras_target *t, const coras_descriptor *desc, bool is_part, coras_error **err);
    /*
     * A cache only: have content at hand before it is read, reporting to `transfer` if it must come
     * from afar. Both `run` and `transfer` may be NULL. Returns 1 when it has just come; small
     * content is kept as it passes instead.
     */
    int (*bring)(coras_target *t, const coras_descriptor *desc, struct coras_run *run,
                 const coras_transfer *transfer, coras_error **err);
    /* A cache only: what was read does not match its digest. True: it is a copy that the next
     * `bring` replaces, so trying again helps. */
    bool (*distrust)(coras_target *t, const coras_descriptor *desc);
    /* How many connections at a time were worth it for large content, at another time; 0: nobody
     * knows. */
    unsigned (*known_lanes)(coras_target *t);
    void (*learn_lanes)(coras_target *t, unsigned connections);
    /* Who serves the content uses the same processors. */
    bool (*is_here)(coras_target *t);
    /* Whether who sends has to encrypt it, which costs as much as hashing. NULL: no. */
    bool (*is_encrypted)(coras_target *t);
    /* The operation is going to write here: rights are asked for accordingly from the first look.
     */
    void (*will_write)(coras_target *t);
    /* Add a hint to a NOT_FOUND of a reference. May ask the registry once more. */
    void (*explain_missing)(coras_target *t, const char *reference, coras_error **err);
} coras_target_ops;

struct coras_target {
    const coras_target_ops *ops;
    coras_cancel *cancel; /* ends its waits, and those of whoever waits for it; may be NULL */
    coras_target *origin; /* a cache: the target that it stands before; NULL: no cache */
};

/* The place that has the content, behind all caches. */
static inline coras_target *coras_target_origin(coras_target *t)
{
    return t->origin ? coras_target_origin(t->origin) : t;
}

static inline int coras_target_bring(coras_target *t, const coras_descriptor *desc,
                                     struct coras_run *run, const coras_transfer *transfer,
                                     coras_error **err)
{
    return t->ops->bring ? t->ops->bring(t, desc, run, transfer, err) : 0;
}

static inline int coras_target_claim(coras_target *t, const coras_descriptor *desc,
                                     coras_target *from, bool *ret, coras_error **err)
{
    return t->ops->claim ? t->ops->claim(t, desc, from, ret, err)
                         : t->ops->exists(t, desc, ret, err);
}

static inline bool coras_target_distrust(coras_target *t, const coras_descriptor *desc)
{
    return t->ops->distrust && t->ops->distrust(t, desc);
}

/* Fetch something small by descriptor into memory, verified, with retries; TOO_LARGE above `limit`.
 */
CORAS_MUST_CHECK int coras_target_fetch_verified(coras_target *t, const coras_descriptor *desc,
                                                 size_t limit, coras_buf *ret, coras_error **err);

/*
 * For the end of an operation that failed for want of a reference: adds advice (which tags there
 * are) when rc is NOT_FOUND. The verbs do not do so themselves, since it costs a request. Returns
 * rc.
 */
int coras_target_explain(coras_target *t, int rc, const char *reference, coras_error **err);

#endif
