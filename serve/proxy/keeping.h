/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping: manifests that an upstream has given become rows here, with the tags that are known to
 * name them. What they name need not be here. That a full disk keeps nothing disturbs nobody who
 * reads.
 */
#ifndef SERVE_PROXY_KEEPING_H
#define SERVE_PROXY_KEEPING_H

#include "serve/http/exchange.h"

/* The content has the digest of `desc`. `tag` (may be NULL) was just told to name it. */
void serve_keep_manifest(struct serve_exchange *x, const char *tag, const coras_descriptor *desc,
                         const coras_buf *content);
/* The tag names a manifest which may be here under its digest. */
void serve_keep_tag(struct serve_exchange *x, const coras_digest *digest);
/* The upstream has no such tag any more. */
void serve_drop_tag(struct serve_exchange *x);

#endif
