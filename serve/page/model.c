/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a model is, from the headers of its files, as far as they are here. Nothing is fetched for a
 * page, and nothing is unpacked.
 */
#include "serve/page/site.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/vec.h"
#include "coras/model.h"
#include "serve/page/html.h"
#include "serve/page/target.h"

#define FILES_SHOWN    200
#define WARNINGS_SHOWN 20
/* Headers of weights are large: one page at a time reads them. */
#define MODEL_BYTES (8 * CORAS_MIB)

static bool is_here(struct serve_exchange *x, const coras_descriptor *d)
{
    serve_content *c = x->content;
    int64_t size = 0;

    return c->ops->find_blob(c, x->route.repository, &d->digest, &size, NULL) == 0 &&
           size == d->size;
}

/* Of a compressed archive all would have to be read. */
static bool is_compressed(const coras_descriptor *d)
{
    return d->media_type && (strstr(d->media_type, "gzip") || strstr(d->media_type, "zstd"));
}

static bool can_be_read(struct serve_exchange *x, const coras_manifest *m)
{
    if (!coras_kind_is_image(m->kind) || m->layers.len == 0)
        return false;
    coras_vec_foreach (layer, &m->layers) {
        if (is_compressed(layer) || !is_here(x, layer))
            return false;
    }
    return !m->has_config || is_here(x, &m->config);
}

static int inspect(struct serve_exchange *x, const char *reference, coras_model_facts **ret,
                   coras_error **err)
{
    coras_run_options run = CORAS_RUN_OPTIONS_INIT;
    coras_auto(coras_target) target = NULL;
    coras_model *model = NULL;
    int rc;

    run.concurrency = 1;
    CORAS_TRY(serve_content_target(x->content, x->route.repository, &target, err));
    CORAS_TRY(coras_model_open(target, reference, NULL, &run, &model, err));
    rc = coras_model_inspect(model, NULL, ret, err);
    coras_model_free(model);
    return rc;
}

/* ---- what is said ---- */

static void put_count(coras_buf *out, int64_t count)
{
    static const struct {
        int64_t least;
        const char *unit;
    } rows[] = {{1000000000000, "T"}, {1000000000, "B"}, {1000000, "M"}, {1000, "K"}};

    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        if (count >= rows[i].least) {
            coras_buf_printf(out, "%.2f%s (%lld)", (double)count / (double)rows[i].least,
                             rows[i].unit, (long long)count);
            return;
        }
    }
    coras_buf_printf(out, "%lld", (long long)count);
}

static void put_dtypes(coras_buf *out, const coras_model_facts *f)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    for (size_t i = 0; i < f->dtype_count; i++)
        coras_buf_printf(&text, "%s%s %.1f %%", i ? ", " : "", f->dtypes[i].name,
                         f->parameters > 0
                             ? 100.0 * (double)f->dtypes[i].elements / (double)f->parameters
                             : 0.0);
    serve_html_row(out, "Types", text.ptr);
}

static void put_shards(coras_buf *out, const coras_model_facts *f)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    if (f->shards_expected <= 1)
        return;
    coras_buf_printf(&text, "%lld of %lld", (long long)f->shards_present,
                     (long long)f->shards_expected);
    serve_html_row(out, "Files of weights", text.ptr);
}

static void put_facts(coras_buf *out, const coras_model_facts *f)
{
    coras_auto_buf parameters = CORAS_BUF_UNLIMITED, size = CORAS_BUF_UNLIMITED;

    coras_buf_puts(out, "<table><tbody>\n");
    serve_html_row(out, "Architecture", f->architecture);
    if (f->parameters >= 0)
        put_count(&parameters, f->parameters);
    serve_html_row(out, "Parameters", parameters.ptr);
    put_dtypes(out, f);
    serve_html_row(out, "Quantization", f->quantization);
    serve_html_row_number(out, "Tensors", f->tensor_count);
    serve_html_row_number(out, "Context length", f->context_length);
    serve_html_row(out, "Chat template", f->has_chat_template ? "yes" : NULL);
    serve_html_row(out, "Licence", f->license);
    serve_html_row(out, "Format", f->format);
    serve_html_row(out, "Package", f->package);
    put_shards(out, f);
    serve_html_size(&size, f->total_size);
    serve_html_row(out, "Files", size.ptr);
    coras_buf_puts(out, "</tbody></table>\n");
}

static void put_warnings(coras_buf *out, const coras_model_facts *f)
{
    for (size_t i = 0; f->warnings && f->warnings[i] && i < WARNINGS_SHOWN; i++) {
        coras_buf_puts(out, "<p class=\"warn\">");
        serve_html_text(out, f->warnings[i]);
        coras_buf_puts(out, "</p>\n");
    }
    for (size_t i = 0; f->shards_missing && f->shards_missing[i] && i < WARNINGS_SHOWN; i++) {
        coras_buf_puts(out, "<p class=\"warn\">Missing: ");
        serve_html_text(out, f->shards_missing[i]);
        coras_buf_puts(out, "</p>\n");
    }
}

static void put_model(struct serve_exchange *x, const char *reference, const coras_model_facts *f)
{
    coras_buf *out = &x->answer.body;
    coras_auto_free char *host = serve_html_host(x);

    coras_buf_puts(out, "<h2>Model</h2>\n");
    if (host && *host)
        coras_buf_printf(out, "<pre><code>coras model pull%s %s/%s</code></pre>\n",
                         x->registry->options.tls_cert ? "" : " --plain-http", host, reference);
    put_facts(out, f);
    put_warnings(out, f);
}

/* Weights whose headers were read make it a model. What cannot be read is no matter of this page:
 * the manifest's own section follows. */
void serve_site_put_model(struct serve_exchange *x, const char *reference, const coras_manifest *m)
{
    const char *own = strrchr(reference, x->route.tag ? ':' : '@');
    coras_model_facts *facts = NULL;
    size_t taken;

    if (!own || !can_be_read(x, m))
        return;
    taken = serve_budget_take(x->registry->reading, MODEL_BYTES);
    if (inspect(x, own + 1, &facts, NULL) == 0 && facts->tensor_count > 0)
        put_model(x, reference, facts);
    coras_model_facts_free(facts);
    serve_budget_give(x->registry->reading, taken);
}
