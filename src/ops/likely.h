/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which large files a target probably has already, so that hashing them first is worth it: a file
 * that is sent while it is hashed has been sent in vain when the digest turns out to be there.
 */
#ifndef CORAS_OPS_LIKELY_H
#define CORAS_OPS_LIKELY_H

#include "oci/manifest.h"
#include "transfer/local_file.h"

/* What stands under the name that is going to be given. */
typedef struct coras_likely {
    coras_target *target; /* borrowed; NULL: nothing stands there */
    coras_manifest manifest;
} coras_likely;
void coras_likely_clear(coras_likely *likely);
CORAS_DEFINE_AUTO_VALUE(coras_likely, coras_likely_clear)

/*
 * One request. Who cannot look knows nothing, which is no failure; but who did not get through has
 * tried often enough for those who come next. `reference` may be NULL.
 */
CORAS_MUST_CHECK int coras_likely_look(coras_target *target, const char *reference,
                                       coras_likely *ret, coras_error **err);
/*
 * Whether the manifest names a blob of this title and of the size of this open file, with the same
 * bytes in its middle: one request at most, for a part of the blob. A guess in both directions;
 * that the content is there is for its digest to say. Any thread.
 */
bool coras_likely_has(const coras_likely *likely, const char *title, const coras_local_file *file);

#endif
