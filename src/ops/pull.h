/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pulling where something else than titles says what the layers of a manifest become.
 */
#ifndef CORAS_OPS_PULL_H
#define CORAS_OPS_PULL_H

#include "coras/ops.h"
#include "model/package.h"
#include "target/target.h"

/* A manifest that is here already, and what it stands for. */
struct coras_packaged {
    const coras_descriptor *root;
    const coras_buf *bytes; /* verified */
    const coras_package *package;
    bool shares; /* files may be hard links into the cache that the source is */
};

/* As coras_pull(), by the entries of a package. `opts` are complete. */
CORAS_MUST_CHECK int coras_pull_package(coras_target *source, const struct coras_packaged *packaged,
                                        const coras_pull_options *opts,
                                        const coras_run_options *run, coras_pull_result *ret,
                                        coras_error **err);

#endif
