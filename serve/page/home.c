/* SPDX-License-Identifier: Apache-2.0 */
/* The first page: repositories, what the cache holds and what is on its way. */
#include "serve/page/site.h"

#include "base/error.h"
#include "base/str.h"
#include "serve/api/contents.h"
#include "serve/api/errors.h"
#include "serve/api/operations.h"
#include "serve/http/paging.h"
#include "serve/page/html.h"
#include "serve/proxy/fills.h"

#define REPOSITORIES_PER_PAGE 100
#define TAGS_SHOWN            5

bool serve_site_is_wanted(const struct serve_exchange *x)
{
    return serve_list_names(serve_exchange_header(x, "Accept"), "text/html");
}

/* ---- repositories ---- */

static void put_tags(coras_buf *out, const char *name, const coras_strlist *tags, bool more)
{
    for (size_t i = 0; i < tags->len; i++)
        coras_buf_printf(out, "%s<a href=\"/r/%s:%s\">%s</a>", i ? ", " : "", name, tags->items[i],
                         tags->items[i]);
    if (more)
        coras_buf_printf(out, ", <a href=\"/r/%s\">more</a>", name);
}

/* Names and tags are of a grammar that needs no escape. */
static int put_repository(struct serve_exchange *x, const char *name, coras_error **err)
{
    coras_auto_value(coras_strlist) tags = {0};
    serve_content *c = serve_content_of(x->registry, name);
    bool more = false;
    int rc = c->ops->tags(c, name, "", TAGS_SHOWN, &tags, &more, err);

    if (rc < 0 && rc != CORAS_ERR_CONFIG && rc != CORAS_ERR_NOT_FOUND)
        return rc;
    coras_buf_printf(&x->answer.body, "<tr><td><a href=\"/r/%s\">%s</a></td><td>", name, name);
    if (rc < 0)
        coras_buf_puts(&x->answer.body, "cannot be read now");
    coras_error_clear(err);
    put_tags(&x->answer.body, name, &tags, more);
    coras_buf_puts(&x->answer.body, "</td></tr>\n");
    return 0;
}

static int put_repositories(struct serve_exchange *x, coras_error **err)
{
    const char *last = serve_query_get(&x->route.query, "last");
    struct serve_page page = {REPOSITORIES_PER_PAGE, last ? last : ""};
    coras_auto_value(coras_strlist) names = {0};
    coras_buf *out = &x->answer.body;
    bool more = false;

    CORAS_TRY(serve_visible_repositories(x, &page, &names, &more, err));
    coras_buf_puts(out, "<h2>Repositories</h2>\n");
    if (names.len == 0)
        coras_buf_puts(out, "<p>Nothing is here yet.</p>\n");
    else
        coras_buf_puts(out, "<table><thead><tr><th scope=\"col\">Repository</th>"
                            "<th scope=\"col\">Tags</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < names.len; i++)
        CORAS_TRY(put_repository(x, names.items[i], err));
    if (names.len > 0)
        coras_buf_puts(out, "</tbody></table>\n");
    if (more && names.len > 0) {
        coras_buf_puts(out, "<p><a rel=\"next\" href=\"/?last=");
        serve_uri_encode(out, names.items[names.len - 1]);
        coras_buf_puts(out, "\">Next page</a></p>\n");
    }
    return 0;
}

/* ---- the cache ---- */

static void put_fill(const struct serve_fill_look *look, void *user)
{
    coras_buf *out = user;

    coras_buf_puts(out, "<tr><td>");
    serve_html_text(out, look->repository);
    coras_buf_puts(out, "</td><td>");
    serve_html_digest(out, &look->digest);
    coras_buf_puts(out, "</td><td class=\"n\">");
    serve_html_size(out, look->got);
    if (look->size >= 0) {
        coras_buf_puts(out, " of ");
        serve_html_size(out, look->size);
    }
    coras_buf_puts(out, "</td></tr>\n");
}

static void put_fills(struct serve_exchange *x, coras_buf *out)
{
    coras_auto_buf rows = CORAS_BUF_UNLIMITED;

    if (x->registry->fills)
        serve_fills_look(x->registry->fills, put_fill, &rows);
    if (rows.len == 0) {
        coras_buf_puts(out, "<p>Nothing is being fetched now.</p>\n");
        return;
    }
    coras_buf_puts(out,
                   "<table><thead><tr><th scope=\"col\">Being fetched</th><th scope=\"col\">"
                   "Blob</th><th scope=\"col\" class=\"n\">So far</th></tr></thead>\n<tbody>\n");
    coras_buf_put(out, rows.ptr, rows.len);
    coras_buf_puts(out, "</tbody></table>\n");
}

static void put_upstreams(const serve_upstreams *all, coras_buf *out)
{
    serve_upstream *u;
    size_t at = 0;

    while ((u = serve_upstreams_next(all, &at)) != NULL) {
        coras_buf_puts(out, "<li>");
        serve_html_text(out, u->label);
        coras_buf_puts(out, serve_upstream_is_down(u) ? ": does not answer</li>\n" : "</li>\n");
    }
}

/* Who may see everything sees where it comes from, too. */
static void put_cache(struct serve_exchange *x)
{
    coras_buf *out = &x->answer.body;

    if (!serve_upstreams_any(x->registry->upstreams) ||
        !serve_access_may(x->registry->access, x->user, SERVE_RIGHT_READ, NULL))
        return;
    coras_buf_puts(out, "<h2>Cache</h2>\n<p>What is not here comes from:</p>\n<ul>\n");
    put_upstreams(x->registry->upstreams, out);
    coras_buf_puts(out, "</ul>\n");
    put_fills(x, out);
}

static int put_holdings(struct serve_exchange *x, coras_error **err)
{
    struct serve_metadata_counts counts = {0};
    coras_buf *out = &x->answer.body;

    if (x->registry->is_workplace ||
        !serve_access_may(x->registry->access, x->user, SERVE_RIGHT_READ, NULL))
        return 0;
    CORAS_TRY(serve_metadata_count(x->registry->metadata, &counts, err));
    coras_buf_printf(out, "<p>%lld blobs of ", (long long)counts.blobs);
    serve_html_size(out, counts.blob_bytes);
    coras_buf_puts(out, " are stored.</p>\n");
    return 0;
}

static int put_home(struct serve_exchange *x, coras_error **err)
{
    serve_html_begin(x, "Registry");
    CORAS_TRY(put_holdings(x, err));
    CORAS_TRY(put_repositories(x, err));
    put_cache(x);
    return 0;
}

void serve_site_home(struct serve_exchange *x)
{
    coras_auto(coras_error) err = NULL;

    if (put_home(x, &err) == 0) {
        serve_html_end(x, 200);
        return;
    }
    coras_buf_reset(&x->answer.body);
    serve_answer_failure(x, err);
}
