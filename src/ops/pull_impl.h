/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pull while it runs: shared by what finds its files (pull_walk.c) and what brings them
 * (pull.c).
 */
#ifndef CORAS_OPS_PULL_IMPL_H
#define CORAS_OPS_PULL_IMPL_H

#include "oci/manifest.h"
#include "ops/choosing.h"
#include "ops/plan.h"
#include "ops/pull.h"
#include "ops/pull_files.h"
#include "transfer/graph.h"

struct coras_pull_work {
    coras_target *source;
    const coras_pull_options *opts;
    const coras_package *package; /* what becomes of the root's layers; NULL: their titles say it */
    bool shares;
    coras_run run;
    coras_workdir workdir;
    coras_descriptor root;
    coras_buf root_bytes;
    coras_choosing choosing;
    pthread_mutex_t lock;
    /* under lock */
    coras_plan plan; /* of a dry run */
    bool config_taken;
    bool skipped_unnamed;
    const char *model_package; /* kind of the last that was met; NULL: none */
    struct {
        coras_place **items;
        size_t len, cap;
    } listed; /* files in the order of their finished manifests */
};

/* What a node of the graph stands for beside its descriptor. */
struct coras_pull_node_files {
    coras_place *place; /* blob: where it goes; NULL: it only counts as skipped */
    struct {
        coras_place **items;
        size_t len, cap;
    } files; /* manifest: the files it names, in its order */
};

static inline bool coras_pull_is_dry(const struct coras_pull_work *p)
{
    return p->opts->plan != NULL;
}

/* A step of the walk, see coras_graph_ops: a manifest tells which files there will be, and which
 * blobs come. */
CORAS_MUST_CHECK int coras_pull_expand(coras_graph *g, coras_node *node, void *user,
                                       coras_error **err);

#endif
