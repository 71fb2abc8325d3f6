/* SPDX-License-Identifier: Apache-2.0 */
/* The page of one manifest: how to pull it, what it is, what it is made of. */
#include "serve/page/site.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/vec.h"
#include "serve/api/errors.h"
#include "serve/page/html.h"

#define LAYERS_SHOWN 1000

static char *reference_of(const struct serve_exchange *x)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    return coras_asprintf("%s%s%s", x->asked, x->route.tag ? ":" : "@",
                          x->route.tag ? x->route.tag
                                       : coras_digest_format(&x->route.digest, text));
}

/* ---- how to pull it ---- */

static bool is_docker_image(const coras_manifest *m)
{
    return m->kind == CORAS_KIND_DOCKER_IMAGE || m->kind == CORAS_KIND_DOCKER_LIST ||
           (m->has_config && m->config.media_type &&
            coras_str_ends(m->config.media_type, ".image.config.v1+json"));
}

static void put_pull(struct serve_exchange *x, const char *reference, const coras_manifest *m)
{
    coras_buf *out = &x->answer.body;
    coras_auto_free char *host = serve_html_host(x);
    const char *plain = x->registry->options.tls_cert ? "" : " --plain-http";

    if (!host || !*host)
        return;
    coras_buf_puts(out, "<h2>Pull</h2>\n<pre><code>");
    if (is_docker_image(m))
        coras_buf_printf(out, "docker pull %s/%s\n", host, reference);
    coras_buf_printf(out, "coras pull%s %s/%s</code></pre>\n", plain, host, reference);
}

/* ---- what it is ---- */

static void put_facts(coras_buf *out, const struct serve_stored_manifest *stored,
                      const coras_manifest *m)
{
    char text[CORAS_DIGEST_TEXT_MAX];
    coras_auto_buf size = CORAS_BUF_UNLIMITED;

    coras_buf_puts(out, "<h2>Manifest</h2>\n<table><tbody>\n");
    serve_html_row(out, "Digest", coras_digest_format(&stored->digest, text));
    serve_html_row(out, "Media type", stored->media_type);
    serve_html_row(out, "Artifact type", coras_manifest_effective_artifact_type(m));
    if (!coras_kind_is_index(m->kind)) {
        serve_html_size(&size, serve_site_size(m));
        serve_html_row(out, "Size", size.ptr);
    }
    if (m->has_subject)
        serve_html_row(out, "Refers to", coras_digest_format(&m->subject.digest, text));
    for (size_t i = 0; i < m->annotations.len; i++)
        serve_html_row(out, m->annotations.items[i].key, m->annotations.items[i].value);
    coras_buf_puts(out, "</tbody></table>\n");
}

static const char *title_of(const coras_descriptor *d)
{
    const char *title = coras_annotations_get(&d->annotations, CORAS_ANN_TITLE);

    return title ? title : "";
}

static void put_platform(coras_buf *out, const coras_descriptor *d)
{
    if (!d->platform)
        return;
    serve_html_text(out, d->platform->os);
    coras_buf_putc(out, '/');
    serve_html_text(out, d->platform->architecture);
}

/* What an index names is manifests, which have pages of their own. */
static void put_part(struct serve_exchange *x, const coras_descriptor *d, bool is_index)
{
    coras_buf *out = &x->answer.body;
    char text[CORAS_DIGEST_TEXT_MAX];

    coras_buf_puts(out, "<tr><td>");
    if (is_index) {
        put_platform(out, d);
        coras_buf_printf(out, " <a href=\"/r/%s@%s\">manifest</a>", x->asked,
                         coras_digest_format(&d->digest, text));
    } else {
        serve_html_text(out, title_of(d));
    }
    coras_buf_puts(out, "</td><td>");
    serve_html_text(out, d->media_type);
    coras_buf_puts(out, "</td><td class=\"n\">");
    serve_html_size(out, d->size);
    coras_buf_puts(out, "</td><td>");
    serve_html_digest(out, &d->digest);
    coras_buf_puts(out, "</td></tr>\n");
}

static void put_parts(struct serve_exchange *x, const coras_manifest *m)
{
    coras_buf *out = &x->answer.body;
    bool is_index = coras_kind_is_index(m->kind);

    if (m->layers.len == 0)
        return;
    coras_buf_printf(out, "<h2>%s</h2>\n", is_index ? "Manifests" : "Layers");
    coras_buf_puts(out, "<table><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Media type"
                        "</th><th scope=\"col\" class=\"n\">Size</th><th scope=\"col\">Digest</th>"
                        "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < m->layers.len && i < LAYERS_SHOWN; i++)
        put_part(x, &m->layers.items[i], is_index);
    coras_buf_puts(out, "</tbody></table>\n");
    if (m->layers.len > LAYERS_SHOWN)
        coras_buf_printf(out, "<p>… and %zu more.</p>\n", m->layers.len - LAYERS_SHOWN);
}

/* ---- the page ---- */

static int put_page(struct serve_exchange *x, const struct serve_stored_manifest *stored,
                    coras_error **err)
{
    coras_auto_value(coras_manifest) m = {0};
    coras_auto_free char *reference = reference_of(x);

    if (!reference)
        return coras_fail_no_memory(err);
    CORAS_TRY(
        coras_manifest_parse(stored->content, (size_t)stored->size, stored->media_type, &m, err));
    serve_html_begin(x, reference);
    put_pull(x, reference, &m);
    serve_site_put_model(x, reference, &m);
    put_facts(&x->answer.body, stored, &m);
    put_parts(x, &m);
    return 0;
}

static void answer_page(struct serve_exchange *x, const struct serve_stored_manifest *stored)
{
    coras_auto(coras_error) err = NULL;
    size_t taken = serve_budget_take(x->registry->parsing, (size_t)stored->size);
    int rc = put_page(x, stored, &err);

    serve_budget_give(x->registry->parsing, taken);
    if (rc == 0)
        serve_html_end(x, 200);
    else if (rc == CORAS_ERR_NO_MEMORY)
        serve_answer_failure(x, err);
    else
        serve_html_say(x, 200, x->asked, "This manifest is of a kind that is not understood here.");
}

void serve_site_manifest(struct serve_exchange *x)
{
    coras_auto(coras_error) err = NULL;
    struct serve_stored_manifest stored = {0};
    serve_content *c = x->content;
    int rc = c->ops->get_manifest(c, x->route.repository, x->route.tag, &x->route.digest, true,
                                  &stored, &err);

    if (rc == CORAS_ERR_NOT_FOUND)
        serve_html_say(x, 404, x->asked, "There is no such manifest here.");
    else if (rc < 0)
        serve_answer_failure(x, err);
    else
        answer_page(x, &stored);
    serve_stored_manifest_clear(&stored);
}
