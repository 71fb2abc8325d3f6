/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store elsewhere that keeps the blobs of this registry (--blobs): opened with the sessions whose
 * bytes go there, and kept clear of what is no blob any more.
 */
#ifndef SERVE_OPERATE_FAR_STORE_H
#define SERVE_OPERATE_FAR_STORE_H

#include "serve/operate/health.h"
#include "serve/operate/far_watch.h"
#include "serve/options.h"
#include "serve/storage/root.h"
#include "serve/storage/s3/blobs.h"

struct serve_far_store {
    serve_s3 *store; /* NULL: there is none, blobs are in the directory */
    struct serve_s3_blobs blobs;
    serve_sessions *sessions; /* NULL when nothing may be written */
    serve_metadata *metadata;
    char *last;   /* where the look for strays has come to */
    bool is_ours; /* the prefix is known to belong to these metadata */
    int64_t leftovers_ms, strays_ms;
    struct serve_far_watch watch;
};
struct serve_far_store_options {
    const struct serve_options *registry; /* `blobs` NULL: there is none */
    const struct serve_root *root;
    bool read_only;
    serve_metrics *metrics; /* NULL: nothing is counted */
};
/* CONFIG: it cannot be one; EXISTS: of another registry. A store that does not answer now may do so
 * later. */
CORAS_MUST_CHECK int serve_far_store_open(const struct serve_far_store_options *options,
                                          struct serve_far_store *ret, coras_error **err);
void serve_far_store_close(struct serve_far_store *f);

/* Where blobs are, and uploads: in it, or in the directory without one. */
serve_blobs *serve_far_store_blobs(struct serve_far_store *f, const struct serve_root *root);
serve_sessions *serve_far_store_sessions(const struct serve_far_store *f,
                                         const struct serve_root *root);

/* Requests to it that still run end soon. */
void serve_far_store_stop(struct serve_far_store *f);
/* Credentials for it are read again. */
CORAS_MUST_CHECK int serve_far_store_reload(struct serve_far_store *f, coras_error **err);
/* Add a probe that tells whether it answered last; while it does not, we are not ready. */
void serve_far_store_probe(struct serve_far_store *f, serve_health *health);
/* Now and then: clear some. */
void serve_far_store_tick(struct serve_far_store *f);
/* All of what lost its row, or was written without ever having one, more than `grace_s` ago. */
CORAS_MUST_CHECK int serve_far_store_clear(struct serve_far_store *f, int64_t grace_s,
                                           coras_error **err);

#endif
