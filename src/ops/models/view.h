/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model as a list of files that can be read in part, wherever it lies: in a registry, in an OCI
 * layout, in a local directory. The public way in is coras_model_open() (coras/model.h); this
 * header is for the operations on models.
 *
 * Where a package keeps files in tar archives, their members are the files. Of an archive that is
 * not compressed the headers are read by ranges; a compressed one is streamed, once to list it and
 * again up to the end of what is read.
 */
#ifndef CORAS_OPS_MODELS_VIEW_H
#define CORAS_OPS_MODELS_VIEW_H

#include <stdatomic.h>

#include "base/stream.h"
#include "coras/model.h"
#include "model/package.h"
#include "transfer/run.h"

/* One file. */
typedef struct coras_model_file {
    char *path;   /* owned; cleaned: relative, no ".." */
    int64_t size; /* bytes */
    /* The layer that holds it; borrowed from the manifest; NULL: a local file. */
    const coras_descriptor *blob;
    bool is_blob;   /* the file is the layer, byte for byte: its digest is known */
    int64_t offset; /* of its first byte in the (decompressed) layer */
    enum coras_compression compression; /* of the layer; NONE: it can be read by ranges */
    bool has_mode, has_mtime;           /* recorded by the package */
    mode_t mode;
    struct timespec mtime;
} coras_model_file;

/* A name that leads out of the model, or a link that does; such are no files. Bytes of a stranger.
 */
typedef struct coras_model_stray {
    char *path; /* owned */
    char *link; /* where it leads, owned; NULL: the name itself leads out */
} coras_model_stray;

typedef struct coras_model_files {
    coras_model_file *items;
    size_t len, cap;
    struct {
        coras_model_stray *items;
        size_t len, cap;
    } strays; /* CORAS_LIMIT_MODEL_WARNINGS of them at most */
} coras_model_files;
/* `link` may be NULL. */
CORAS_MUST_CHECK int coras_model_add_stray(coras_model_files *l, const char *path, const char *link,
                                           coras_error **err);
void coras_model_file_clear(coras_model_file *f);
void coras_model_files_clear(coras_model_files *l);
CORAS_DEFINE_AUTO_VALUE(coras_model_files, coras_model_files_clear)

/* Everything but what is said otherwise is const after opening, so that several threads may read.
 */
struct coras_model {
    coras_target *target; /* borrowed; NULL: local files */
    int rootfd;           /* of local files; else -1 */
    coras_run_options run;
    char *reference; /* as it was asked for, or the path */
    /* of a package */
    coras_descriptor desc; /* of its manifest */
    coras_manifest manifest;
    coras_buf config; /* its bytes; empty: not fetched */
    coras_package package;
    coras_model_files files; /* in the order of the package; a directory's sorted by path */
    coras_strlist warnings;  /* escaped */
    atomic_bool whole_only;  /* any thread: the registry has ignored a range */
};

CORAS_DEFINE_AUTO(coras_model, coras_model_free)

/* Whether the file is a layer whose media type says that it is one file, which nobody has looked at
 * yet. */
bool coras_model_can_expand(const coras_model *m, size_t file);
/* Put their members in the place of such layers that have turned out to be tar archives: a flag for
 * each file. Not while other threads use the model; after a failure it has lost files. */
CORAS_MUST_CHECK int coras_model_expand(coras_model *m, const bool *is_archive, coras_error **err);

/* Fetch the config of the package, verified, unless that has been done; an absent or empty one
 * stays empty. Not while other threads use the model. */
CORAS_MUST_CHECK int coras_model_fetch_config(coras_model *m, coras_error **err);

/*
 * Bytes [offset, offset + length) of a file into a sink that may stop early; length -1: the rest.
 * NOT verified. A registry that serves whole files only gives beginnings of bearable length: they
 * are read from the start, and the connection is closed where enough has come.
 */
CORAS_MUST_CHECK int coras_model_stream(coras_model *m, size_t file, int64_t offset, int64_t length,
                                        const coras_sink *sink, coras_error **err);
/* The same into memory. */
CORAS_MUST_CHECK int coras_model_read(coras_model *m, size_t file, int64_t offset, size_t length,
                                      void *buffer, coras_error **err);
/*
 * A small file as a whole; TOO_LARGE above `limit`. Verified where the package has a digest of it,
 * which `*ret_verified` (may be NULL) tells.
 */
CORAS_MUST_CHECK int coras_model_document(coras_model *m, size_t file, size_t limit, coras_buf *ret,
                                          bool *ret_verified, coras_error **err);

#endif
