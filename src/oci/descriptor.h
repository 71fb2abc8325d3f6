/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors and JSON.
 */
#ifndef CORAS_OCI_DESCRIPTOR_H
#define CORAS_OCI_DESCRIPTOR_H

#include "codec/json.h"
#include "base/str.h"
#include "coras/descriptor.h"

CORAS_DEFINE_AUTO_VALUE(coras_descriptor, coras_descriptor_clear)
CORAS_DEFINE_AUTO_VALUE(coras_annotations, coras_annotations_clear)

typedef struct coras_descriptors {
    coras_descriptor *items;
    size_t len, cap;
} coras_descriptors;
void coras_descriptors_clear(coras_descriptors *l);
CORAS_MUST_CHECK int coras_descriptors_add(coras_descriptors *l, const coras_descriptor *d,
                                           coras_error **err);
CORAS_DEFINE_AUTO_VALUE(coras_descriptors, coras_descriptors_clear)

/* INVALID_MANIFEST names the field; `what` is put in front ("layers[3]"). An absent mediaType is
 * "", an absent size 0. `data` that is not the content of the descriptor is left out. */
CORAS_MUST_CHECK int coras_descriptor_from_json(const coras_json *v, const char *what,
                                                coras_descriptor *ret, coras_error **err);
/* Full form, members in Go's order. */
void coras_descriptor_write(coras_json_writer *w, const coras_descriptor *d);
/* The members only (for objects that put others around them): mediaType … artifactType. */
void coras_descriptor_write_members(coras_json_writer *w, const coras_descriptor *d);
CORAS_MUST_CHECK int coras_annotations_from_json(const coras_json *v, const char *what,
                                                 coras_annotations *ret, coras_error **err);
/* Object with keys in byte order. */
void coras_annotations_write(coras_json_writer *w, const coras_annotations *a);
CORAS_MUST_CHECK int coras_annotations_copy(coras_annotations *to, const coras_annotations *from,
                                            coras_error **err);

/* Whether d is the empty descriptor: digest and size of `{}`; with `media_type_too` the type as
 * well. */
bool coras_descriptor_is_empty(const coras_descriptor *d, bool media_type_too);
/* The empty descriptor with data; media_type NULL = the OCI empty type. */
CORAS_MUST_CHECK int coras_descriptor_empty(const char *media_type, bool with_data,
                                            coras_descriptor *ret, coras_error **err);

#endif
