/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of referrers as indexes: what the referrers API answers and what the referrers tag holds.
 * Bytes in, values out. Spec: distribution-spec 1.1, "Listing Referrers", "Referrers Tag Schema".
 */
#ifndef CORAS_REGISTRY_REFERRERS_INDEX_H
#define CORAS_REGISTRY_REFERRERS_INDEX_H

#include "oci/descriptor.h"

typedef struct coras_referrers_index {
    coras_descriptors entries; /* one per digest */
    bool cleaned;              /* empty or repeated entries were left out */
    bool filtered;             /* says of itself that it is filtered by artifact type */
} coras_referrers_index;
void coras_referrers_index_clear(coras_referrers_index *l);
CORAS_DEFINE_AUTO_VALUE(coras_referrers_index, coras_referrers_index_clear)

CORAS_MUST_CHECK int coras_referrers_index_parse(const char *text, size_t len,
                                                 coras_referrers_index *ret, coras_error **err);
/* Whether the index has changed. Also when reading has cleaned it. Negative: no memory. */
CORAS_MUST_CHECK int coras_referrers_index_add(coras_referrers_index *l, const coras_descriptor *d,
                                               coras_error **err);
bool coras_referrers_index_remove(coras_referrers_index *l, const coras_digest *digest);
bool coras_referrers_index_has(const coras_referrers_index *l, const coras_digest *digest);
/* The document for the referrers tag. */
CORAS_MUST_CHECK int coras_referrers_index_write(const coras_referrers_index *l, coras_buf *out,
                                                 coras_error **err);

/* Whether OCI-Filters-Applied (a comma list) names artifactType. NULL allowed. */
bool coras_referrers_filter_applied(const char *header);

#endif
