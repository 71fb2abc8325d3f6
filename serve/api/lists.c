/* SPDX-License-Identifier: Apache-2.0 */
/* Tags, repositories and referrers, page by page. */
#include "serve/api/operations.h"

#include "base/alloc.h"
#include "base/error.h"
#include "codec/json.h"
#include "serve/api/contents.h"
#include "serve/api/errors.h"
#include "serve/http/paging.h"
#include "serve/proxy/lists.h"

/* Most entries of one page. */
#define TAGS_PAGE_MAX         10000
#define REPOSITORIES_PAGE_MAX 1000
#define REFERRERS_PAGE_MAX    1000
/* Clients read at most 4 MiB of an index. */
#define REFERRERS_BYTES_MAX (3 * 1024 * 1024)

static bool parse_page(struct serve_exchange *x, int64_t cap, struct serve_page *ret)
{
    if (serve_page_parse(&x->route.query, cap, ret))
        return true;
    serve_answer_error(x, SERVE_API_PAGINATION_NUMBER_INVALID,
                       "invalid number of results requested",
                       serve_query_get(&x->route.query, "n"));
    return false;
}

static void add_link(struct serve_exchange *x, const char *path, const char *extra,
                     const char *last, int64_t limit)
{
    coras_auto_buf link = CORAS_BUF_UNLIMITED;

    serve_page_link(&link, path, extra, last, limit);
    serve_answer_header(x, "Link", "%s", link.ptr);
}

static void answer_names(struct serve_exchange *x, const char *path, const char *extra,
                         const coras_strlist *names, const struct serve_page *page, bool more)
{
    coras_json_writer w = CORAS_JSON_WRITER(&x->answer.body, 0);
    bool is_tags = x->route.kind == SERVE_ROUTE_TAGS;

    coras_jw_object(&w);
    if (is_tags)
        coras_jw_member(&w, "name", x->asked);
    coras_jw_key(&w, is_tags ? "tags" : "repositories");
    coras_jw_array(&w);
    for (size_t i = 0; i < names->len; i++)
        coras_jw_string(&w, names->items[i]);
    coras_jw_end_array(&w);
    coras_jw_end_object(&w);
    if (more && names->len > 0) /* n=0 asks for nothing, and gets no further page */
        add_link(x, path, extra, names->items[names->len - 1], page->limit);
    serve_answer_body(x, 200, "application/json");
}

/* Further pages are of the same registry. */
static void answer_tags(struct serve_exchange *x, const coras_strlist *tags,
                        const struct serve_page *page, bool more)
{
    const char *ns = serve_query_get(&x->route.query, "ns");
    coras_auto_buf path = CORAS_BUF_UNLIMITED;
    coras_auto_buf extra = CORAS_BUF_UNLIMITED;

    coras_buf_printf(&path, "/v2/%s/tags/list", x->asked);
    if (ns && x->place.upstream) {
        coras_buf_puts(&extra, "ns=");
        serve_uri_encode(&extra, ns);
    }
    answer_names(x, path.ptr, extra.ptr, tags, page, more);
}

static void list_proxied_tags(struct serve_exchange *x, const struct serve_page *page)
{
    coras_auto_value(coras_strlist) tags = {0};
    bool more = false;
    struct serve_said said = serve_proxied_tags(x, page, &tags, &more);

    if (said.kind == SERVE_SAID_YES)
        answer_tags(x, &tags, page, more);
    else if (said.kind != SERVE_SAID_WAIT)
        serve_said_answer(x, said);
}

void serve_tags_list(struct serve_exchange *x)
{
    serve_content *c = x->content;
    coras_auto(coras_error) err = NULL;
    coras_auto_value(coras_strlist) tags = {0};
    struct serve_page page;
    bool more = false;
    int rc;

    if (!parse_page(x, TAGS_PAGE_MAX, &page))
        return;
    if (x->place.upstream) {
        list_proxied_tags(x, &page);
        return;
    }
    rc = c->ops->has_repository(c, x->route.repository, &err);
    if (rc == 0)
        rc = c->ops->tags(c, x->route.repository, page.last, page.limit, &tags, &more, &err);
    if (rc == CORAS_ERR_NOT_FOUND)
        serve_answer_error(x, SERVE_API_NAME_UNKNOWN, "repository name not known to registry",
                           x->asked);
    else if (rc < 0)
        serve_answer_failure(x, err);
    else
        answer_tags(x, &tags, &page, more);
}

/* The names of one batch that may be listed, until the page is full. */
static int take_visible(struct serve_exchange *x, const coras_strlist *batch, int64_t limit,
                        coras_strlist *names, bool *ret_full, coras_error **err)
{
    *ret_full = false;
    for (size_t i = 0; i < batch->len; i++) {
        if (!serve_access_may(x->registry->access, x->user, SERVE_RIGHT_LIST, batch->items[i]))
            continue;
        if ((int64_t)names->len == limit) {
            *ret_full = true;
            return 0;
        }
        CORAS_TRY(coras_strlist_add(names, batch->items[i], err));
    }
    return 0;
}

/*
 * A page of what may be listed. A hidden name shows nowhere, nor where a page ends: the look goes
 * on until the page is full or there is nothing left.
 */
static int list_visible(struct serve_exchange *x, const struct serve_page *page,
                        coras_strlist *names, bool *ret_more, coras_error **err)
{
    coras_auto_free char *last = coras_strdup(page->last);
    bool more = true;

    *ret_more = false;
    while (more && !*ret_more) {
        coras_auto_value(coras_strlist) batch = {0};
        if (!last)
            return coras_fail_no_memory(err);
        CORAS_TRY(serve_contents_repositories(x->registry, last, REPOSITORIES_PAGE_MAX, &batch,
                                              &more, err));
        CORAS_TRY(take_visible(x, &batch, page->limit, names, ret_more, err));
        if (batch.len == 0)
            break;
        free(last);
        last = coras_strdup(batch.items[batch.len - 1]);
    }
    return 0;
}

int serve_visible_repositories(struct serve_exchange *x, const struct serve_page *page,
                               coras_strlist *names, bool *ret_more, coras_error **err)
{
    if (serve_access_has_rules(x->registry->access))
        return list_visible(x, page, names, ret_more, err);
    return serve_contents_repositories(x->registry, page->last, page->limit, names, ret_more, err);
}

void serve_catalog_list(struct serve_exchange *x)
{
    coras_auto(coras_error) err = NULL;
    coras_auto_value(coras_strlist) names = {0};
    struct serve_page page;
    bool more = false;

    if (!parse_page(x, REPOSITORIES_PAGE_MAX, &page))
        return;
    if (serve_visible_repositories(x, &page, &names, &more, &err) < 0)
        serve_answer_failure(x, err);
    else
        answer_names(x, "/v2/_catalog", NULL, &names, &page, more);
}

/* ---- referrers ---- */

struct referrers {
    coras_buf *out;
    int64_t count, limit;
    bool more;
    char last[CORAS_DIGEST_TEXT_MAX];
};

static bool add_referrer(const char *descriptor, const char *digest, void *user)
{
    struct referrers *r = user;

    if (r->count == r->limit ||
        (r->count > 0 && r->out->len + strlen(descriptor) > REFERRERS_BYTES_MAX)) {
        r->more = true;
        return false;
    }
    if (r->count++ > 0)
        coras_buf_putc(r->out, ',');
    coras_buf_puts(r->out, descriptor);
    snprintf(r->last, sizeof(r->last), "%s", digest);
    return true;
}

static void answer_referrers(struct serve_exchange *x, const struct referrers *r,
                             const char *artifact_type)
{
    coras_auto_buf path = CORAS_BUF_UNLIMITED;
    coras_auto_buf extra = CORAS_BUF_UNLIMITED;
    char text[CORAS_DIGEST_TEXT_MAX];

    if (artifact_type) {
        serve_answer_header(x, "OCI-Filters-Applied", "artifactType");
        coras_buf_puts(&extra, "artifactType=");
        serve_uri_encode(&extra, artifact_type);
    }
    if (r->more && r->count > 0) {
        coras_buf_printf(&path, "/v2/%s/referrers/%s", x->asked,
                         coras_digest_format(&x->route.digest, text));
        add_link(x, path.ptr, extra.ptr, r->last, r->limit);
    }
    serve_answer_body(x, 200, CORAS_MT_OCI_INDEX);
}

/* false: answered, or not yet. */
static bool add_proxied_referrers(struct serve_exchange *x,
                                  const struct serve_referrers_query *query, struct referrers *r)
{
    coras_auto_value(coras_strlist) all = {0};
    struct serve_said said = serve_proxied_referrers(x, query->artifact_type, &all);

    if (said.kind == SERVE_SAID_WAIT)
        coras_buf_reset(r->out); /* it begins again */
    else if (said.kind != SERVE_SAID_YES)
        serve_said_answer(x, said);
    if (said.kind != SERVE_SAID_YES)
        return false;
    for (size_t i = 0; i < all.len; i++) {
        struct serve_proxied_referrer one = serve_proxied_referrer_of(all.items[i]);
        bool passed = strcmp(one.digest, query->last) <= 0 || coras_streq(one.digest, r->last);
        if (!passed && !add_referrer(one.descriptor, one.digest, r))
            break;
    }
    return true;
}

/* An empty list for what nobody refers to, be it unknown. Spec: distribution-spec 1.1, "Listing
 * Referrers". */
void serve_referrers_list(struct serve_exchange *x)
{
    coras_auto(coras_error) err = NULL;
    const char *artifact_type = serve_query_get(&x->route.query, "artifactType");
    struct referrers r = {.out = &x->answer.body};
    struct serve_referrers_query query = {.repository = x->route.repository,
                                          .subject = x->route.digest};
    struct serve_page page;

    if (!parse_page(x, REFERRERS_PAGE_MAX, &page))
        return;
    if (artifact_type && !*artifact_type)
        artifact_type = NULL;
    r.limit = page.limit;
    query.artifact_type = artifact_type;
    query.last = page.last;
    query.limit = page.limit + 1;
    coras_buf_puts(r.out,
                   "{\"schemaVersion\":2,\"mediaType\":\"" CORAS_MT_OCI_INDEX "\",\"manifests\":[");
    if (x->place.upstream) {
        if (!add_proxied_referrers(x, &query, &r))
            return;
    } else if (x->content->ops->referrers(x->content, &query, add_referrer, &r, &err) < 0) {
        serve_answer_failure(x, err);
        return;
    }
    coras_buf_puts(r.out, "]}");
    answer_referrers(x, &r, artifact_type);
}
