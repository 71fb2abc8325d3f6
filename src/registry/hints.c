/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is advised when a registry refuses: by status, code and host, never by words.
 */
#include "registry/hints.h"

#include "base/error.h"
#include "codec/json.h"
#include "base/limits.h"
#include "oci/manifest.h"
#include "registry/tag_suggest.h"

enum {
    TAGS_SHOWN = 5,
    TAGS_COMPARED = 2000,
};

static bool code_is(coras_error *const *err, const char *code)
{
    return err && coras_error_has_registry_code(*err, code);
}

static bool is_ecr(const char *host)
{
    return strstr(host, ".dkr.ecr.") != NULL;
}

/* ---- repositories ---- */

static void hint_missing_repository(const coras_registry *r, coras_error **err)
{
    coras_auto_buf how = CORAS_BUF_UNLIMITED;

    if (is_ecr(r->host))
        coras_buf_printf(&how,
                         ", and ECR makes none by itself: run 'aws ecr create-repository "
                         "--repository-name %s'",
                         r->repository);
    else if (coras_streq(r->host, "public.ecr.aws"))
        coras_buf_printf(&how,
                         ", and ECR makes none by itself: run 'aws ecr-public create-repository "
                         "--region us-east-1 --repository-name %s' (the name without the alias in "
                         "front)",
                         r->repository);
    else if (coras_str_ends(r->host, ".pkg.dev"))
        coras_buf_puts(&how, ": run 'gcloud artifacts repositories create NAME "
                             "--repository-format=docker'; references are "
                             "LOCATION-docker.pkg.dev/PROJECT/NAME/IMAGE");
    coras_advise_with(err, CORAS_HINT_CREATE_REPOSITORY, r->host, r->repository,
                      how.len ? how.ptr : NULL);
}

/* ---- tags ---- */

static int read_tags(const coras_response *resp, coras_strlist *ret)
{
    coras_str body = coras_response_body(resp);
    coras_auto(coras_json) doc = NULL;
    const char *tag;

    CORAS_TRY(coras_json_parse(body.ptr, body.len, &doc, NULL));
    const coras_json *tags = coras_json_get(doc, "tags");
    for (size_t i = 0; i < coras_json_len(tags) && i < TAGS_COMPARED; i++)
        if (coras_json_string(coras_json_at(tags, i), &tag))
            CORAS_TRY(coras_strlist_add(ret, tag, NULL));
    return 0;
}

static void hint_tags(const coras_registry *r, coras_strlist *tags, const char *wanted,
                      coras_error **err)
{
    coras_auto_buf list = CORAS_BUF_UNLIMITED;

    if (!tags->len) {
        coras_advise_with(err, CORAS_HINT_NO_TAGS, r->host, r->repository);
        return;
    }
    coras_names_sort_by_likeness(tags, wanted);
    for (size_t i = 0; i < tags->len && i < TAGS_SHOWN; i++) {
        coras_buf_puts(&list, i ? ", " : "");
        coras_escape(&list, tags->items[i], strlen(tags->items[i]), CORAS_LIMIT_COMPONENT);
    }
    coras_advise_with(err, tags->len > TAGS_SHOWN ? CORAS_HINT_CLOSEST_TAGS : CORAS_HINT_TAGS_EXIST,
                      list.ptr);
}

void coras_registry_explain_missing(coras_target *t, const char *reference, coras_error **err)
{
    coras_registry *r = coras_registry_of(t);
    coras_auto_value(coras_strlist) tags = {0};
    coras_auto(coras_response) resp = NULL;
    coras_auto(coras_error) failure = NULL;
    coras_auto_buf url = CORAS_BUF_UNLIMITED;

    if (strchr(reference, ':') || !err || !*err)
        return;
    coras_registry_put_url(r, &url, "tags/list");
    coras_request req = coras_registry_request(r, "GET", url.ptr, coras_registry_read_scope(r));
    req.no_retry = true;
    req.body_limit = CORAS_LIMIT_MANIFEST;
    if (coras_client_send(r->client, &req, NULL, &resp, &failure) < 0) {
        if (code_is(&failure, "NAME_UNKNOWN"))
            hint_missing_repository(r, err);
        return;
    }
    if (read_tags(resp, &tags) == 0)
        hint_tags(r, &tags, reference, err);
}

/* ---- pushing ---- */

/* What every kind of push may meet; true when it was one of them. */
static bool hint_push(const coras_registry *r, coras_error **err)
{
    int status = err ? coras_error_http_status(*err) : 0;

    if (code_is(err, "NAME_UNKNOWN"))
        hint_missing_repository(r, err);
    else if (status == 413)
        coras_advise_with(err, CORAS_HINT_REQUEST_TOO_LARGE, r->host);
    else if (status == 507)
        coras_advise_with(err, CORAS_HINT_STORAGE_FULL, r->host);
    else if (status == 403)
        coras_advise_with(err, CORAS_HINT_NO_WRITE_RIGHT, r->host, r->repository);
    else
        return false;
    return true;
}

void coras_hints_push_blob(const coras_registry *r, coras_error **err)
{
    (void)hint_push(r, err);
}

void coras_hints_push_manifest(const coras_registry *r, const coras_descriptor *desc,
                               coras_error **err)
{
    int status = err ? coras_error_http_status(*err) : 0;
    bool refused = code_is(err, "MANIFEST_INVALID") || code_is(err, "UNSUPPORTED") ||
                   status == 405 || status == 415;

    if (hint_push(r, err) || !refused)
        return;
    if (coras_media_type_kind(desc->media_type) == CORAS_KIND_IMAGE)
        coras_advise(err, CORAS_HINT_USE_IMAGE_SPEC_1_0);
    else
        coras_advise_with(err, CORAS_HINT_MANIFEST_TYPE_REFUSED, desc->media_type);
}

void coras_hints_delete(const coras_registry *r, coras_error **err)
{
    int status = err ? coras_error_http_status(*err) : 0;

    if (status == 405 || code_is(err, "UNSUPPORTED"))
        coras_advise_with(err, CORAS_HINT_DELETE_DISABLED, r->host);
}
