/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content of packages that is not what will stand under its name: decompressed, unpacked, and by
 * its bytes rather than by its type. For pull_commit.c only.
 */
#ifndef CORAS_OPS_PULL_PREPARE_H
#define CORAS_OPS_PULL_PREPARE_H

#include "ops/pull_files.h"

/* All content has landed; no name is given yet. UNSAFE_ARCHIVE, DIGEST_MISMATCH, SIZE_MISMATCH,
 * TOO_LARGE, EXISTS, UNSUPPORTED when nothing of an image is wanted. */
CORAS_MUST_CHECK int coras_prepare_places(coras_workdir *w, coras_error **err);

/* Take away what was prepared and has got no name. */
void coras_prepared_clear(coras_workdir *w);

/* Mode and time as the package recorded them. */
CORAS_MUST_CHECK int coras_place_set_recorded(const coras_place *p, int fd, coras_error **err);

#endif
