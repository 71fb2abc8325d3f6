/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of the user's as the files of a model: which of them belong to it, opened once and
 * for all, so that what is looked at is what is sent.
 */
#ifndef CORAS_OPS_MODELS_DIR_H
#define CORAS_OPS_MODELS_DIR_H

#include "base/cancel.h"
#include "base/fs.h"
#include "coras/digest.h"
#include "ops/select.h"

struct coras_model_dir_file {
    char *path; /* below the directory, "/" between */
    int fd;     /* owned; a regular file, open for reading */
    int64_t size;
    bool has_expected; /* its name in a hub cache is its digest */
    coras_digest expected;
};

typedef struct coras_model_dir {
    struct {
        struct coras_model_dir_file *items;
        size_t len, cap;
    } files;                /* those nearest the root first, in the order of their names */
    coras_strlist left_out; /* what never belongs to a model, escaped; directories end in "/" */
    char *hub_repository;   /* the directory is a snapshot in this directory of a hub cache */
    char *hub_revision;     /* that snapshot's name; both or none */
} coras_model_dir;
void coras_model_dir_clear(coras_model_dir *dir);
CORAS_DEFINE_AUTO_VALUE(coras_model_dir, coras_model_dir_clear)

/*
 * Read a directory, or take one file as a model. `selection` (checked before; NULL takes
 * everything) says which files are wanted: others are not even opened.
 *
 * Left out: hidden files, what clients leave of downloads under way (`*.incomplete`, `*.lock`), and
 * Python's byte code. Links are followed to files of the directory, and from a snapshot in a hub
 * cache to its blobs.
 *
 * UNSAFE_PATH: another link; two names that differ in the case of letters only; a name that is no
 * text. INVALID_ARGUMENT: something that is neither file nor directory; a link to a directory; no
 * file at all.
 */
CORAS_MUST_CHECK int coras_model_dir_read(const char *path, const coras_selection *selection,
                                          const coras_cancel *cancel, coras_model_dir *ret,
                                          coras_error **err);

#endif
