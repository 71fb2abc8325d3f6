/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The config of a ModelPack artifact: what is known of the model, and the digests of its files.
 */
#ifndef CORAS_MODEL_MODELPACK_CONFIG_H
#define CORAS_MODEL_MODELPACK_CONFIG_H

#include "base/str.h"
#include "coras/digest.h"
#include "model/front_matter.h"

/* Owned strings; what is NULL, empty or false is not written. */
typedef struct coras_modelpack_config {
    char *created_at; /* RFC 3339 */
    char *vendor, *family, *name, *version, *title, *description;
    char *doc_url, *source_url, *revision;
    coras_strlist authors;
    coras_strlist licences; /* SPDX */

    char *architecture, *format, *parameter_size, *precision, *quantization;
    coras_strlist input_types, output_types; /* "text", "image", ... */
    coras_strlist languages;                 /* two letters each */
    bool reasoning, tool_usage;
} coras_modelpack_config;
void coras_modelpack_config_clear(coras_modelpack_config *config);
CORAS_DEFINE_AUTO_VALUE(coras_modelpack_config, coras_modelpack_config_clear)

/* What a model card says: licences, languages, what goes in and what comes out, the name. Members
 * that have a value keep it. */
CORAS_MUST_CHECK int coras_modelpack_config_read_card(coras_modelpack_config *config,
                                                      const coras_model_card *card,
                                                      coras_error **err);

/* One licence more, whatever its spelling. */
CORAS_MUST_CHECK int coras_modelpack_config_add_licence(coras_modelpack_config *config,
                                                        const char *name, coras_error **err);

/* What a chat template shows by what it mentions: tools, and thoughts before an answer. */
void coras_modelpack_config_read_template(coras_modelpack_config *config, coras_str text);

/* The JSON, with one digest for each layer. Spec: model-spec, docs/config.md. */
CORAS_MUST_CHECK int coras_modelpack_config_write(const coras_modelpack_config *config,
                                                  const coras_digest *diff_ids, size_t count,
                                                  coras_buf *out, coras_error **err);

#endif
