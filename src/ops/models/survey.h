/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of a directory say of the model: the facts of a ModelPack config, and the
 * annotations of each file and of the whole. Headers of weight files are read to their end and held
 * to every rule: what is wrong with one is found before a byte is sent.
 */
#ifndef CORAS_OPS_MODELS_SURVEY_H
#define CORAS_OPS_MODELS_SURVEY_H

#include "model/classify.h"
#include "model/modelpack_config.h"
#include "oci/descriptor.h"
#include "ops/models/dir.h"

struct coras_surveyed_file {
    coras_model_class class;
    coras_annotations annotations; /* for its layer */
    bool comes_last;               /* readers take the first file of its format for the model */
};

typedef struct coras_model_survey {
    struct coras_surveyed_file *files; /* one for each of the directory's, in their order */
    size_t len;
    coras_modelpack_config config;
    coras_annotations annotations; /* for the manifest */
    coras_strlist warnings;        /* escaped */
} coras_model_survey;
void coras_model_survey_clear(coras_model_survey *survey);
CORAS_DEFINE_AUTO_VALUE(coras_model_survey, coras_model_survey_clear)

/* INVALID_MODEL and TOO_LARGE, with the file's path in front, when a header breaks a rule. */
CORAS_MUST_CHECK int coras_model_survey_read(const coras_model_dir *dir, const coras_cancel *cancel,
                                             coras_model_survey *ret, coras_error **err);

#endif
