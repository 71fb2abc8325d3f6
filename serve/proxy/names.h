/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: from what a client asks for to where it is: which upstream, which repository there, and
 * under which name it is kept here. Pure.
 *
 * The same repository name at two registries is two repositories. Whoever asks with `?ns=NAME`, as
 * containerd does, or with NAME as the first component, as podman and docker can, means the one of
 * that registry; both ways share what is kept here, under NAME/repository. A registry that we do
 * not know is not answered for, so that the client asks it itself.
 */
#ifndef SERVE_PROXY_NAMES_H
#define SERVE_PROXY_NAMES_H

#include "serve/http/uri.h"
#include "serve/proxy/upstream.h"

typedef struct serve_place {
    serve_upstream *upstream; /* borrowed; NULL: what is here is all there is */
    char *local;              /* the repository's name here */
    char *remote;             /* its name at the upstream; NULL without one */
    char *via;                /* the ways of the request, us included; NULL without an upstream */
    bool was_asked;           /* the upstream, for this request */
    bool is_named;            /* the upstream was asked for by its name: nothing is pushed there */
} serve_place;

enum serve_place_verdict {
    SERVE_PLACE_OK,
    SERVE_PLACE_UNKNOWN,  /* of a registry that is not ours to answer for */
    SERVE_PLACE_BAD_NAME, /* no name of a repository */
    SERVE_PLACE_NO_MEMORY
};

/* `repository` as in the path; its first component may be host:port when it is the name of an
 * upstream. *ret is set when the verdict is OK. */
enum serve_place_verdict serve_place_find(const serve_upstreams *upstreams, const char *repository,
                                          const struct serve_query *query, serve_place *ret);
/* Its repository at the upstream as a target: see serve_upstream_target(). */
CORAS_MUST_CHECK int serve_place_target(const serve_place *place, coras_target **ret,
                                        coras_error **err);
void serve_place_clear(serve_place *place);
CORAS_DEFINE_AUTO_VALUE(serve_place, serve_place_clear)

#endif
