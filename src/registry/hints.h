/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Advice for what a registry refuses, by status, code and host. All of it is best effort: a hint
 * that cannot be made is left out, and an error never becomes another one.
 */
#ifndef CORAS_REGISTRY_HINTS_H
#define CORAS_REGISTRY_HINTS_H

#include "registry/registry.h"

/* A tag is not there: asks for the tags that are, and names the closest. */
void coras_registry_explain_missing(coras_target *t, const char *reference, coras_error **err);
/* PUT of a manifest was refused. */
void coras_hints_push_manifest(const coras_registry *r, const coras_descriptor *desc,
                               coras_error **err);
/* Upload of a blob was refused. */
void coras_hints_push_blob(const coras_registry *r, coras_error **err);
void coras_hints_delete(const coras_registry *r, coras_error **err);

#endif
