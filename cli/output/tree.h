/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Referrers of a manifest, and their two pictures: a tree and a table.
 */
#ifndef CORAS_CLI_OUTPUT_TREE_H
#define CORAS_CLI_OUTPUT_TREE_H

#include "base/buf.h"
#include "coras/discover.h"

struct tree_style {
    bool colors;
    bool annotations;
};
/* `path@digest` and the referrers below, grouped by artifact type. */
void tree_put(coras_buf *out, const char *path, const coras_referrer *root,
              const struct tree_style *style);

/* The table of direct referrers; with `bodies` each is followed by its descriptor. `raw` is the
 * reference as typed. */
CORAS_MUST_CHECK int table_put(coras_buf *out, const char *raw, const coras_referrer *root,
                               bool bodies, coras_error **err);

#endif
