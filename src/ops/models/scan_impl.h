/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of scanning a model: scan.c goes from file to file, scan_part.c reads, and
 * each kind of content has a file of its own.
 */
#ifndef CORAS_OPS_MODELS_SCAN_IMPL_H
#define CORAS_OPS_MODELS_SCAN_IMPL_H

#include "base/limits.h"
#include "model/scan_kind.h"
#include "model/zip.h"
#include "ops/models/view.h"
#include "coras/model_scan.h"

/* So much of the beginning is read at once: what most headers fit in. */
#define CORAS_SCAN_HEAD (64 * CORAS_KIB)

/* Of a model, and of each of its files while they are scanned side by side. */
typedef struct coras_scan {
    coras_model *model;
    coras_scan_result result;
    coras_strlist loaded_code; /* names of code files that a configuration names */
} coras_scan;

/* Content within a file: all of it, or what a member of an archive holds. */
typedef struct coras_scan_part {
    size_t file;        /* index in the model */
    const char *name;   /* path of the file, or the member's name: a stranger's bytes */
    bool is_member;     /* of an archive in the file */
    int depth;          /* in how many archives it lies */
    int64_t at, size;   /* bytes of the file */
    bool is_deflated;   /* they are to be inflated */
    int64_t plain_size; /* to so many */
} coras_scan_part;

/* ---- results: scan_result.c ---- */

/* A finding in a part; `offset` from its first byte. */
CORAS_MUST_CHECK int coras_scan_find(coras_scan *s, const coras_scan_part *part, int64_t offset,
                                     const char *kind, enum coras_severity severity,
                                     coras_error **err, const char *fmt, ...) CORAS_PRINTF(7, 8);
/* About what is no file of the model; `detail` is escaped. */
CORAS_MUST_CHECK int coras_scan_find_at(coras_scan *s, const char *file, const char *kind,
                                        enum coras_severity severity, const char *detail,
                                        coras_error **err);
/* Each file once; the first reason stays. */
CORAS_MUST_CHECK int coras_scan_looked(coras_scan *s, const coras_scan_part *part,
                                       coras_error **err);
CORAS_MUST_CHECK int coras_scan_not_looked(coras_scan *s, const coras_scan_part *part,
                                           const char *why, coras_error **err);
CORAS_MUST_CHECK int coras_scan_not_looked_at(coras_scan *s, const char *file, const char *why,
                                              coras_error **err);
/*
 * Whether a failure is the content's own, so that the scan goes on: *err is then a note on the part
 * and cleared. Everything else (the network, memory, cancelling) ends the scan.
 */
CORAS_MUST_CHECK int coras_scan_forgive(coras_scan *s, const coras_scan_part *part, int rc,
                                        coras_error **failure, coras_error **err);

/* ---- bytes: scan_part.c ---- */

coras_scan_part coras_scan_whole(const coras_scan *s, size_t file);
/* The first bytes of a part, as they are when inflated. */
CORAS_MUST_CHECK int coras_scan_head(coras_scan *s, const coras_scan_part *part, size_t limit,
                                     coras_buf *ret, coras_error **err);
/* From a byte to the end; at most `limit` bytes of it (-1: all). `head` are its first bytes, which
 * are not read again. */
CORAS_MUST_CHECK int coras_scan_stream(coras_scan *s, const coras_scan_part *part,
                                       const coras_buf *head, int64_t from, int64_t limit,
                                       const coras_sink *sink, coras_error **err);

/* Bytes [offset, offset + length) of a part that is not deflated. */
CORAS_MUST_CHECK int coras_scan_range(coras_scan *s, const coras_scan_part *part, int64_t offset,
                                      int64_t length, const coras_sink *sink, coras_error **err);
/* A member of an archive that is a part itself. *ret is false, with a finding, where it lies too
 * deep or cannot be reached by ranges. */
CORAS_MUST_CHECK int coras_scan_may_open(coras_scan *s, const coras_scan_part *part, bool *ret,
                                         coras_error **err);

/* ---- kinds of content; each notes what it has looked at ---- */

/* Any content, by its bytes. */
CORAS_MUST_CHECK int coras_scan_content(coras_scan *s, const coras_scan_part *part,
                                        coras_error **err);
/* A pickle from byte `from` on. */
CORAS_MUST_CHECK int coras_scan_pickle(coras_scan *s, const coras_scan_part *part,
                                       const coras_buf *head, int64_t from, coras_error **err);
/* Whether bytes without a sign of their own are a pickle all the same. `is_all`: nothing follows
 * them; `is_expected`: the name says so. */
CORAS_MUST_CHECK int coras_scan_is_pickle(const coras_buf *head, bool is_all, bool is_expected,
                                          bool *ret, coras_error **err);
/* A pickle in a compressed stream. */
CORAS_MUST_CHECK int coras_scan_inflated(coras_scan *s, const coras_scan_part *part,
                                         const coras_buf *head, bool is_gzip, coras_error **err);
CORAS_MUST_CHECK int coras_scan_zip(coras_scan *s, const coras_scan_part *part,
                                    const coras_buf *head, coras_error **err);
CORAS_MUST_CHECK int coras_scan_tar(coras_scan *s, const coras_scan_part *part, coras_error **err);
CORAS_MUST_CHECK int coras_scan_npy(coras_scan *s, const coras_scan_part *part,
                                    const coras_buf *head, coras_error **err);
/* Formats in which names of operations and files are searched for: HDF5, ONNX, TensorFlow. */
CORAS_MUST_CHECK int coras_scan_search(coras_scan *s, const coras_scan_part *part,
                                       const coras_buf *head, enum coras_scan_kind kind,
                                       coras_error **err);
CORAS_MUST_CHECK int coras_scan_gguf(coras_scan *s, const coras_scan_part *part,
                                     const coras_buf *head, coras_error **err);
CORAS_MUST_CHECK int coras_scan_safetensors(coras_scan *s, const coras_scan_part *part,
                                            const coras_buf *head, coras_error **err);
/* Text: templates, configurations, source. */
CORAS_MUST_CHECK int coras_scan_text(coras_scan *s, const coras_scan_part *part,
                                     const coras_buf *head, coras_error **err);
CORAS_MUST_CHECK int coras_scan_template(coras_scan *s, const coras_scan_part *part, int64_t offset,
                                         const char *what, coras_str text, coras_error **err);

#endif
