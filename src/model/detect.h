/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file is, by its first bytes. Names and media types are hints; this is what the content
 * says. A kind is a beginning that fits, not a file that is whole.
 */
#ifndef CORAS_MODEL_DETECT_H
#define CORAS_MODEL_DETECT_H

#include "base/common.h"

enum coras_content_kind {
    CORAS_CONTENT_UNKNOWN,
    CORAS_CONTENT_SAFETENSORS,
    CORAS_CONTENT_GGUF,
    CORAS_CONTENT_GGML,         /* GGML, GGMF, GGJT: what was before GGUF */
    CORAS_CONTENT_ZIP,          /* its names say what it is: PyTorch, NumPy, Keras, ... */
    CORAS_CONTENT_TORCH_LEGACY, /* a pickle that torch.save wrote */
    CORAS_CONTENT_PICKLE,
    CORAS_CONTENT_HDF5,
    CORAS_CONTENT_NPY,
    CORAS_CONTENT_TFLITE,
    CORAS_CONTENT_ONNX,
    CORAS_CONTENT_SAVED_MODEL,
    CORAS_CONTENT_ZLIB,
    CORAS_CONTENT_GZIP,
    CORAS_CONTENT_ZSTD,
    CORAS_CONTENT_BZIP2,
    CORAS_CONTENT_XZ,
    CORAS_CONTENT_PARQUET,
    CORAS_CONTENT_ARROW,
    CORAS_CONTENT_TENSORIZER,
    CORAS_CONTENT_TAR,
    CORAS_CONTENT_EXECUTABLE, /* ELF, PE, Mach-O */
    CORAS_CONTENT_SCRIPT,     /* #! */
    CORAS_CONTENT_JSON,
    CORAS_CONTENT_XML,
};

/* As many first bytes as any kind needs; fewer where the file has fewer. */
#define CORAS_CONTENT_HEAD 264
/* The end of a zip: its last record with the longest comment, and the pointer of a large one. */
#define CORAS_CONTENT_ZIP_TAIL (22 + 65535 + 20)

enum coras_content_kind coras_content_detect(const void *head, size_t len, int64_t file_size);
/* One word: "safetensors", "zip", "unknown". Static. */
const char *coras_content_name(enum coras_content_kind kind);

#endif
