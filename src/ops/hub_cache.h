/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of the Hugging Face hub's clients, as far as its names tell:
 *
 *     models--<owner>--<name>/refs/<revision>            text: a commit
 *     models--<owner>--<name>/blobs/<etag>               content; 64 hex digits are its sha256
 *     models--<owner>--<name>/snapshots/<commit>/<path>  links to the blobs
 */
#ifndef CORAS_OPS_HUB_CACHE_H
#define CORAS_OPS_HUB_CACHE_H

#include <stdbool.h>

#include "coras/digest.h"

/* Whether a directory of the cache has this name. */
bool coras_hub_is_repository(const char *name);

/* For a path in or at a snapshot, "<repository>/snapshots/<commit>": the repository's directory as
 * a new string; NULL for any other path, and when out of memory. */
char *coras_hub_repository_of(const char *path);

/* The directory of the blobs that such a path's links lead to; likewise. */
char *coras_hub_blobs_of(const char *path);

/* "<owner>/<name>" of a repository's directory, as a new string; NULL when it is no model's, and
 * when out of memory. */
char *coras_hub_model_name(const char *repository);

/* A revision that is a commit: 40 lower-case hex digits. */
bool coras_hub_is_commit(const char *name);

/* The digest that the name of a blob is; false: it is another kind of name. */
bool coras_hub_blob_digest(const char *name, coras_digest *ret);

#endif
