/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows a list from page to page, within the bounds that paging.h promises.
 */
#include "registry/paging.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/map.h"
#include "registry/link_header.h"
#include "registry/url_policy.h"

static int link_fail(int code, coras_str link, const char *why, const char *url, coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;

    coras_escape(&shown, link.ptr, link.len, CORAS_LIMIT_ERROR_TEXT);
    return coras_fail(err, code, "invalid next link \"%s\": %s \"%s\"", shown.ptr, why, url);
}

/* 1: *ret is the next page; 0: there is none. */
static int next_url(const coras_pages *p, const char *url, const coras_response *resp, char **ret,
                    coras_error **err)
{
    coras_auto_free char *ref = NULL;
    coras_auto_free char *next = NULL;
    const char *header;
    coras_str link = {NULL, 0};
    bool own;

    for (size_t i = 0; !link.ptr && (header = coras_response_header_at(resp, "Link", i)); i++)
        (void)coras_link_next(header, &link); /* untouched when there is none */
    if (!link.ptr || !link.len)
        return 0;
    ref = coras_strndup(link.ptr, link.len);
    if (!ref)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_location_resolve(p->base_url, coras_response_url(resp), ref, &next, &own, err));
    if (!own)
        return link_fail(CORAS_ERR_UNTRUSTED_ORIGIN, link, "not the same origin as", url, err);
    *ret = coras_steal(&next);
    return 1;
}

/* A server may invent entries without end, and whoever visits them keeps them. */
static int count_bytes(const coras_response *resp, int64_t *sum, const char *url, coras_error **err)
{
    *sum += (int64_t)coras_response_body(resp).len;
    return *sum <= CORAS_LIMIT_LIST_BYTES
               ? 0
               : coras_fail(err, CORAS_ERR_TOO_LARGE, "the list at \"%s\" has more than %d MiB",
                            url, CORAS_LIMIT_LIST_BYTES / CORAS_MIB);
}

static int walk_one(const coras_pages *p, const char *url, bool first, int64_t *sum,
                    char **ret_next, coras_error **err)
{
    coras_auto(coras_response) resp = NULL;
    coras_request req = {
        .method = "GET",
        .url = url,
        .registry = p->registry,
        .scopes = p->scopes,
        .headers = p->headers,
        .header_count = p->header_count,
        .body_limit = CORAS_LIMIT_MANIFEST,
        .no_foreign_redirect = p->no_foreign_redirect,
        .small = true,
    };

    if (p->manner)
        coras_registry_manner_apply(p->manner, &req);
    CORAS_TRY(coras_client_send(p->client, &req, first ? p->allowed : NULL, &resp, err));
    CORAS_TRY(count_bytes(resp, sum, url, err));
    int rc = p->page(p->user, resp, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    return next_url(p, url, resp, ret_next, err);
}

int coras_pages_walk(const coras_pages *p, const char *first_url, coras_error **err)
{
    static char present;
    coras_auto(coras_map) seen = coras_map_new(NULL);
    coras_auto_free char *url = coras_strdup(first_url);
    int64_t sum = 0;

    if (!seen || !url)
        return coras_fail_no_memory(err);
    for (int pages = 0; pages < CORAS_LIMIT_PAGES; pages++) {
        char *next = NULL;
        CORAS_TRY(coras_map_set(seen, url, &present, err));
        int more = walk_one(p, url, pages == 0, &sum, &next, err);
        if (more <= 0)
            return more;
        free(url);
        url = next;
        if (coras_map_has(seen, url))
            return link_fail(CORAS_ERR_PROTOCOL, coras_str_of(url), "was followed before, from",
                             first_url, err);
    }
    return coras_fail(err, CORAS_ERR_PROTOCOL, "listing exceeded %d pages: too many pages",
                      CORAS_LIMIT_PAGES);
}
