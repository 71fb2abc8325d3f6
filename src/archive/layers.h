/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several archives that make one directory together: the tars of a model package, or the layers of
 * an image, of which a part is wanted. The tree grows in a private directory; the target changes
 * only after all of them were read and verified.
 */
#ifndef CORAS_ARCHIVE_LAYERS_H
#define CORAS_ARCHIVE_LAYERS_H

#include "base/cancel.h"
#include "base/str.h"
#include "codec/decompress.h"
#include "coras/digest.h"

typedef struct coras_layers coras_layers;

struct coras_layer_input {
    int fd; /* the archive, bytes [0, size) */
    int64_t size;
    enum coras_compression compression;
    const coras_digest *tar_digest; /* of the uncompressed bytes; NULL: not checked */
    const char *below; /* the members go below this directory, a clean path; "": the root */
    /* A layer of an image: only what is below this directory of it counts ("models/"), without it;
     * whiteouts take away what layers before have made, and files replace theirs. NULL: none, and
     * two files of one name are refused. */
    const char *strip;
    coras_cancel *cancel;
    bool (*takes)(void *user, const char *path); /* whether a member is wanted; NULL: all are */
    void *user;
};

/* `stage_dirfd` is borrowed, on the file system of the target; `target_path` is for messages, and
 * borrowed too. */
CORAS_MUST_CHECK int coras_layers_new(int stage_dirfd, const char *target_path, coras_layers **ret,
                                      coras_error **err);
/* UNSAFE_ARCHIVE, EXISTS, DIGEST_MISMATCH, TOO_LARGE, NO_SPACE, IO. */
CORAS_MUST_CHECK int coras_layers_add(coras_layers *l, const struct coras_layer_input *input,
                                      coras_error **err);
/* After the last: symbolic links become names of the files that they lead to; those that lead to
 * none are dropped. Links that lead out were refused. */
CORAS_MUST_CHECK int coras_layers_complete(coras_layers *l, coras_error **err);

/* The tree: borrowed. */
int coras_layers_root(const coras_layers *l);
/* Whether a file was made; and what there was beside what was wanted, the first few names. */
bool coras_layers_has_files(const coras_layers *l);
const coras_strlist *coras_layers_others(const coras_layers *l);

/* Move everything into an open directory: conflicts are looked for first. */
CORAS_MUST_CHECK int coras_layers_publish(coras_layers *l, int to_fd, bool no_sync,
                                          coras_error **err);
/* Takes away what was not published. */
void coras_layers_free(coras_layers *l);
CORAS_DEFINE_AUTO(coras_layers, coras_layers_free)

#endif
