/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking: whether the upstream of a repository has a blob, by HEAD, for those who do not fetch it.
 * Many who ask at the same time cost one request, and what is not there is not asked for again
 * within seconds.
 */
#ifndef SERVE_PROXY_BLOB_LOOK_H
#define SERVE_PROXY_BLOB_LOOK_H

#include "serve/proxy/said.h"

/* YES with *ret_size set, which is below 0 when it is not told. */
struct serve_said serve_blob_look(struct serve_exchange *x, const coras_digest *digest,
                                  int64_t *ret_size);
/* The upstream has said so in another way. */
void serve_blob_note_absent(struct serve_exchange *x, const coras_digest *digest);
bool serve_blob_is_absent(struct serve_exchange *x, const coras_digest *digest);

#endif
