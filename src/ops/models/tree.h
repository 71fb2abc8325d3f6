/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model's directory in the cache: which files are in it, what an engine is to open, and a record
 * of both by which the directory is known again without reading it.
 */
#ifndef CORAS_OPS_MODELS_TREE_H
#define CORAS_OPS_MODELS_TREE_H

#include <sys/stat.h>

#include "base/buf.h"

typedef struct coras_tree_file {
    char *path; /* below the directory */
    int64_t size;
    int64_t mtime_s, mtime_ns;
    struct stat st; /* not in a record */
} coras_tree_file;

typedef struct coras_model_tree {
    struct {
        coras_tree_file *items;
        size_t len, cap;
    } files; /* regular ones, in the order of their paths */
    /* What an engine opens: */
    const char *format; /* "safetensors", "gguf"; static; NULL: not known yet */
    char *path;         /* below the directory; "" is the directory */
    char *remark;       /* for people; or NULL */
} coras_model_tree;
void coras_model_tree_clear(coras_model_tree *tree);
CORAS_DEFINE_AUTO_VALUE(coras_model_tree, coras_model_tree_clear)

/* Look at the files below an open directory. UNSUPPORTED for what is neither file nor directory. */
CORAS_MUST_CHECK int coras_model_tree_read(int dirfd, coras_model_tree *ret, coras_error **err);

/* Decide what an engine opens, by content. UNSUPPORTED, with what is there, when there is no model.
 */
CORAS_MUST_CHECK int coras_model_tree_choose(int dirfd, coras_model_tree *tree, coras_error **err);

CORAS_MUST_CHECK int coras_model_tree_write_record(const coras_model_tree *tree, coras_buf *ret,
                                                   coras_error **err);
/* False for what is no record of ours. */
bool coras_model_tree_read_record(const char *text, size_t len, coras_model_tree *ret);

/* Whether the directory holds exactly the files of the record, with their sizes and times. */
bool coras_model_tree_is_intact(int dirfd, const coras_model_tree *recorded);

#endif
