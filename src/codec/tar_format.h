/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the fields of a tar header lie: shared by tar_write.c and tar_read.c only.
 */
#ifndef CORAS_CODEC_TAR_FORMAT_H
#define CORAS_CODEC_TAR_FORMAT_H

#include "codec/tar.h"

struct coras_tar_field {
    size_t offset, size;
};

#define TAR_NAME      ((struct coras_tar_field){0, 100})
#define TAR_MODE      ((struct coras_tar_field){100, 8})
#define TAR_UID       ((struct coras_tar_field){108, 8})
#define TAR_GID       ((struct coras_tar_field){116, 8})
#define TAR_SIZE      ((struct coras_tar_field){124, 12})
#define TAR_MTIME     ((struct coras_tar_field){136, 12})
#define TAR_CHECKSUM  ((struct coras_tar_field){148, 8})
#define TAR_TYPE      156
#define TAR_LINK      ((struct coras_tar_field){157, 100})
#define TAR_MAGIC     257 /* "ustar\0" "00", or GNU's "ustar  \0" */
#define TAR_DEV_MAJOR ((struct coras_tar_field){329, 8})
#define TAR_DEV_MINOR ((struct coras_tar_field){337, 8})
#define TAR_PREFIX    ((struct coras_tar_field){345, 155})

/* Typeflags that describe the entry after them. */
#define TAR_TYPE_PAX        'x'
#define TAR_TYPE_PAX_GLOBAL 'g'
#define TAR_TYPE_GNU_NAME   'L'
#define TAR_TYPE_GNU_LINK   'K'
#define TAR_TYPE_GNU_SPARSE 'S'

#define TAR_SIZE_OCTAL_MAX INT64_C(077777777777) /* 8 GiB - 1 */

#endif
