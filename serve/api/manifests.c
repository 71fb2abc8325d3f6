/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests: served as they were pushed, checked and stored, deleted. */
#include "serve/api/operations.h"

#include <inttypes.h>
#include "base/alloc.h"
#include "base/error.h"
#include "codec/json.h"
#include "base/vec.h"
#include "coras/reference.h"
#include "oci/json_fields.h"
#include "serve/api/children.h"
#include "serve/api/errors.h"
#include "serve/proxy/manifests.h"

/* ---- reading ---- */

static void answer_unknown(struct serve_exchange *x)
{
    coras_auto(coras_error) err = NULL;
    char text[CORAS_DIGEST_TEXT_MAX];
    const char *what = x->route.tag ? x->route.tag : coras_digest_format(&x->route.digest, text);
    int rc = x->content->ops->has_repository(x->content, x->route.repository, &err);

    if (rc == CORAS_ERR_NOT_FOUND)
        serve_answer_error(x, SERVE_API_NAME_UNKNOWN, "repository name not known to registry",
                           x->asked);
    else
        serve_answer_error(x, SERVE_API_MANIFEST_UNKNOWN, "manifest unknown", what);
}

static void close_nothing(void *user)
{
    (void)user;
}

void serve_manifest_answer(struct serve_exchange *x, const coras_descriptor *desc,
                           const char *content)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    serve_answer_digest(x, "Docker-Content-Digest", &desc->digest);
    serve_answer_header(x, "ETag", "\"%s\"", coras_digest_format(&desc->digest, text));
    if (serve_etag_named(serve_exchange_header(x, "If-None-Match"), &desc->digest)) {
        serve_answer_empty(x, 304);
        return;
    }
    if (content) {
        coras_buf_put(&x->answer.body, content, (size_t)desc->size);
    } else {
        x->answer.stream = (struct serve_stream){.close = close_nothing, .user = x};
        x->answer.length = desc->size;
    }
    serve_answer_body(x, 200, desc->media_type);
}

static void answer_manifest(struct serve_exchange *x, const struct serve_stored_manifest *s)
{
    const coras_descriptor desc = {
        .media_type = s->media_type, .digest = s->digest, .size = s->size};

    serve_manifest_answer(x, &desc, s->content);
}

/* Accept is not looked at: what was pushed is what is served. */
void serve_manifest_get(struct serve_exchange *x)
{
    coras_auto(coras_error) err = NULL;
    struct serve_stored_manifest stored = {0};
    int rc;

    if (x->place.upstream) {
        serve_proxied_manifest_get(x);
        return;
    }
    rc = x->content->ops->get_manifest(x->content, x->route.repository, x->route.tag,
                                       &x->route.digest, true, &stored, &err);

    if (rc == CORAS_ERR_NOT_FOUND)
        answer_unknown(x);
    else if (rc < 0)
        serve_answer_failure(x, err);
    else
        answer_manifest(x, &stored);
    serve_stored_manifest_clear(&stored);
}

/* ---- writing ---- */

void serve_manifest_put_begin(struct serve_exchange *x)
{
    int64_t limit = x->registry->options.manifest_limit;

    if (x->content_length > limit) {
        serve_answer_error_status(x, 413, SERVE_API_SIZE_INVALID, "manifest exceeds the size limit",
                                  NULL);
        return;
    }
    x->body.limit = (size_t)limit;
    x->body_wanted = true;
}

/* Content-Type without its parameters; a new string, "" when there is none. */
static char *content_type(struct serve_exchange *x)
{
    const char *header = serve_exchange_header(x, "Content-Type");
    coras_str type = coras_str_of(header ? header : "");
    const char *semicolon = memchr(type.ptr, ';', type.len);

    if (semicolon)
        type.len = (size_t)(semicolon - type.ptr);
    type = coras_str_trim(type);
    return coras_strndup(type.ptr, type.len);
}

static bool is_json_type(const char *type)
{
    return coras_str_starts(type, "application/") &&
           (coras_str_ends(type, "+json") || coras_streq(type, "application/json"));
}

/* Types that we do not know are stored as they are; Docker's first schema is refused by the parser.
 */
static bool is_known_type(const char *type)
{
    return coras_media_type_is_manifest(type) ||
           coras_str_starts(type, "application/vnd.docker.distribution.manifest.v1");
}

static bool has_member(const coras_json *json, const char *key)
{
    return coras_json_type_of(coras_field_get(json, key)) != CORAS_JSON_NULL;
}

/* Empty lists count: a document of both kinds is read, since such ones exist, but none is taken.
 * CVE-2021-41190. */
static int check_one_kind(const coras_json *json, coras_error **err)
{
    if (has_member(json, "manifests") && (has_member(json, "layers") || has_member(json, "config")))
        return coras_fail(err, CORAS_ERR_INVALID_MANIFEST,
                          "ambiguous: both an image manifest and an index");
    return 0;
}

/*
 * The media type to store: Content-Type, else the document's own. They must not contradict each
 * other. NULL with *err set.
 */
static char *media_type(struct serve_exchange *x, coras_error **err)
{
    coras_auto(coras_json) json = NULL;
    coras_auto_free char *type = content_type(x);
    const char *own;

    if (!type) {
        coras_fail_no_memory(err);
        return NULL;
    }
    if (coras_json_parse(x->body.ptr, x->body.len, &json, err) < 0)
        return NULL;
    if (coras_json_type_of(json) != CORAS_JSON_OBJECT) {
        coras_fail(err, CORAS_ERR_INVALID_MANIFEST, "manifest is not a JSON object");
        return NULL;
    }
    own = coras_json_get_string(json, "mediaType");
    if (is_known_type(*type || !own ? type : own) && check_one_kind(json, err) < 0)
        return NULL;
    if (!*type && own) {
        free(type);
        type = coras_strdup(own);
        if (!type)
            coras_fail_no_memory(err);
        return coras_steal(&type);
    }
    if (own && !coras_streq(own, type)) {
        coras_fail(err, CORAS_ERR_INVALID_MANIFEST,
                   "mediaType of the manifest differs from the Content-Type");
        return NULL;
    }
    return coras_steal(&type);
}

static int check_type(const char *type, coras_error **err)
{
    if (!coras_media_type_is_valid(type) || !is_json_type(type))
        return coras_fail(err, CORAS_ERR_INVALID_MANIFEST,
                          "Content-Type is no media type of a JSON document");
    return 0;
}

/* The digest under which it is stored; the one asked for must be the content's. */
static int content_digest(struct serve_exchange *x, coras_digest *ret, coras_error **err)
{
    int algorithm = x->route.tag ? CORAS_SHA256 : x->route.digest.algorithm;

    CORAS_TRY(coras_digest_of(algorithm, x->body.ptr, x->body.len, ret, err));
    if (!x->route.tag && !coras_digest_equal(ret, &x->route.digest))
        return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH,
                          "provided digest did not match uploaded content");
    return 0;
}

/* The tags to set: that of the path, or those of ?tag=. All are checked before any is set. */
static int collect_tags(struct serve_exchange *x, coras_strlist *ret, coras_error **err)
{
    if (x->route.tag)
        return coras_strlist_add(ret, x->route.tag, err);
    coras_vec_foreach (param, &x->route.query) {
        if (!coras_streq(param->name, "tag"))
            continue;
        if (coras_tag_validate(param->value, NULL) < 0)
            return coras_fail(err, CORAS_ERR_INVALID_REFERENCE, "invalid tag");
        if (!coras_strlist_has(ret, param->value))
            CORAS_TRY(coras_strlist_add(ret, param->value, err));
    }
    return 0;
}

static void answer_created(struct serve_exchange *x, const struct serve_manifest_put *put)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    serve_answer_header(x, "Location", "/v2/%s/manifests/%s", x->asked,
                        coras_digest_format(&put->digest, text));
    serve_answer_digest(x, "Docker-Content-Digest", &put->digest);
    if (put->parsed && put->parsed->has_subject)
        serve_answer_digest(x, "OCI-Subject", &put->parsed->subject.digest);
    if (!x->route.tag && put->tags->len > 0) {
        coras_auto_buf tags = CORAS_BUF_UNLIMITED;
        for (size_t i = 0; i < put->tags->len; i++)
            coras_buf_printf(&tags, "%s%s", i > 0 ? ", " : "", put->tags->items[i]);
        serve_answer_header(x, "OCI-Tag", "%s", tags.ptr);
    }
    serve_answer_empty(x, 201);
}

static void answer_refused(struct serve_exchange *x, const coras_digest *missing,
                           const coras_error *err)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    switch (coras_error_code(err)) {
    case CORAS_ERR_NOT_FOUND:
        serve_answer_error(x, SERVE_API_MANIFEST_BLOB_UNKNOWN,
                           "manifest references a blob or manifest unknown to this repository",
                           coras_digest_format(missing, text));
        break;
    case CORAS_ERR_DIGEST_MISMATCH:
    case CORAS_ERR_INVALID_DIGEST:
    case CORAS_ERR_UNSUPPORTED_DIGEST:
        serve_answer_error(x, SERVE_API_DIGEST_INVALID, coras_error_message(err), NULL);
        break;
    case CORAS_ERR_INVALID_REFERENCE:
        serve_answer_error(x, SERVE_API_TAG_INVALID, coras_error_message(err), NULL);
        break;
    case CORAS_ERR_INVALID_MANIFEST:
    case CORAS_ERR_INVALID_JSON:
    case CORAS_ERR_UNSUPPORTED:
    case CORAS_ERR_SIZE_MISMATCH: /* embedded data, or a blob, is not what its descriptor says */
    case CORAS_ERR_TOO_LARGE:
        serve_answer_error(x, SERVE_API_MANIFEST_INVALID, coras_error_message(err), NULL);
        break;
    default:
        serve_answer_failure(x, err);
        break;
    }
}

/* What says another size than there is could be pulled by nobody. */
static int check_size(const coras_descriptor *child, int64_t size, coras_error **err)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    if (child->size == size)
        return 0;
    return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "%s has %" PRId64 " bytes, not %" PRId64,
                      coras_digest_format(&child->digest, text), size, child->size);
}

/* The database knows what was stored, not what became of the file since. */
static int check_file(struct serve_exchange *x, const coras_descriptor *child,
                      coras_digest *ret_missing, coras_error **err)
{
    int64_t size = child->size;
    int rc;

    if (serve_metadata_is_foreign(child))
        return 0;
    rc = serve_blob_check(x, x->route.repository, &child->digest, &size, err);
    if (rc < 0)
        *ret_missing = child->digest;
    return rc < 0 ? rc : check_size(child, size, err);
}

/* Whoever stores it looks at what an index names. */
static int check_files(struct serve_exchange *x, const coras_manifest *parsed,
                       coras_digest *ret_missing, coras_error **err)
{
    if (coras_kind_is_index(parsed->kind))
        return 0;
    if (parsed->has_config)
        CORAS_TRY(check_file(x, &parsed->config, ret_missing, err));
    coras_vec_foreach (child, &parsed->layers)
        CORAS_TRY(check_file(x, child, ret_missing, err));
    return 0;
}

static int store(struct serve_exchange *x, coras_digest *ret_missing, coras_error **err)
{
    coras_auto_value(coras_manifest) parsed = {0};
    coras_auto_value(coras_strlist) tags = {0};
    coras_auto_free char *type = NULL;
    struct serve_manifest_put put = {
        .repository = x->route.repository,
        .content = x->body.ptr,
        .size = x->body.len,
        .check_children = !x->registry->options.sparse_index,
        .tags = &tags,
    };

    CORAS_TRY(content_digest(x, &put.digest, err));
    CORAS_TRY(collect_tags(x, &tags, err));
    type = media_type(x, err);
    if (!type)
        return err && *err ? coras_error_code(*err) : CORAS_ERR_NO_MEMORY;
    CORAS_TRY(check_type(type, err));
    put.media_type = type;
    if (is_known_type(type)) {
        CORAS_TRY(coras_manifest_parse(x->body.ptr, x->body.len, type, &parsed, err));
        put.parsed = &parsed;
        if (put.check_children)
            CORAS_TRY(check_files(x, &parsed, ret_missing, err));
    }
    CORAS_TRY(x->content->ops->put_manifest(x->content, &put, ret_missing, err));
    answer_created(x, &put);
    return 0;
}

/* ---- the end of a push ---- */

/* What is wrong with it is told when it is stored. */
static void look_for_children(struct serve_exchange *x, struct serve_missing_children *ret)
{
    coras_auto_value(coras_manifest) parsed = {0};
    coras_auto_free char *type = NULL;
    coras_digest digest;

    ret->len = 0;
    if (content_digest(x, &digest, NULL) < 0)
        return;
    type = media_type(x, NULL);
    if (type && is_known_type(type) &&
        coras_manifest_parse(x->body.ptr, x->body.len, type, &parsed, NULL) == 0)
        serve_children_look(x, &parsed, ret);
}

/* Nothing is held meanwhile that others need: it takes as long as the upstream does. false:
 * answered, or not yet. */
static bool bring_children(struct serve_exchange *x)
{
    coras_auto(coras_error) err = NULL;
    struct serve_missing_children children;
    coras_digest missing = {0};
    size_t taken;

    if (!x->place.upstream || x->registry->options.sparse_index)
        return true;
    do {
        taken = serve_budget_take(x->registry->parsing, x->body.len);
        look_for_children(x, &children);
        serve_budget_give(x->registry->parsing, taken);
        if (children.len == 0)
            return true;
    } while (serve_children_bring(x, &children, &missing));
    if (x->pending.user) /* again, when what is missing has come */
        return false;
    (void)coras_fail(&err, CORAS_ERR_NOT_FOUND, "the upstream has not given it");
    answer_refused(x, &missing, err);
    return false;
}

void serve_manifest_put_end(struct serve_exchange *x)
{
    coras_auto(coras_error) err = NULL;
    coras_digest missing = {0};
    size_t taken;
    int rc;

    if (x->body_too_large) {
        serve_answer_error_status(x, 413, SERVE_API_SIZE_INVALID, "manifest exceeds the size limit",
                                  NULL);
        return;
    }
    if (!bring_children(x))
        return;
    taken = serve_budget_take(x->registry->parsing, x->body.len);
    /* what it names must not be collected between the look and the commit */
    pthread_rwlock_rdlock(&x->registry->store->collecting);
    rc = store(x, &missing, &err);
    pthread_rwlock_unlock(&x->registry->store->collecting);
    serve_budget_give(x->registry->parsing, taken);
    if (rc < 0)
        answer_refused(x, &missing, err);
}

/* ---- deleting ---- */

void serve_manifest_delete(struct serve_exchange *x)
{
    coras_auto(coras_error) err = NULL;
    int rc;

    if (x->registry->options.disable_delete) {
        serve_answer_error(x, SERVE_API_UNSUPPORTED, "deleting is switched off", NULL);
        return;
    }
    if (x->route.tag)
        rc = x->content->ops->delete_tag(x->content, x->route.repository, x->route.tag, &err);
    else
        rc = x->content->ops->delete_manifest(x->content, x->route.repository, &x->route.digest,
                                              &err);
    if (rc == CORAS_ERR_NOT_FOUND)
        answer_unknown(x);
    else if (rc < 0)
        serve_answer_failure(x, err);
    else
        serve_answer_empty(x, 202);
    serve_proxied_forget(x);
}
