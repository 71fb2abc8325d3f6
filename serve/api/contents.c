/* SPDX-License-Identifier: Apache-2.0 */
/* Which place keeps a repository, and the list of all. */
#include "serve/api/contents.h"

#include <stdlib.h>
#include "base/error.h"
#include "serve/layouts/layouts.h"

void serve_exchange_find_content(struct serve_exchange *x)
{
    serve_layouts *layouts = x->registry->layouts;

    if (!layouts || !x->route.repository)
        return;
    if (serve_layouts_have(layouts, x->route.repository) ||
        (layouts->takes_new && !x->place.upstream)) {
        x->content = &layouts->content;
        x->place.upstream = NULL;
    }
}

serve_content *serve_content_of(struct serve_registry *r, const char *repository)
{
    if (r->layouts && serve_layouts_have(r->layouts, repository))
        return &r->layouts->content;
    return &r->own.content;
}

/* Keep the first `limit` of a sorted list in which a name may stand twice. */
static void cut(coras_strlist *names, int64_t limit, bool *ret_more)
{
    size_t kept = 0;

    for (size_t i = 0; i < names->len; i++) {
        bool again = kept > 0 && coras_streq(names->items[i], names->items[kept - 1]);
        bool beyond = !again && (int64_t)kept >= limit;
        *ret_more = *ret_more || beyond;
        if (again || beyond)
            free(names->items[i]);
        else
            names->items[kept++] = names->items[i];
    }
    names->len = kept;
}

int serve_contents_repositories(struct serve_registry *r, const char *last, int64_t limit,
                                coras_strlist *ret, bool *ret_more, coras_error **err)
{
    serve_content *own = &r->own.content;
    serve_content *layouts = r->layouts ? &r->layouts->content : NULL;
    bool more = false;

    CORAS_TRY(own->ops->repositories(own, last, limit, ret, ret_more, err));
    if (!layouts)
        return 0;
    CORAS_TRY(layouts->ops->repositories(layouts, last, limit, ret, &more, err));
    *ret_more = *ret_more || more;
    coras_strlist_sort(ret);
    cut(ret, limit, ret_more);
    return 0;
}
