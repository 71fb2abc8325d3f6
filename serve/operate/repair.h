/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Repair: blobs of a cache that are damaged or missing, fetched again from the registries that they
 * came from.
 *
 * Threads: serve_repair_blob() may be called by any thread.
 */
#ifndef SERVE_OPERATE_REPAIR_H
#define SERVE_OPERATE_REPAIR_H

#include "serve/options.h"
#include "serve/storage/metadata.h"

typedef struct serve_repair serve_repair;

/* The registries are those of the options, which are borrowed, as are `root`, a directory, and its
 * metadata. Errors as serve_upstreams_open(). */
CORAS_MUST_CHECK int serve_repair_open(const struct serve_options *options, const char *root,
                                       serve_metadata *metadata, serve_repair **ret,
                                       coras_error **err);
void serve_repair_close(serve_repair *r);
CORAS_DEFINE_AUTO(serve_repair, serve_repair_close)

/* Put the right bytes under the name of a blob. NOT_FOUND: no registry is known that has it;
 * otherwise why the last one that was asked did not give it. */
CORAS_MUST_CHECK int serve_repair_blob(serve_repair *r, const struct serve_blob_row *blob,
                                       coras_error **err);

#endif
