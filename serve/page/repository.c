/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a repository: its tags, what each is and how large. */
#include "serve/page/site.h"

#include "base/error.h"
#include "serve/api/errors.h"
#include "serve/page/html.h"

#define TAGS_PER_PAGE 50

/* false: it is not there, or cannot be understood. */
static bool read_manifest(struct serve_exchange *x, const char *tag,
                          struct serve_stored_manifest *stored, coras_manifest *ret)
{
    serve_content *c = x->content;

    return c->ops->get_manifest(c, x->route.repository, tag, NULL, true, stored, NULL) == 0 &&
           coras_manifest_parse(stored->content, (size_t)stored->size, stored->media_type, ret,
                                NULL) == 0;
}

static void put_tag(struct serve_exchange *x, const char *tag)
{
    struct serve_stored_manifest stored = {0};
    coras_auto_value(coras_manifest) m = {0};
    coras_buf *out = &x->answer.body;
    bool is_read = read_manifest(x, tag, &stored, &m);

    coras_buf_printf(out, "<tr><td><a href=\"/r/%s:%s\">%s</a></td><td>", x->asked, tag, tag);
    serve_html_text(out, is_read ? serve_site_type(&m) : "cannot be read now");
    coras_buf_puts(out, "</td><td class=\"n\">");
    if (is_read && coras_kind_is_index(m.kind))
        coras_buf_printf(out, "%zu manifests", m.layers.len);
    else if (is_read)
        serve_html_size(out, serve_site_size(&m));
    coras_buf_puts(out, "</td><td>");
    if (stored.content)
        serve_html_digest(out, &stored.digest);
    coras_buf_puts(out, "</td></tr>\n");
    serve_stored_manifest_clear(&stored);
}

static void put_tags(struct serve_exchange *x, const coras_strlist *tags, bool more)
{
    coras_buf *out = &x->answer.body;

    if (tags->len == 0) {
        coras_buf_puts(out, "<p>It has no tags.</p>\n");
        return;
    }
    coras_buf_puts(out, "<table><thead><tr><th scope=\"col\">Tag</th><th scope=\"col\">What it is"
                        "</th><th scope=\"col\" class=\"n\">Size</th><th scope=\"col\">Digest</th>"
                        "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < tags->len; i++)
        put_tag(x, tags->items[i]);
    coras_buf_puts(out, "</tbody></table>\n");
    if (more)
        coras_buf_printf(out, "<p><a rel=\"next\" href=\"/r/%s?last=%s\">Next page</a></p>\n",
                         x->asked, tags->items[tags->len - 1]);
}

void serve_site_repository(struct serve_exchange *x)
{
    coras_auto(coras_error) err = NULL;
    coras_auto_value(coras_strlist) tags = {0};
    const char *last = serve_query_get(&x->route.query, "last");
    serve_content *c = x->content;
    bool more = false;
    size_t taken;
    int rc = c->ops->has_repository(c, x->route.repository, &err);

    if (rc == 0)
        rc = c->ops->tags(c, x->route.repository, last ? last : "", TAGS_PER_PAGE, &tags, &more,
                          &err);
    if (rc == CORAS_ERR_NOT_FOUND) {
        serve_html_say(x, 404, x->asked, "There is no such repository here.");
        return;
    }
    if (rc < 0) {
        serve_answer_failure(x, err);
        return;
    }
    taken = serve_budget_take(x->registry->parsing, CORAS_LIMIT_MANIFEST);
    serve_html_begin(x, x->asked);
    put_tags(x, &tags, more);
    serve_html_end(x, 200);
    serve_budget_give(x->registry->parsing, taken);
}
