/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Model packages: which tool wrote a manifest, and which files its layers stand for. Every word of
 * a manifest is a stranger's: paths are checked here, forms and kinds in media types are claims
 * that the content may refute.
 */
#ifndef CORAS_MODEL_PACKAGE_H
#define CORAS_MODEL_PACKAGE_H

#include <sys/types.h>
#include <time.h>

#include "codec/decompress.h"
#include "oci/manifest.h"

enum coras_package_kind {
    CORAS_PACKAGE_ORAS, /* titles */
    CORAS_PACKAGE_MODELPACK,
    CORAS_PACKAGE_DOCKER,
    CORAS_PACKAGE_OLLAMA,
    CORAS_PACKAGE_KITOPS,
    CORAS_PACKAGE_MODELCAR, /* an image with files below /models/ */
    CORAS_PACKAGE_FILES,    /* no manifest: a local directory or file */
};
/* "oras", "modelpack", ... */
const char *coras_package_name(enum coras_package_kind kind);
/* By the first sign that fits. Not for an index: one of its manifests is to be picked before. */
enum coras_package_kind coras_package_kind_of(const coras_manifest *m);

enum coras_layer_form { CORAS_LAYER_RAW, CORAS_LAYER_TAR };

/* One layer that becomes something. */
typedef struct coras_package_entry {
    const coras_descriptor *desc; /* borrowed from the manifest */
    enum coras_layer_form form;
    enum coras_compression compression;
    bool is_claim; /* the form is the media type's word: the content decides */
    /* RAW: where the file goes, cleaned and checked. TAR: the directory below which the members go;
     * "" is the root. */
    char *path;
    char *file_path;   /* TAR: where it goes if it turns out to be one file; or NULL */
    const char *strip; /* TAR of images: only members below it, without it; else NULL */
    bool has_prefix;   /* TAR: the names of the members begin with `path` */
    bool has_mode;
    mode_t mode; /* as recorded, & 0777 */
    bool has_mtime;
    struct timespec mtime;
    int64_t plain_size; /* of the uncompressed content where the package says it; else -1 */
    bool has_diff_id;
    coras_digest diff_id; /* of the uncompressed content */
} coras_package_entry;

typedef struct coras_package {
    enum coras_package_kind kind;
    struct {
        coras_package_entry *items;
        size_t len, cap;
    } entries; /* in the order of the layers; of images from the lowest */
    struct {
        const coras_descriptor **items;
        size_t len, cap;
    } unplaced;             /* layers that should become files and name none; borrowed */
    coras_strlist warnings; /* escaped */
    char *elsewhere;        /* the weights are not here but on this host (escaped); or NULL */
} coras_package;
void coras_package_clear(coras_package *p);
CORAS_DEFINE_AUTO_VALUE(coras_package, coras_package_clear)

/*
 * What a manifest (no index) stands for. `config` is the content of its config, or NULL when it was
 * not fetched: then what only the config says is unknown. `ret` borrows from `m`.
 *
 * UNSAFE_PATH: a path that leads out, is no path, or lies in another layer's file, or two that
 * differ in the case of letters only. EXISTS: two layers of one path. INVALID_MANIFEST: an index.
 */
CORAS_MUST_CHECK int coras_package_read(const coras_manifest *m, const void *config,
                                        size_t config_len, coras_package *ret, coras_error **err);

/* Whether the config says something that laying the files down needs. */
bool coras_package_needs_config(const coras_manifest *m);

#endif
