/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of OCI layouts, each served in place as the repository of its path. Nothing is
 * imported or copied, and nothing is remembered about it: a layout that appears, changes or goes is
 * seen by the next request.
 *
 * Threads: everything may be called from any thread. Locks are taken in the order table, layout,
 * coras_layout.
 */
#ifndef SERVE_LAYOUTS_LAYOUTS_H
#define SERVE_LAYOUTS_LAYOUTS_H

#include "base/map.h"
#include "serve/layouts/layout.h"
#include "serve/storage/content.h"

/* The name is in layout.h. */
struct serve_layouts {
    serve_content content; /* first: it is one */
    int dirfd;             /* const */
    bool takes_new;        /* const: a push to a name that is not there makes a layout */
    pthread_mutex_t lock;
    coras_map *open; /* lock: name to serve_layout; the most of them are unused */
    /* walk_lock, which is taken alone */
    pthread_mutex_t walk_lock;
    coras_strlist names; /* of the last walk */
    bool walked;
    int64_t walked_ms;
    coras_map *told; /* directories that the log has heard of */
};
typedef struct serve_layouts serve_layouts;

struct serve_layouts_options {
    const char *path;
    bool writable;  /* pushes into them are allowed */
    bool takes_new; /* and make new ones */
};
/* CONFIG: the directory is a layout itself. */
CORAS_MUST_CHECK int serve_layouts_open(const struct serve_layouts_options *options,
                                        serve_layouts **ret, coras_error **err);
void serve_layouts_close(serve_layouts *t);
CORAS_DEFINE_AUTO(serve_layouts, serve_layouts_close)

/* The layout of a repository, to be given back. NOT_FOUND; CONFIG: of an unknown version. */
CORAS_MUST_CHECK int serve_layouts_acquire(serve_layouts *t, const char *name, serve_layout **ret,
                                           coras_error **err);
void serve_layouts_release(serve_layout *s);
CORAS_DEFINE_AUTO(serve_layout, serve_layouts_release)
/* The same; made when there is none. */
CORAS_MUST_CHECK int serve_layouts_make(serve_layouts *t, const char *name, serve_layout **ret,
                                        coras_error **err);
/* Whether the repository is one of these. */
bool serve_layouts_have(serve_layouts *t, const char *name);

/* walk.c */

/* The repositories below the directory, sorted, as of a moment ago. What is no layout or has no
 * name for a repository is told in the log, once. */
CORAS_MUST_CHECK int serve_layouts_list(serve_layouts *t, coras_strlist *ret, coras_error **err);

/* changes.c: the verbs that change something */

int serve_layouts_take_upload(serve_content *c, serve_sessions *sessions, serve_session **s,
                              const coras_digest *digest, coras_error **err);
int serve_layouts_mount_blob(serve_content *c, const char *from, const char *repository,
                             const coras_digest *digest, coras_error **err);
int serve_layouts_unlink_blob(serve_content *c, const char *repository, const coras_digest *digest,
                              coras_error **err);
int serve_layouts_put_manifest(serve_content *c, const struct serve_manifest_put *put,
                               coras_digest *ret_missing, coras_error **err);
int serve_layouts_delete_manifest(serve_content *c, const char *repository,
                                  const coras_digest *digest, coras_error **err);
int serve_layouts_delete_tag(serve_content *c, const char *repository, const char *tag,
                             coras_error **err);

#endif
