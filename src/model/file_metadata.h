/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a packer recorded of a file beside its content: mode, time, size. Spec: model-spec,
 * "Annotations", `org.cncf.model.file.metadata+json`.
 */
#ifndef CORAS_MODEL_FILE_METADATA_H
#define CORAS_MODEL_FILE_METADATA_H

#include <sys/types.h>
#include <time.h>

#include "base/common.h"

struct coras_file_metadata {
    bool has_mode, has_mtime;
    mode_t mode; /* & 0777 */
    struct timespec mtime;
    int64_t size;     /* -1: not said */
    bool is_odd_type; /* it says that it was no regular file */
};

/*
 * Read the annotation's value. What is absent or makes no sense is left out: *ret_problem is then
 * what, in a few words, else NULL. NO_MEMORY is the only failure.
 */
CORAS_MUST_CHECK int coras_file_metadata_read(const char *text, struct coras_file_metadata *ret,
                                              const char **ret_problem, coras_error **err);

#endif
