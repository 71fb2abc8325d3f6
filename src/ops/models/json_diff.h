/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two JSON documents, member by member.
 */
#ifndef CORAS_OPS_MODELS_JSON_DIFF_H
#define CORAS_OPS_MODELS_JSON_DIFF_H

#include "codec/json.h"

/* Told of each value that differs; NULL: absent. Below 0 ends the comparison. */
typedef int (*coras_json_diff_fn)(void *user, const char *path, const coras_json *a,
                                  const coras_json *b, coras_error **err);

/* Objects are compared by their members, whose path is `prefix` and their names, joined by dots;
 * everything else as a whole. */
CORAS_MUST_CHECK int coras_json_diff(const char *prefix, const coras_json *a, const coras_json *b,
                                     coras_json_diff_fn visit, void *user, coras_error **err);

#endif
