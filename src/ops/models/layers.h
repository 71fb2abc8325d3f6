/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the layers of a package to the list of its files. For open.c only.
 */
#ifndef CORAS_OPS_MODELS_LAYERS_H
#define CORAS_OPS_MODELS_LAYERS_H

#include "ops/models/view.h"

/* List the files of m->package: archives are opened, images merged. */
CORAS_MUST_CHECK int coras_model_list_layers(coras_model *m, coras_error **err);

/* The files that one layer holds (tar.c). Whiteouts of images are files of their own names
 * here. `warnings` gets what was left out. */
CORAS_MUST_CHECK int coras_model_list_tar(coras_model *m, const coras_package_entry *entry,
                                          coras_model_files *ret, coras_strlist *warnings,
                                          coras_error **err);
/* A file that is its layer, or what the layer holds compressed. */
CORAS_MUST_CHECK int coras_model_add_raw(coras_model_files *files, const coras_package_entry *entry,
                                         const char *path, coras_error **err);

/* The files below a local directory, or one file (local.c). */
CORAS_MUST_CHECK int coras_model_list_local(coras_model *m, const char *path, coras_error **err);
/* Open one of them. */
CORAS_MUST_CHECK int coras_model_open_local(const coras_model *m, const coras_model_file *f,
                                            int *ret_fd, coras_error **err);

#endif
