/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One OCI layout that is served in place. What it holds is looked at when it is asked for: another
 * index.json is seen by the next request. A layout may be half copied or damaged: what is there is
 * served, the rest is unknown, is told in the log once, and is looked for again.
 */
#ifndef SERVE_LAYOUTS_LAYOUT_H
#define SERVE_LAYOUTS_LAYOUT_H

#include "layout/layout.h"
#include "serve/storage/metadata.h"

struct serve_layouts;

typedef struct serve_layout {
    struct serve_layouts *table; /* const */
    char *name;                  /* const: of its repository */
    struct coras_layout *layout; /* const */
    dev_t device;                /* const: which directory it is */
    ino_t inode;
    unsigned users;   /* the table's lock */
    int64_t used_ms;  /* the table's lock */
    bool is_detached; /* the table's lock: another directory has its name, or none */
    pthread_mutex_t lock;
    /* lock */
    coras_layout_graph *graph; /* NULL: not looked at */
    uint64_t graph_age;        /* index_age that it is of */
    bool is_whole;             /* every manifest was there */
    int64_t look_again_ms;     /* when it was not whole, or could not be read at all */
    char *trouble;             /* what was told of it last; NULL: nothing wrong */
    bool is_unreadable;        /* `trouble` is why */
} serve_layout;

/* Takes `*dirfd`. NOT_FOUND: no layout there; CONFIG: of another version. */
CORAS_MUST_CHECK int serve_layout_new(struct serve_layouts *table, const char *name, int *dirfd,
                                      serve_layout **ret, coras_error **err);
void serve_layout_free(serve_layout *s);

/*
 * What is asked of it. CONFIG, of all of these: its index.json cannot be read.
 */

/* The manifest of a tag, with its media type. NOT_FOUND. */
CORAS_MUST_CHECK int serve_layout_find_tag(serve_layout *s, const char *tag, coras_descriptor *ret,
                                           coras_error **err);
/* A manifest that index.json leads to. NOT_FOUND. */
CORAS_MUST_CHECK int serve_layout_find_manifest(serve_layout *s, const coras_digest *digest,
                                                coras_descriptor *ret, coras_error **err);
/* The size of content that index.json leads to; `any`: or that just lies there. NOT_FOUND. */
CORAS_MUST_CHECK int serve_layout_find_blob(serve_layout *s, const coras_digest *digest, bool any,
                                            int64_t *ret_size, coras_error **err);
/* Its bytes, verified. NOT_FOUND, told in the log, when they are not there or not right. */
CORAS_MUST_CHECK int serve_layout_read_manifest(serve_layout *s, const coras_descriptor *desc,
                                                bool with_content,
                                                struct serve_stored_manifest *ret,
                                                coras_error **err);
/* Names that are tags, sorted. */
CORAS_MUST_CHECK int serve_layout_tags(serve_layout *s, coras_strlist *ret, coras_error **err);
/* By digest, sorted, of all types. */
CORAS_MUST_CHECK int serve_layout_referrers(serve_layout *s, const coras_digest *subject,
                                            coras_descriptors *ret, coras_error **err);

#endif
