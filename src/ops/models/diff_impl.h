/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of comparing two models: files and tensors (diff.c), bytes (diff_bytes.c),
 * documents (diff_config.c).
 */
#ifndef CORAS_OPS_MODELS_DIFF_IMPL_H
#define CORAS_OPS_MODELS_DIFF_IMPL_H

#include "base/map.h"
#include "coras/model_diff.h"
#include "ops/models/facts.h"

/* One of the two models. */
struct coras_diff_side {
    coras_model *model;
    coras_file_facts *files; /* for each file */
    bool *is_known;          /* for each file: the other model has the same content */
    struct coras_tensor_budget budget;
    coras_map *paths;   /* path -> index + 1 */
    coras_map *digests; /* digest of a file -> itself */
    coras_map *tensors; /* name -> coras_fact_tensor, of files that are not known */
};

/* A file of each side under one path. */
struct coras_file_pair {
    size_t file[2];
    bool is_same;
};

/* A tensor of each side under one name. */
struct coras_tensor_pair {
    const coras_fact_tensor *tensor[2];
    bool bytes_differ;
};

/* A file of one side whose header is read. */
struct coras_diff_header {
    struct coras_diff_side *side;
    size_t file;
};

struct coras_diffing {
    struct coras_diff_side sides[2];
    bool deep;
    struct {
        struct coras_file_pair *items;
        size_t len, cap;
    } pairs;
    struct {
        struct coras_diff_header *items;
        size_t len, cap;
    } headers;
    struct {
        struct coras_tensor_pair *items;
        size_t len, cap;
    } tensors; /* of both, to be compared by their bytes */
    coras_strlist files_added, files_removed, files_changed, tensors_added, tensors_removed;
    struct {
        coras_changed_tensor *items;
        size_t len, cap;
    } changed;
    struct {
        coras_changed_value *items;
        size_t len, cap;
    } config;
};

CORAS_DEFINE_AUTO(coras_model_difference, coras_model_difference_free)

/* Whether two parts of equal length differ. */
CORAS_MUST_CHECK int coras_diff_bytes(coras_model *a, size_t file_a, int64_t offset_a,
                                      coras_model *b, size_t file_b, int64_t offset_b,
                                      int64_t length, bool *ret, coras_error **err);
/* Whether two files have the same content, by digest where there is one. Large members of archives
 * in a registry are taken to be equal if they begin so, unless `deep`. */
CORAS_MUST_CHECK int coras_diff_same_content(const struct coras_diffing *d,
                                             const struct coras_file_pair *pair, bool *ret,
                                             coras_error **err);
/* Compare the small JSON documents that are not the same. */
CORAS_MUST_CHECK int coras_diff_documents(struct coras_diffing *d, coras_error **err);

#endif
