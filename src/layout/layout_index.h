/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.json of a layout as a value: bytes in, bytes out. What this program does not understand
 * (members, entries, digest algorithms) is kept as it was found.
 */
#ifndef CORAS_LAYOUT_LAYOUT_INDEX_H
#define CORAS_LAYOUT_LAYOUT_INDEX_H

#include "oci/descriptor.h"

struct coras_layout_entry {
    coras_descriptor desc; /* digest.algorithm CORAS_DIGEST_NONE: one that we cannot check */
    char *raw;             /* its JSON as found; NULL: to be written from desc */
};

/* A member of the document beside `manifests`. */
struct coras_layout_member {
    char *key, *raw; /* raw NULL: the place of `manifests` */
};

struct coras_layout_index {
    struct {
        struct coras_layout_entry *items;
        size_t len, cap;
    } entries;
    struct {
        struct coras_layout_member *items;
        size_t len, cap;
    } members;
};

/* All zero is an empty value, not an empty document. */
void coras_layout_index_clear(struct coras_layout_index *index);

/* The document that a new layout starts with. */
#define CORAS_LAYOUT_EMPTY_INDEX                                                                   \
    "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","              \
    "\"manifests\":[]}"

/* CONFIG "invalid OCI Image Index: …"; INVALID_DIGEST for a malformed digest in an entry. */
CORAS_MUST_CHECK int coras_layout_index_parse(const char *text, size_t len,
                                              struct coras_layout_index *ret, coras_error **err);
CORAS_MUST_CHECK int coras_layout_index_write(const struct coras_layout_index *index,
                                              coras_buf *out, coras_error **err);

/* The name of an entry: annotation ref.name; NULL when it has none. */
const char *coras_layout_entry_tag(const struct coras_layout_entry *entry);

/*
 * The entry of a reference name; the later of two wins. A bare tag also finds the entry whose full
 * name ends in ":<tag>" (other tools write such names) when it is the only one. NULL: none.
 */
const struct coras_layout_entry *coras_layout_index_by_tag(const struct coras_layout_index *index,
                                                           const char *tag);
const struct coras_layout_entry *
coras_layout_index_by_digest(const struct coras_layout_index *index, const coras_digest *digest);
bool coras_layout_index_is_tagged(const struct coras_layout_index *index,
                                  const coras_digest *digest);

/* Name a manifest; another one of that name stays without it. */
CORAS_MUST_CHECK int coras_layout_index_tag(struct coras_layout_index *index,
                                            const coras_descriptor *desc, const char *tag,
                                            coras_error **err);
/* Take a name away; the manifest stays listed. false: there is no such name. */
bool coras_layout_index_untag(struct coras_layout_index *index, const char *tag);
/* List a manifest without a name unless it is listed already. */
CORAS_MUST_CHECK int coras_layout_index_add(struct coras_layout_index *index,
                                            const coras_descriptor *desc, coras_error **err);
/* Drop every entry of a digest; true when there was one. */
bool coras_layout_index_remove(struct coras_layout_index *index, const coras_digest *digest);

#endif
