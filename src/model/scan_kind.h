/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a scan does with a file: by its first bytes, never by its name; and what names promise, to
 * be compared with that.
 */
#ifndef CORAS_MODEL_SCAN_KIND_H
#define CORAS_MODEL_SCAN_KIND_H

#include "base/str.h"

enum coras_scan_kind {
    CORAS_SCAN_OTHER,       /* nothing that is known */
    CORAS_SCAN_TEXT,        /* JSON, templates, documents: no code by itself */
    CORAS_SCAN_SAFETENSORS, /* numbers behind a header */
    CORAS_SCAN_GGUF,
    CORAS_SCAN_INERT, /* data formats without code: images, tables, flat buffers of others */
    CORAS_SCAN_PICKLE,
    CORAS_SCAN_ZIP,
    CORAS_SCAN_NPY,
    CORAS_SCAN_HDF5,
    CORAS_SCAN_ONNX,
    CORAS_SCAN_TENSORFLOW, /* a SavedModel */
    CORAS_SCAN_GZIP,
    CORAS_SCAN_ZLIB,
    CORAS_SCAN_COMPRESSED, /* by what is not inflated here */
    CORAS_SCAN_TAR,
    CORAS_SCAN_EXECUTABLE, /* programs and libraries of any system */
    CORAS_SCAN_SCRIPT,     /* "#!" */
};

/* `size` is that of the whole. */
enum coras_scan_kind coras_scan_kind_of(const void *head, size_t len, int64_t size);
/* For people: "a zip archive". */
const char *coras_scan_kind_text(enum coras_scan_kind kind);

/* What a name promises to hold. */
enum coras_scan_promise {
    CORAS_PROMISE_NOTHING,
    CORAS_PROMISE_SAFETENSORS,
    CORAS_PROMISE_GGUF,
    CORAS_PROMISE_DATA,   /* a document, an image, a table: no code */
    CORAS_PROMISE_PICKLE, /* what loaders of pickles open */
    CORAS_PROMISE_CODE,   /* source text */
};
enum coras_scan_promise coras_scan_promise_of(const char *name);
/* Whether a name ends in this, in letters of any case: ".py". */
bool coras_scan_has_suffix(const char *name, const char *suffix);
/* Whether a path leads out of the directory that it is read from, on any system. */
bool coras_scan_leaves(const char *path);
/* The last component. */
const char *coras_scan_base_name(const char *path);

#endif
