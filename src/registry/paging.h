/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists that come in pages: follows the links of a registry, which are held to its own origin,
 * never the same one twice, and bounded in number and in bytes.
 */
#ifndef CORAS_REGISTRY_PAGING_H
#define CORAS_REGISTRY_PAGING_H

#include "client/client.h"
#include "registry/manner.h"

typedef struct coras_pages {
    coras_client *client;
    const char *registry;
    const char *base_url;
    const char *const *scopes;
    const coras_header *headers;
    size_t header_count;
    bool no_foreign_redirect;
    const coras_registry_manner *manner; /* or NULL */
    const int *allowed; /* statuses of the first page that `page` wants to see; or NULL */
    /* One page: 0 to go on, 1 to stop, or a negative code with *err set. */
    int (*page)(void *user, const coras_response *resp, coras_error **err);
    void *user;
} coras_pages;

/* From `url` on. TOO_LARGE for a list beyond CORAS_LIMIT_LIST_BYTES, PROTOCOL for a link that was
 * there before or too many pages, UNTRUSTED_ORIGIN for one to another origin. */
CORAS_MUST_CHECK int coras_pages_walk(const coras_pages *p, const char *url, coras_error **err);

#endif
