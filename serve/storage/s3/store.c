/* SPDX-License-Identifier: Apache-2.0 */
/* Where the store is, from what the operator has said. */
#include "serve/storage/s3/store.h"

#include "base/alloc.h"
#include "base/error.h"

#define DEFAULT_REGION "us-east-1"
/* Silence that ends a request; joining the parts of a large object takes a store its time. */
#define SILENCE_S 30
#define ANSWER_S  120

/* "s3://BUCKET[/PREFIX]" */
static int set_place(serve_s3 *s, const char *text, coras_error **err)
{
    coras_auto_buf path = CORAS_BUF_UNLIMITED, prefix = CORAS_BUF_UNLIMITED;
    const char *bucket = text + strlen("s3://"), *slash;

    if (!coras_str_starts(text, "s3://") || !*bucket || *bucket == '/')
        return coras_fail(err, CORAS_ERR_CONFIG, "--blobs %s: must be s3://BUCKET/PREFIX", text);
    slash = strchr(bucket, '/');
    coras_buf_putc(&path, '/');
    coras_buf_put(&path, bucket, slash ? (size_t)(slash - bucket) : strlen(bucket));
    if (slash && slash[1])
        coras_buf_printf(&prefix, "%s%s", slash + 1, coras_str_ends(slash, "/") ? "" : "/");
    CORAS_TRY(coras_buf_take(&path, &s->path, err));
    return coras_buf_take(&prefix, &s->prefix, err);
}

static int set_endpoint(serve_s3 *s, const char *given, coras_error **err)
{
    coras_url url;
    size_t len;

    s->endpoint =
        given ? coras_strdup(given) : coras_asprintf("https://s3.%s.amazonaws.com", s->region);
    if (!s->endpoint)
        return coras_fail_no_memory(err);
    for (len = strlen(s->endpoint); len > 0 && s->endpoint[len - 1] == '/'; len--)
        s->endpoint[len - 1] = '\0';
    if (coras_url_parse(s->endpoint, &url, NULL) < 0 || url.path.len > 0 || url.query.ptr)
        return coras_fail(err, CORAS_ERR_CONFIG,
                          "--s3-endpoint %s: must be http://HOST or https://HOST, without a path",
                          given ? given : s->endpoint);
    s->host = coras_strndup(url.authority.ptr, url.authority.len);
    return s->host ? 0 : coras_fail_no_memory(err);
}

static int set_connections(serve_s3 *s, coras_error **err)
{
    CORAS_TRY(coras_environment_load(&s->environment, err));
    const struct coras_http_config config = {
        .environment = s->environment,
        .stall_timeout_s = SILENCE_S,
        .answer_timeout_s = ANSWER_S,
        .cancel = s->cancel,
    };
    return coras_http_new(&config, &s->http, err);
}

int serve_s3_open(const struct serve_s3_options *options, serve_s3 **ret, coras_error **err)
{
    coras_auto(serve_s3) s = coras_new(serve_s3);

    if (!s)
        return coras_fail_no_memory(err);
    serve_s3_identity_init(&s->identity);
    s->region = coras_strdup(options->region ? options->region : DEFAULT_REGION);
    s->metrics = options->metrics;
    s->cancel = coras_new(coras_cancel);
    if (!s->region || !s->cancel)
        return coras_fail_no_memory(err);
    CORAS_TRY(set_place(s, options->blobs, err));
    CORAS_TRY(set_endpoint(s, options->endpoint, err));
    CORAS_TRY(serve_s3_identity_read(&s->identity, err));
    CORAS_TRY(set_connections(s, err));
    *ret = coras_steal(&s);
    return 0;
}

void serve_s3_stop(serve_s3 *s)
{
    if (s)
        atomic_store(&s->cancel->requested, true);
}

void serve_s3_close(serve_s3 *s)
{
    if (!s)
        return;
    coras_http_free(s->http);
    coras_environment_free(s->environment);
    serve_s3_identity_clear(&s->identity);
    free(s->cancel);
    free(s->endpoint);
    free(s->host);
    free(s->path);
    free(s->prefix);
    free(s->region);
    free(s);
}
