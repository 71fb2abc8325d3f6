/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of lists: what is asked for, and the link to the next one. */
#include "serve/http/paging.h"

#include <inttypes.h>

bool serve_page_parse(const struct serve_query *query, int64_t cap, struct serve_page *ret)
{
    const char *n = serve_query_get(query, "n");
    const char *last = serve_query_get(query, "last");
    int64_t limit = cap;

    if (n && *n) {
        for (const char *c = n; *c; c++) {
            if (!coras_is_digit(*c))
                return false;
        }
        if (!coras_parse_int64(coras_str_of(n), &limit))
            limit = cap; /* more than any number we can hold */
    }
    *ret = (struct serve_page){limit < cap ? limit : cap, last ? last : ""};
    return true;
}

void serve_page_link(coras_buf *out, const char *path, const char *extra, const char *last,
                     int64_t limit)
{
    coras_buf_printf(out, "<%s?", path);
    if (extra && *extra)
        coras_buf_printf(out, "%s&", extra);
    coras_buf_puts(out, "last=");
    serve_uri_encode(out, last);
    coras_buf_printf(out, "&n=%" PRId64 ">; rel=\"next\"", limit);
}
