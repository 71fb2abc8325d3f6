/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Annotations in the order in which they are shown and written: by key.
 */
#ifndef CORAS_CLI_OUTPUT_ANNOTATIONS_H
#define CORAS_CLI_OUTPUT_ANNOTATIONS_H

#include "codec/json.h"
#include "coras/descriptor.h"

/* An array of `a->len` borrowed items, sorted by the bytes of their keys; free() it. NULL when out
 * of memory. */
const coras_annotation **sorted_annotations(const coras_annotations *a);
/* As a JSON object. */
void put_annotations(coras_json_writer *w, const coras_annotations *a);

#endif
