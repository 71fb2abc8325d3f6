/*
 * Referrers of a manifest, and their two pictures: a tree and a table.
 */
#ifndef CORAS_CLI_OUTPUT_TREE_H
#define CORAS_CLI_OUTPUT_TREE_H

#include "base/buf.h"
#include "coras/descriptor.h"

/* A manifest with what refers to it. */
struct referrer {
    coras_descriptor desc;
    struct referrer *items;
    size_t len, cap;
};
void referrer_clear(struct referrer *r);

struct tree_style {
    bool colors;
    bool annotations;
};
/* `path@digest` and the referrers below, grouped by artifact type. */
void tree_put(coras_buf *out, const char *path, const struct referrer *root,
              const struct tree_style *style);

/* The table of direct referrers; with `bodies` each is followed by its descriptor. `raw` is the
 * reference as typed. */
CORAS_MUST_CHECK int table_put(coras_buf *out, const char *raw, const struct referrer *root,
                               bool bodies, coras_error **err);

#endif
