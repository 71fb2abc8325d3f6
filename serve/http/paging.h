/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paging of lists: `n` and `last`, and the `Link` to the next page. Pure.
 * Spec: distribution-spec 1.1, "Listing Tags".
 */
#ifndef SERVE_HTTP_PAGING_H
#define SERVE_HTTP_PAGING_H

#include "serve/http/uri.h"

struct serve_page {
    int64_t limit; /* most entries of this page, <= the cap */
    const char
        *last; /* entries after this one only; "" = from the start. Borrowed from the query */
};

/* false when `n` is no number >= 0. A number above `cap` becomes `cap`. Without `n`: cap. */
bool serve_page_parse(const struct serve_query *query, int64_t cap, struct serve_page *ret);

/*
 * Value of a Link header: <PATH?extra&last=…&n=…>; rel="next". `extra` (may be NULL) is already
 * encoded. The path is relative to the host, so that it holds behind any proxy.
 */
void serve_page_link(coras_buf *out, const char *path, const char *extra, const char *last,
                     int64_t limit);

#endif
