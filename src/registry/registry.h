/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A repository of a registry as a target: what its files share. One file per group of verbs:
 * manifest.c, blob.c and blob_fetch.c, upload.c, mount.c, list.c, referrers.c, delete.c; hints.c
 * turns refusals into advice.
 *
 * Everything here is constant after opening but for what `lock` guards, so any number of threads
 * may use one target.
 */
#ifndef CORAS_REGISTRY_REGISTRY_H
#define CORAS_REGISTRY_REGISTRY_H

#include <pthread.h>
#include <stdatomic.h>
#include "base/map.h"
#include "client/client.h"
#include "client/host_facts.h"
#include "registry/manner.h"
#include "registry/referrers_index.h"
#include "target/target.h"

/* What an operation asks the token service for. */
typedef struct coras_registry_scope {
    char *text;
    const char *list[2]; /* for coras_request.scopes */
} coras_registry_scope;

typedef struct coras_registry {
    coras_target base;
    coras_client *client; /* borrowed */
    char *host;           /* as typed */
    char *repository;
    char *base_url; /* "https://host[:port]" */
    coras_registry_scope pull, push, remove;
    coras_registry_manner manner; /* its texts are the next two */
    char *via, *query;
    atomic_bool is_written;         /* the operation writes here: all its requests say so */
    pthread_mutex_t lock;           /* guards `sessions` and `seen` */
    pthread_mutex_t referrers_lock; /* one rewriting of referrers tags at a time */
    atomic_bool has_seen;           /* a blob that is there, or was stored, through this target */
    coras_digest seen;              /* the last such one */
    atomic_uint claims;             /* while it is not known what a mount tells */
    atomic_bool is_learning;        /* a thread asks, or has asked */
    coras_map *sessions; /* digest text to upload URL: begun by a mount that was declined */
} coras_registry;

static inline coras_registry *coras_registry_of(coras_target *t)
{
    return (coras_registry *)t;
}

/* The verbs, as in coras_target_ops. */
int coras_registry_resolve(coras_target *t, const char *reference, coras_descriptor *ret,
                           coras_error **err);
/* Resolve by HEAD alone: 1 = *ret is set; 0 = the answer does not tell enough, a GET will. */
int coras_registry_look(coras_target *t, const char *reference, coras_descriptor *ret,
                        coras_error **err);
int coras_registry_fetch_manifest(coras_target *t, const char *reference, const char *accept,
                                  coras_descriptor *ret, coras_buf *bytes, coras_error **err);
int coras_registry_push_manifest(coras_target *t, const coras_descriptor *desc, const void *data,
                                 const char *reference, coras_error **err);
int coras_registry_tag(coras_target *t, const coras_descriptor *desc, const void *data,
                       const char *reference, coras_error **err);
int coras_registry_fetch(coras_target *t, const coras_descriptor *desc, int64_t offset,
                         int64_t length, const coras_sink *sink, coras_error **err);
int coras_registry_read_blob(coras_target *t, const coras_blob_read *read, coras_error **err);
int coras_registry_resolve_blob(coras_target *t, const coras_digest *digest, coras_descriptor *ret,
                                coras_error **err);
int coras_registry_probe_blob(coras_target *t, const coras_digest *digest, coras_descriptor *ret,
                              coras_error **err);
int coras_registry_exists(coras_target *t, const coras_descriptor *desc, bool *ret,
                          coras_error **err);
int coras_registry_mount(coras_target *t, const coras_descriptor *desc, coras_target *from,
                         bool *ret, coras_error **err);
int coras_registry_claim(coras_target *t, const coras_descriptor *desc, coras_target *from,
                         bool *ret, coras_error **err);
int coras_registry_push_blob(coras_target *t, const coras_blob_push *push, coras_error **err);
int coras_registry_tags(coras_target *t, const char *last,
                        bool (*visit)(const char *tag, void *user), void *user, coras_error **err);
int coras_registry_referrers(coras_target *t, const coras_descriptor *desc,
                             const char *artifact_type,
                             bool (*visit)(const coras_descriptor *d, void *user), void *user,
                             coras_error **err);
int coras_registry_remove(coras_target *t, const coras_descriptor *desc, coras_error **err);

void coras_registry_manner_clear(coras_registry *r);

/* ---- requests ---- */

/* Append "<base>/v2/<repository>/<path>". */
void coras_registry_put_url(const coras_registry *r, coras_buf *b, const char *path);
/* Append what the manner has to say, behind the path or behind a query that is there already. */
void coras_registry_put_query(const coras_registry *r, coras_buf *b);
/* The whole with a last component: "/v2/<repository>/<kind>/<name>", as a new string. */
CORAS_MUST_CHECK int coras_registry_url(const coras_registry *r, const char *kind, const char *name,
                                        char **ret, coras_error **err);
/*
 * What to ask for before reading. Where the operation writes, the rights of writing: registries
 * that make a repository when somebody may push to it know nothing of it before.
 */
const coras_registry_scope *coras_registry_read_scope(const coras_registry *r);
void coras_registry_will_write(coras_target *t);
/* A request of this registry, small and without body. */
coras_request coras_registry_request(const coras_registry *r, const char *method, const char *url,
                                     const coras_registry_scope *scope);
/* Whether the same request may succeed later, from the HTTP status of the error: set on *err. */
void coras_registry_mark_retryable(coras_error **err);

/* ---- references ---- */

/* A reference is a tag or a digest; *ret_digest has algorithm CORAS_DIGEST_NONE for a tag.
 * INVALID_REFERENCE or INVALID_DIGEST. */
CORAS_MUST_CHECK int coras_registry_parse_reference(const char *reference, coras_digest *ret_digest,
                                                    coras_error **err);
/* NOT_FOUND in upstream's words: "host/repo:tag: not found", "host/repo@digest: not found". */
int coras_registry_not_found(const coras_registry *r, const char *reference, coras_error **err);
int coras_registry_digest_not_found(const coras_registry *r, const coras_digest *digest,
                                    coras_error **err);
/* The same of content that a descriptor promised: "digest: not found". */
int coras_registry_content_not_found(const coras_digest *digest, coras_error **err);
/*
 * Docker-Content-Digest of an answer: 1 with *ret set, 0 when there is none (or of an algorithm
 * that we do not know), PROTOCOL when it is malformed.
 */
CORAS_MUST_CHECK int coras_registry_content_digest(const coras_response *resp, coras_digest *ret,
                                                   coras_error **err);

/* ---- shared between the verbs ---- */

/* PUT a manifest under `reference`. *ret_subject (may be NULL): the registry has noted the subject.
 */
CORAS_MUST_CHECK int coras_registry_put_manifest(coras_registry *r, const coras_descriptor *desc,
                                                 const void *data, const char *reference,
                                                 bool *ret_subject, coras_error **err);
/* HEAD of a blob: 1 there, 0 not. `once`: no retries, for a caller that has its own plan. */
CORAS_MUST_CHECK int coras_registry_has_blob(coras_registry *r, const coras_digest *digest,
                                             bool once, coras_error **err);
/* The same before an upload of `size` bytes, which it may begin: see
 * coras_registry_take_session(). */
CORAS_MUST_CHECK int coras_registry_claim_blob(coras_registry *r, const coras_digest *digest,
                                               int64_t size, coras_error **err);
/* A blob that is there, or was stored. */
void coras_registry_note_seen(coras_registry *r, const coras_digest *digest);
/* The upload that a declined mount of this blob has begun, or NULL. The caller frees it. */
char *coras_registry_take_session(coras_registry *r, const coras_digest *digest);
/* DELETE below `kind` ("manifests", "blobs"); NOT_FOUND. */
CORAS_MUST_CHECK int coras_registry_delete_digest(coras_registry *r, const char *kind,
                                                  const coras_digest *digest, coras_error **err);

/* ---- referrers ---- */

/* Remember for this repository, as long as the client lives. */
void coras_registry_note_referrers(const coras_registry *r, bool supported);
/* Ask once, with a digest that nothing has. */
CORAS_MUST_CHECK int coras_registry_has_referrers_api(coras_registry *r, bool *ret,
                                                      coras_error **err);
/*
 * The list under the referrers tag: 1 with *ret_index and *ret set, 0 when there is none;
 * *ret_index then has a media type only when the tag names something else.
 */
CORAS_MUST_CHECK int coras_registry_read_referrers_tag(coras_registry *r,
                                                       const coras_digest *subject,
                                                       coras_descriptor *ret_index,
                                                       coras_referrers_index *ret,
                                                       coras_error **err);
/* After a manifest was stored: keeps the referrers tag when it has a subject that the registry has
 * not `noted`. */
CORAS_MUST_CHECK int coras_registry_index_referrer(coras_registry *r, const coras_descriptor *desc,
                                                   const void *data, bool noted, coras_error **err);
/* Before a manifest is deleted. */
CORAS_MUST_CHECK int
coras_registry_unindex_referrer(coras_registry *r, const coras_descriptor *desc, coras_error **err);

#endif
