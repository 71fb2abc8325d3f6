/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metadata: which repository holds which blobs, manifests and tags. One database
 * (database.h). Manifests are kept in it whole, so that a manifest, its tags and its
 * place in the referrers list change in one transaction.
 *
 * Threads: everything may be called from any thread. Readers see the last commit. Writers that meet
 * share one commit, and with it one flush to the disk; each write is durable when its call returns.
 *
 * Errors: NOT_FOUND as each function says, NO_SPACE, IO, TIMEOUT when the database stays locked or
 * does not answer.
 */
#ifndef SERVE_STORAGE_METADATA_H
#define SERVE_STORAGE_METADATA_H

#include "oci/digest.h"
#include "oci/manifest.h"
#include "serve/storage/database.h"

typedef struct serve_metadata serve_metadata;

/* Open `where`: the path of a file of SQLite, or a URL of PostgreSQL. CONFIG when it is damaged or
 * of another program or version. */
CORAS_MUST_CHECK int serve_metadata_open(const char *where, enum serve_db_mode mode,
                                         serve_metadata **ret, coras_error **err);
/* Whether it is a URL of PostgreSQL. */
bool serve_metadata_is_url(const char *where);
/* Operations on its database are counted there. Before anybody else uses it. */
void serve_metadata_measure(serve_metadata *m, serve_metrics *metrics);
void serve_metadata_close(serve_metadata *m);
CORAS_DEFINE_AUTO(serve_metadata, serve_metadata_close)

/*
 * What is true of the registry as a whole, by a name: `proposal`, if nothing was proposed before;
 * then that, from the first time on. *ret is a new string.
 */
CORAS_MUST_CHECK int serve_metadata_fact(serve_metadata *m, const char *name, const char *proposal,
                                         char **ret, coras_error **err);
/* The directory that the blobs are files of; what the metadata call themselves in a store. */
#define SERVE_FACT_DIRECTORY "directory"
#define SERVE_FACT_STORE     "store"

/* ---- blobs ---- */
/* Record a stored blob and link it to the repository, which comes to be with it. `place` is where
 * it lies (blobs.h); NULL: in the directory. */
CORAS_MUST_CHECK int serve_metadata_link_blob(serve_metadata *m, const char *repository,
                                              const coras_digest *digest, int64_t size,
                                              const char *place, coras_error **err);
/* The same of a blob that an upstream has. One that was pushed here too stays a pushed one, and
 * with NULL one that is stored stays where it is. */
CORAS_MUST_CHECK int serve_metadata_link_cached_blob(serve_metadata *m, const char *repository,
                                                     const coras_digest *digest, int64_t size,
                                                     const char *place, coras_error **err);
/* Link a blob that `from` holds (NULL: any repository) to `repository`. NOT_FOUND. */
CORAS_MUST_CHECK int serve_metadata_mount_blob(serve_metadata *m, const char *from,
                                               const char *repository, const coras_digest *digest,
                                               coras_error **err);
/* NOT_FOUND unless the repository itself holds the blob. repository NULL: whether it is stored. */
CORAS_MUST_CHECK int serve_metadata_find_blob(serve_metadata *m, const char *repository,
                                              const coras_digest *digest, int64_t *ret_size,
                                              coras_error **err);
/* Keep a blob from the collector as if it was linked now, when it was linked before `before` (wall
 * clock seconds). NOT_FOUND when it went meanwhile. */
CORAS_MUST_CHECK int serve_metadata_keep_blob(serve_metadata *m, const char *repository,
                                              const coras_digest *digest, int64_t before,
                                              coras_error **err);
CORAS_MUST_CHECK int serve_metadata_unlink_blob(serve_metadata *m, const char *repository,
                                                const coras_digest *digest, coras_error **err);

/* ---- blobs that are elsewhere ---- */
/* Where a stored blob lies, a new string; NULL: in the directory. NOT_FOUND. */
CORAS_MUST_CHECK int serve_metadata_find_place(serve_metadata *m, const coras_digest *digest,
                                               char **ret, coras_error **err);
/* Whether any blob has one. */
CORAS_MUST_CHECK int serve_metadata_has_places(serve_metadata *m, bool *ret, coras_error **err);
/* Forget a blob; its links stay, for when it comes again. */
CORAS_MUST_CHECK int serve_metadata_forget_blob(serve_metadata *m, const coras_digest *digest,
                                                coras_error **err);
/* Places whose blobs lost their rows at `before_s` or earlier, and that are to be cleared. */
CORAS_MUST_CHECK int serve_metadata_leftovers(serve_metadata *m, int64_t before_s, int limit,
                                              coras_strlist *ret, coras_error **err);
/* It is cleared. */
CORAS_MUST_CHECK int serve_metadata_forget_leftover(serve_metadata *m, const char *place,
                                                    coras_error **err);
/* Whether a blob or an upload has this place. */
CORAS_MUST_CHECK int serve_metadata_knows_place(serve_metadata *m, const char *place, bool *ret,
                                                coras_error **err);

/* ---- cached blobs: the collector leaves them alone, and they go when there is no room ---- */
struct serve_blob_use {
    coras_digest digest;
    int64_t at_ms; /* wall clock */
};
/* Note when blobs were read last. Those that were pushed are passed over. */
CORAS_MUST_CHECK int serve_metadata_save_uses(serve_metadata *m, const struct serve_blob_use *items,
                                              size_t len, coras_error **err);
/* Uses after `now_ms` were noted while the clock was wrong: they go back, in their order, so that
 * the last was now. Else what is used from now on would always be older, and go first. */
CORAS_MUST_CHECK int serve_metadata_mend_uses(serve_metadata *m, int64_t now_ms, coras_error **err);
CORAS_MUST_CHECK int serve_metadata_cached_bytes(serve_metadata *m, int64_t *ret,
                                                 coras_error **err);
struct serve_cached_blob {
    coras_digest digest;
    int64_t size, used_ms;
};
/* At most `most` that were read last after `after_ms`, the one that was not for longest first. */
CORAS_MUST_CHECK int serve_metadata_oldest_cached(serve_metadata *m, int64_t after_ms,
                                                  struct serve_cached_blob *ret, size_t most,
                                                  size_t *ret_len, coras_error **err);
/* Its row and its links. NOT_FOUND for one that is none, or was pushed. */
CORAS_MUST_CHECK int serve_metadata_forget_cached(serve_metadata *m, const coras_digest *digest,
                                                  coras_error **err);

/* ---- manifests ---- */
struct serve_stored_manifest {
    coras_digest digest;
    char *media_type;
    char *content; /* `size` bytes; NULL when not asked for */
    int64_t size;
    bool is_cached; /* asked for by a tag that an upstream has told */
};
void serve_stored_manifest_clear(struct serve_stored_manifest *s);

struct serve_manifest_put {
    const char *repository;
    coras_digest digest;
    const char *media_type;
    const char *content;
    size_t size;
    const coras_manifest *parsed; /* NULL: a document without references known to us */
    bool check_children;          /* config, layers and manifests must be there */
    const coras_strlist *tags;    /* set to this manifest */
    /* An upstream has it: its tags replace none that was pushed here, and who refers to what is the
     * upstream's to say. */
    bool is_cached;
};
/* Layers whose content no registry holds; Spec: image-spec 1.1, "Non-Distributable Layers". */
bool serve_metadata_is_foreign(const coras_descriptor *d);
/* NOT_FOUND with *ret_missing set when something it names is absent. */
CORAS_MUST_CHECK int serve_metadata_put_manifest(serve_metadata *m,
                                                 const struct serve_manifest_put *put,
                                                 coras_digest *ret_missing, coras_error **err);
/* By tag, or by digest when tag is NULL. NOT_FOUND. */
CORAS_MUST_CHECK int serve_metadata_get_manifest(serve_metadata *m, const char *repository,
                                                 const char *tag, const coras_digest *digest,
                                                 bool with_content,
                                                 struct serve_stored_manifest *ret,
                                                 coras_error **err);
/* The manifest, all its tags, its place among the referrers. NOT_FOUND. */
CORAS_MUST_CHECK int serve_metadata_delete_manifest(serve_metadata *m, const char *repository,
                                                    const coras_digest *digest, coras_error **err);
/* The tag alone. NOT_FOUND. */
CORAS_MUST_CHECK int serve_metadata_delete_tag(serve_metadata *m, const char *repository,
                                               const char *tag, coras_error **err);
/* The same when an upstream has told it; others stay. */
CORAS_MUST_CHECK int serve_metadata_forget_tag(serve_metadata *m, const char *repository,
                                               const char *tag, coras_error **err);

/* ---- lists: byte order, strictly after `last`, at most `limit`; *ret_more: there are further ----
 */
CORAS_MUST_CHECK int serve_metadata_has_repository(serve_metadata *m, const char *repository,
                                                   coras_error **err);
CORAS_MUST_CHECK int serve_metadata_tags(serve_metadata *m, const char *repository,
                                         const char *last, int64_t limit, coras_strlist *ret,
                                         bool *ret_more, coras_error **err);
/* Without those that an upstream has told. */
CORAS_MUST_CHECK int serve_metadata_pushed_tags(serve_metadata *m, const char *repository,
                                                const char *last, int64_t limit, coras_strlist *ret,
                                                bool *ret_more, coras_error **err);
/* Repositories that hold a manifest. */
CORAS_MUST_CHECK int serve_metadata_repositories(serve_metadata *m, const char *last, int64_t limit,
                                                 coras_strlist *ret, bool *ret_more,
                                                 coras_error **err);

struct serve_referrers_query {
    const char *repository;
    coras_digest subject;
    const char *artifact_type; /* NULL: all */
    const char *last;          /* digest text, "" = from the start */
    int64_t limit;
};
/*
 * Manifests whose subject it is, by digest. `visit` gets the descriptor as JSON text and its
 * digest; false ends the list early.
 */
CORAS_MUST_CHECK int
serve_metadata_referrers(serve_metadata *m, const struct serve_referrers_query *query,
                         bool (*visit)(const char *descriptor, const char *digest, void *user),
                         void *user, coras_error **err);
/* Whether something that was pushed into the repository has a subject, whichever. */
CORAS_MUST_CHECK int serve_metadata_has_referrers(serve_metadata *m, const char *repository,
                                                  bool *ret, coras_error **err);

/* How much there is of each. */
struct serve_metadata_counts {
    int64_t repositories, manifests, tags, blobs, blob_bytes;
};
CORAS_MUST_CHECK int serve_metadata_count(serve_metadata *m, struct serve_metadata_counts *ret,
                                          coras_error **err);

/* Blobs in the order of their digests, page by page. */
struct serve_blob_row {
    coras_digest digest;
    int64_t size;
};
struct serve_blob_page {
    struct serve_blob_row *items;
    size_t len, cap;
    char last[CORAS_DIGEST_TEXT_MAX]; /* of all pages so far; begin with zeros */
};
void serve_blob_page_clear(struct serve_blob_page *page);
/* The next page, in place of the one before; empty at the end. */
CORAS_MUST_CHECK int serve_metadata_blobs(serve_metadata *m, int limit,
                                          struct serve_blob_page *page, coras_error **err);

/* Repositories that hold a blob, at most `most`. */
CORAS_MUST_CHECK int serve_metadata_holders(serve_metadata *m, const coras_digest *digest, int most,
                                            coras_strlist *ret, coras_error **err);

struct serve_manifest_row { /* all borrowed for the visit */
    const char *repository, *digest, *content;
    size_t size;
};
/* All manifests of all repositories; what `visit` fails with ends it. */
CORAS_MUST_CHECK int serve_metadata_each_manifest(serve_metadata *m,
                                                  int (*visit)(const struct serve_manifest_row *row,
                                                               void *user, coras_error **err),
                                                  void *user, coras_error **err);

/* ---- collection ---- */
/* How many blobs a collection would forget, and their bytes; nothing changes. */
CORAS_MUST_CHECK int serve_metadata_collectable(serve_metadata *m, int64_t before,
                                                int64_t *ret_blobs, int64_t *ret_bytes,
                                                coras_error **err);
/*
 * Look for blobs that no manifest of a repository that links them needs, or that none links, where
 * link or blob is older than `before` (wall clock seconds). Returns their digests, some of them
 * more than once, at most `limit`. Looks at everything, and keeps nobody waiting.
 */
CORAS_MUST_CHECK int serve_metadata_find_garbage(serve_metadata *m, int64_t before, int limit,
                                                 coras_strlist *ret, coras_error **err);
/* How many go in one step. */
#define SERVE_COLLECT_BATCH 256
/* Blobs that went: their files may be removed. Clear `digests`. */
struct serve_collected {
    coras_strlist digests;
    int64_t bytes;
};
/*
 * Forget what is garbage still of a batch of these, from `first` on: such links, then such blobs.
 * The caller keeps publishers out meanwhile.
 */
CORAS_MUST_CHECK int serve_metadata_collect(serve_metadata *m, int64_t before,
                                            const coras_strlist *candidates, size_t first,
                                            struct serve_collected *ret, coras_error **err);

#endif
