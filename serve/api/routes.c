/* SPDX-License-Identifier: Apache-2.0 */
/* From the path of a request to the operation that it asks for. */
#include "serve/api/routes.h"

#include "base/alloc.h"
#include "coras/reference.h"

/* A name of 255 bytes has at most 128 components; the rest is keywords. Beyond: not ours. */
#define SEGMENTS_MAX 136

struct path {
    char *segments[SEGMENTS_MAX]; /* decoded */
    size_t len;
};

static void path_clear(struct path *p)
{
    for (size_t i = 0; i < p->len; i++)
        free(p->segments[i]);
    p->len = 0;
}

/* Split at '/' and decode each segment once. What decodes to a path of its own is refused. */
static enum serve_route_error path_split(coras_str text, struct path *p)
{
    const char *at = text.ptr, *end = text.ptr + text.len;

    for (;;) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        const char *stop = slash ? slash : end;
        char *segment;

        if (p->len == SEGMENTS_MAX)
            return SERVE_ROUTE_BAD_NAME;
        segment = serve_uri_decode((coras_str){at, (size_t)(stop - at)});
        if (!segment)
            return SERVE_ROUTE_BAD_TARGET;
        p->segments[p->len++] = segment;
        if (strchr(segment, '/') || strchr(segment, '\\') || coras_streq(segment, ".") ||
            coras_streq(segment, ".."))
            return SERVE_ROUTE_BAD_NAME;
        if (!slash)
            return SERVE_ROUTE_OK;
        at = slash + 1;
    }
}

/* A name may begin with that of the registry that it is of, which may have a port. */
static bool is_name(const char *text)
{
    const char *slash = strchr(text, '/');
    coras_auto_free char *host = NULL;

    if (coras_repository_validate(text, NULL) == 0)
        return true;
    if (!slash || !memchr(text, ':', (size_t)(slash - text)))
        return false;
    host = coras_strndup(text, (size_t)(slash - text));
    return host && coras_registry_validate(host, NULL) == 0 &&
           coras_repository_validate(slash + 1, NULL) == 0;
}

/* Join the first `count` segments to the repository name. */
static enum serve_route_error take_name(const struct path *p, size_t count, struct serve_route *r)
{
    coras_auto_buf name = CORAS_BUF_INIT(SERVE_REPOSITORY_NAME_MAX);

    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            coras_buf_putc(&name, '/');
        coras_buf_puts(&name, p->segments[i]);
    }
    if (name.failed || !is_name(name.ptr))
        return SERVE_ROUTE_BAD_NAME;
    r->repository = coras_strdup(name.ptr);
    return r->repository ? SERVE_ROUTE_OK : SERVE_ROUTE_BAD_NAME;
}

static enum serve_route_error take_digest(const char *text, struct serve_route *r)
{
    return coras_digest_parse(text, &r->digest, NULL) < 0 ? SERVE_ROUTE_BAD_DIGEST : SERVE_ROUTE_OK;
}

/* No tag has a colon and every digest has one. */
static enum serve_route_error take_reference(const char *text, struct serve_route *r)
{
    if (strchr(text, ':'))
        return take_digest(text, r);
    if (coras_tag_validate(text, NULL) < 0)
        return SERVE_ROUTE_BAD_TAG;
    r->tag = coras_strdup(text);
    return r->tag ? SERVE_ROUTE_OK : SERVE_ROUTE_BAD_TAG;
}

static enum serve_route_error take_session(const char *text, struct serve_route *r)
{
    for (size_t i = 0; i < SERVE_SESSION_ID_LEN; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !coras_is_hex_lower(text[i]))
            return SERVE_ROUTE_BAD_SESSION;
    }
    if (text[SERVE_SESSION_ID_LEN] != '\0')
        return SERVE_ROUTE_BAD_SESSION;
    r->session = coras_strdup(text);
    return r->session ? SERVE_ROUTE_OK : SERVE_ROUTE_BAD_SESSION;
}

static enum serve_route_kind route_kind(const struct path *p)
{
    const char *last = p->segments[p->len - 1];
    const char *keyword = p->len >= 2 ? p->segments[p->len - 2] : "";

    if (p->len == 1)
        return coras_streq(last, "_catalog") ? SERVE_ROUTE_CATALOG : SERVE_ROUTE_NONE;
    if (coras_streq(keyword, "manifests"))
        return SERVE_ROUTE_MANIFEST;
    if (coras_streq(keyword, "referrers"))
        return SERVE_ROUTE_REFERRERS;
    if (coras_streq(keyword, "tags"))
        return coras_streq(last, "list") ? SERVE_ROUTE_TAGS : SERVE_ROUTE_NONE;
    if (coras_streq(keyword, "blobs"))
        return coras_streq(last, "uploads") ? SERVE_ROUTE_UPLOADS : SERVE_ROUTE_BLOB;
    if (coras_streq(keyword, "uploads") && p->len >= 3 &&
        coras_streq(p->segments[p->len - 3], "blobs"))
        return *last ? SERVE_ROUTE_SESSION : SERVE_ROUTE_UPLOADS;
    return SERVE_ROUTE_NONE;
}

static enum serve_route_error route_match(const struct path *p, struct serve_route *r)
{
    const char *last = p->segments[p->len - 1];
    enum serve_route_error status = SERVE_ROUTE_OK;
    /* keywords and reference right of the name: two, or three below blobs/uploads/ */
    bool below_uploads = p->len >= 2 && coras_streq(p->segments[p->len - 2], "uploads");
    size_t tail = below_uploads ? 3 : 2;

    r->kind = route_kind(p);
    if (r->kind == SERVE_ROUTE_NONE)
        return SERVE_ROUTE_NOT_FOUND;
    if (r->kind == SERVE_ROUTE_CATALOG)
        return SERVE_ROUTE_OK;
    status = take_name(p, p->len - tail, r);
    if (status != SERVE_ROUTE_OK)
        return status;
    switch (r->kind) {
    case SERVE_ROUTE_MANIFEST:
        return take_reference(last, r);
    case SERVE_ROUTE_BLOB:
    case SERVE_ROUTE_REFERRERS:
        return take_digest(last, r);
    case SERVE_ROUTE_SESSION:
        return take_session(last, r);
    default:
        return SERVE_ROUTE_OK;
    }
}

/* A page for people: the last component may end in :TAG or @DIGEST. */
static enum serve_route_error match_page(const struct path *p, struct serve_route *r)
{
    char *last = p->segments[p->len - 1];
    char *at = strchr(last, '@'), *mark = at ? at : strchr(last, ':');
    enum serve_route_error status;

    r->kind = mark ? SERVE_ROUTE_SITE_MANIFEST : SERVE_ROUTE_SITE_REPOSITORY;
    if (mark)
        *mark = '\0';
    status = take_name(p, p->len, r);
    if (status != SERVE_ROUTE_OK || !mark)
        return status;
    return at ? take_digest(mark + 1, r) : take_reference(mark + 1, r);
}

/* What is one path in its one spelling. */
static enum serve_route_kind whole_path(coras_str path)
{
    static const struct {
        const char *path;
        enum serve_route_kind kind;
    } rows[] = {
        {"/v2", SERVE_ROUTE_BASE},
        {"/v2/", SERVE_ROUTE_BASE},
        {"/healthz", SERVE_ROUTE_HEALTH},
        {"/readyz", SERVE_ROUTE_READY},
        {"/metrics", SERVE_ROUTE_METRICS},
        {"/", SERVE_ROUTE_SITE_HOME},
        {"/page.css", SERVE_ROUTE_SITE_STYLE},
    };

    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        if (coras_str_eq(path, rows[i].path))
            return rows[i].kind;
    }
    return SERVE_ROUTE_NONE;
}

enum serve_route_error serve_route_parse(const char *target, struct serve_route *ret)
{
    struct path path = {.len = 0};
    const char *question = strchr(target, '?');
    coras_str text = {target, question ? (size_t)(question - target) : strlen(target)};
    enum serve_route_error status;
    bool is_page;
    size_t prefix;

    *ret = (struct serve_route){0};
    if (target[0] != '/' || strchr(target, '#'))
        return SERVE_ROUTE_BAD_TARGET;
    if (question && !serve_query_parse(coras_str_of(question + 1), &ret->query))
        return SERVE_ROUTE_BAD_TARGET;
    ret->kind = whole_path(text);
    if (ret->kind != SERVE_ROUTE_NONE)
        return SERVE_ROUTE_OK;
    is_page = coras_str_starts(target, "/r/");
    if (!is_page && !coras_str_starts(target, "/v2/"))
        return SERVE_ROUTE_NOT_FOUND;
    prefix = is_page ? 3 : 4;
    status = path_split((coras_str){text.ptr + prefix, text.len - prefix}, &path);
    if (status == SERVE_ROUTE_OK)
        status = is_page ? match_page(&path, ret) : route_match(&path, ret);
    path_clear(&path);
    return status;
}

void serve_route_clear(struct serve_route *r)
{
    free(r->repository);
    free(r->tag);
    free(r->session);
    serve_query_clear(&r->query);
    *r = (struct serve_route){0};
}
