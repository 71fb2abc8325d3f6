/* SPDX-License-Identifier: Apache-2.0 */
/* What a manifest names, when it is pushed into a repository that has an upstream. */
#ifndef SERVE_API_CHILDREN_H
#define SERVE_API_CHILDREN_H

#include "oci/manifest.h"
#include "serve/http/exchange.h"

#define SERVE_BROUGHT_AT_ONCE 6

/* What is not here: the next of them. */
struct serve_missing_children {
    struct serve_missing_child {
        coras_digest digest;
        bool is_manifest;
        size_t place; /* among all that the manifest names */
    } items[SERVE_BROUGHT_AT_ONCE];
    size_t len;
};

/* Those after what was brought so far. The manifest, which may be large, can go before they come.
 */
void serve_children_look(struct serve_exchange *x, const coras_manifest *manifest,
                         struct serve_missing_children *ret);
/*
 * Have them brought from the upstream: a client that was told that the upstream has something has
 * not pushed it. false: something is pending, and all of it is to be done again; or, with nothing
 * pending, *ret_missing cannot be brought, whatever the reason: the client can push it.
 */
bool serve_children_bring(struct serve_exchange *x, const struct serve_missing_children *missing,
                          coras_digest *ret_missing);

#endif
