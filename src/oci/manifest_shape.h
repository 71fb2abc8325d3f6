/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the members of a manifest have the types that Go's structures give them: what a writer
 * must keep to, so that every reader can take the document apart. Whether it makes sense is another
 * question (manifest.h).
 */
#ifndef CORAS_OCI_MANIFEST_SHAPE_H
#define CORAS_OCI_MANIFEST_SHAPE_H

#include "base/common.h"

/* INVALID_MANIFEST names the member ("layers[3].size: not an integer"). As Go decodes: null and
 * absent will do, digests are any text, of equal keys the last counts; nothing is asked of media
 * types that are no manifest. */
CORAS_MUST_CHECK int coras_manifest_check_shape(const char *text, size_t len,
                                                const char *media_type, coras_error **err);

#endif
