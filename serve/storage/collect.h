/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collection: removing blobs that nothing needs any more.
 */
#ifndef SERVE_STORAGE_COLLECT_H
#define SERVE_STORAGE_COLLECT_H

#include "serve/http/exchange.h"

/* A blob whose manifest did not come within a day is nobody's. */
#define SERVE_COLLECT_GRACE_S (24 * 3600)

/*
 * Remove some; true when there may be more. A blob goes when no manifest of any repository names it
 * and it was stored or linked more than `grace_s` ago: what is being pushed has its blobs first and
 * its manifest last.
 */
bool serve_collect(struct serve_registry *registry, int64_t grace_s);

/*
 * Remove the file of a blob that the database does not know: one whose upload ended between the
 * two. Another upload of the same content may be about to give it its place there: it is waited
 * for.
 */
void serve_collect_stray(struct serve_registry *registry, const coras_digest *digest);

/* Look at some of the stored files for strays that were written more than `grace_s` ago; false when
 * all of them were seen. `walk` keeps the place from call to call. */
bool serve_collect_strays(struct serve_registry *registry, struct serve_blob_walk *walk,
                          int64_t grace_s);

#endif
