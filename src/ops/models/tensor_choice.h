/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which tensors of a model are wanted, and which part of each: by their names, and by the place of
 * one process among several that share a model.
 */
#ifndef CORAS_OPS_MODELS_TENSOR_CHOICE_H
#define CORAS_OPS_MODELS_TENSOR_CHOICE_H

#include "coras/select.h"
#include "ops/models/view.h"

typedef struct coras_tensor_choice {
    const char *const *patterns; /* of names (base/glob.h), NULL-terminated; NULL: every tensor */
    /* Part `rank` (from 0) of `of` parts: of a tensor with two dimensions or more the rows that
     * belong to it, others whole. 0 parts: whole tensors. */
    int rank, of;
    const coras_selection *selection; /* of files; NULL: all */
} coras_tensor_choice;

/* A tensor, or the rows of one. */
typedef struct coras_chosen_tensor {
    int64_t *shape; /* owned; of what is taken; the texts are behind it in the same memory */
    size_t dimensions;
    const char *name, *dtype;
    int64_t offset, bytes; /* in the file that has it */
    int64_t place;         /* in the data of the new file */
} coras_chosen_tensor;

/* What is taken of one file. */
typedef struct coras_chosen_file {
    size_t file; /* of the model */
    bool is_safetensors;
    bool verified; /* the header */
    struct {
        coras_chosen_tensor *items;
        size_t len, cap;
    } tensors;                /* in the order of the file */
    coras_strlist metadata;   /* keys and values by turns */
    bool metadata_was_cut;    /* a text was too long to be kept */
    coras_strlist some_names; /* of tensors, chosen or not */
    int64_t tensor_count;     /* likewise */
    const coras_tensor_choice *choice;
    atomic_size_t *kept; /* tensors of all files */
} coras_chosen_file;

typedef struct coras_chosen_files {
    coras_chosen_file *items;
    size_t len, cap;
} coras_chosen_files;
void coras_chosen_files_clear(coras_chosen_files *files);
CORAS_DEFINE_AUTO_VALUE(coras_chosen_files, coras_chosen_files_clear)

/* INVALID_ARGUMENT for what is no pattern or no part. */
CORAS_MUST_CHECK int coras_tensor_choice_check(const coras_tensor_choice *choice,
                                               coras_error **err);

/* Whether a name is among those that were asked for. */
bool coras_tensor_is_chosen(const coras_tensor_choice *choice, const char *name);

/*
 * Read the headers of all files that may hold weights, but for those where index.json says that
 * there is nothing of interest, and keep those with chosen tensors, in the order of the model.
 * NOT_FOUND for a pattern that no tensor matches, with what there is;
 * UNSUPPORTED for a tensor that cannot be cut into parts, and where there is no safetensors file.
 */
CORAS_MUST_CHECK int coras_choose_tensors(coras_model *m, coras_run *run,
                                          const coras_tensor_choice *choice,
                                          coras_chosen_files *ret, coras_error **err);

#endif
