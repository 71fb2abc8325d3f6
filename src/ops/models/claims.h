/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the config of a package claims about its content. For the operations that look into models.
 */
#ifndef CORAS_OPS_MODELS_CLAIMS_H
#define CORAS_OPS_MODELS_CLAIMS_H

#include "base/str.h"
#include "model/package.h"

/* What a package says of its content. Owned; NULL: nothing. */
typedef struct coras_model_claims {
    char *parameters; /* "8b", "361.82M", "96" */
    char *format;
    char *license;
} coras_model_claims;
void coras_model_claims_clear(coras_model_claims *c);
CORAS_DEFINE_AUTO_VALUE(coras_model_claims, coras_model_claims_clear)

/* From the package's config, where its kind has one that claims something; nothing from what is no
 * JSON. */
CORAS_MUST_CHECK int coras_model_claims_read(enum coras_package_kind kind, coras_str config,
                                             coras_model_claims *ret, coras_error **err);

/* Whether so many parameters may be called that, within one of the last digit that it has: 1, 0, or
 * -1 for a text that is no number. Spec: model-spec, docs/config.md, `paramSize`. */
int coras_parameter_claim_fits(const char *claim, int64_t parameters);

#endif
