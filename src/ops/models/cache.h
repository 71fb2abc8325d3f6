/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `models/` of a cache: where each model has its directory, and the files beside it.
 *
 *     sha256-<hex>/         the model; complete, or not there
 *     sha256-<hex>.json     record by which the directory is known to be intact (tree.h)
 *     sha256-<hex>.lease    whoever reads the model holds a lock on it; its time is the last use
 *     sha256-<hex>.lock     held while the model is made or removed
 *     sha256-<hex>.partial/ the model while it is made
 *     names/<hex>           of the SHA-256 of a name: that name, and the digest it stood for
 */
#ifndef CORAS_OPS_MODELS_CACHE_H
#define CORAS_OPS_MODELS_CACHE_H

#include "base/cancel.h"
#include "base/fs.h"
#include "coras/digest.h"
#include "ops/models/tree.h"

#define CORAS_MODEL_RECORD  ".json"
#define CORAS_MODEL_LEASE   ".lease"
#define CORAS_MODEL_LOCK    ".lock"
#define CORAS_MODEL_PARTIAL ".partial"

typedef struct coras_model_cache {
    int fd;     /* of models/ */
    char *path; /* absolute */
} coras_model_cache;
#define CORAS_MODEL_CACHE_INIT                                                                     \
    {                                                                                              \
        .fd = -1                                                                                   \
    }
void coras_model_cache_clear(coras_model_cache *c);
CORAS_DEFINE_AUTO_VALUE(coras_model_cache, coras_model_cache_clear)

/* The directory of a cache: `given`, else the usual one; new string. INVALID_ARGUMENT when neither
 * is known. */
CORAS_MUST_CHECK int coras_cache_directory(const char *given, const char *user_cache_dir,
                                           char **ret, coras_error **err);

/* NOT_FOUND when it is not there and is not to be made. */
CORAS_MUST_CHECK int coras_model_cache_open(const char *cache, bool make, coras_model_cache *ret,
                                            coras_error **err);

/* "sha256-<hex>" and a suffix. */
#define CORAS_MODEL_NAME_MAX (CORAS_DIGEST_TEXT_MAX + sizeof(CORAS_MODEL_PARTIAL))
char *coras_model_name(const coras_digest *digest, const char *suffix,
                       char name[static CORAS_MODEL_NAME_MAX]);

/* Open (and make) the file beside a model; -1 with errno. */
int coras_model_open_beside(const coras_model_cache *c, const coras_digest *digest,
                            const char *suffix);

/* Whether the model is there and intact; *ret is its record then. */
bool coras_model_cache_look(const coras_model_cache *c, const coras_digest *digest,
                            coras_model_tree *ret);

/* Take the model and its record away; whoever holds its files open keeps them. Its two locks are
 * held, and their files stay, since somebody may be waiting for them. */
CORAS_MUST_CHECK int coras_model_cache_remove(const coras_model_cache *c,
                                              const coras_digest *digest, coras_error **err);

/* All names that are remembered. */
CORAS_MUST_CHECK int coras_model_cache_names(const coras_model_cache *c, coras_strlist *ret,
                                             coras_error **err);

/* What a name stood for last. Failing to remember it is no failure. */
bool coras_model_cache_recall(const coras_model_cache *c, const char *name, coras_digest *ret);
void coras_model_cache_remember(const coras_model_cache *c, const char *name,
                                const coras_digest *digest);

#endif
