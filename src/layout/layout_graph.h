/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What points at what in a layout: every manifest reachable from index.json, read once. Serves
 * listing referrers and finding what a deletion leaves unreachable.
 */
#ifndef CORAS_LAYOUT_LAYOUT_GRAPH_H
#define CORAS_LAYOUT_LAYOUT_GRAPH_H

#include "layout/layout_index.h"

struct coras_layout;
typedef struct coras_layout_graph coras_layout_graph;

/* Reads manifests; a missing one is a leaf, and so is one that makes no sense, which anybody can
 * push. DIGEST_MISMATCH or SIZE_MISMATCH for a damaged one. */
CORAS_MUST_CHECK int coras_layout_graph_new(const struct coras_layout *l,
                                            const struct coras_layout_index *index,
                                            coras_layout_graph **ret, coras_error **err);
void coras_layout_graph_free(coras_layout_graph *g);
CORAS_DEFINE_AUTO(coras_layout_graph, coras_layout_graph_free)

/*
 * The same for reading only, of a layout that may be damaged or on its way: what is missing or not
 * right is a leaf, and *ret_damage tells the first such (NULL: none). What it then lists must not
 * be taken for everything.
 */
CORAS_MUST_CHECK int coras_layout_graph_of_what_is_there(const struct coras_layout *l,
                                                         const struct coras_layout_index *index,
                                                         coras_layout_graph **ret,
                                                         coras_error **ret_damage,
                                                         coras_error **err);
/* What was first pointed at with this digest: media type, digest, size; borrowed. NULL: nothing. */
const coras_descriptor *coras_layout_graph_find(const coras_layout_graph *g,
                                                const coras_digest *digest);

/* Manifests whose subject has this digest, in the order of index.json, with artifactType and
 * annotations of the manifest; appended to `ret`. */
CORAS_MUST_CHECK int coras_layout_graph_referrers(const coras_layout_graph *g,
                                                  const coras_digest *subject,
                                                  coras_descriptors *ret, coras_error **err);
/*
 * What goes with a manifest: itself, its referrers, and everything that only they pointed at, but
 * nothing that has a tag of its own. Appended to `ret`.
 */
CORAS_MUST_CHECK int coras_layout_graph_garbage(coras_layout_graph *g,
                                                const struct coras_layout_index *index,
                                                const coras_digest *digest, coras_descriptors *ret,
                                                coras_error **err);

#endif
