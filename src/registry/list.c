/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: the tags of a repository, the repositories of a registry.
 * Spec: distribution-spec 1.1, "Listing Tags". The catalog is older than the specification.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "codec/json.h"
#include "base/limits.h"
#include "base/trace.h"
#include "coras/reference.h"
#include "http/url.h"
#include "registry/paging.h"
#include "registry/registry.h"

struct listing {
    const char *key; /* member of the page that holds the names */
    bool (*visit)(const char *name, void *user);
    void *user;
};

/* Printable ASCII: whatever else cannot be a name, and should not reach a terminal. */
static bool is_name(const char *s)
{
    const char *start = s;

    for (; *s; s++)
        if (*s <= ' ' || *s > '~')
            return false;
    return s > start;
}

static void warn_skipped(const char *name)
{
    coras_auto_free char *shown = coras_escape_dup(name);

    coras_trace_warning(NULL, "skipped an invalid name in the registry's list: \"%.300s\"",
                        shown ? shown : "");
}

static int bad_page(const coras_response *resp, const char *what, coras_error **err)
{
    coras_auto_buf url = CORAS_BUF_UNLIMITED;

    coras_url_put_for_message(&url, coras_response_url(resp));
    return coras_fail(err, CORAS_ERR_PROTOCOL, "\"%s\": %s", url.ptr, what);
}

/* A null list is an empty one; anything else that is no list was sent by somebody else. */
static int find_names(const struct listing *l, const coras_response *resp, const coras_json *page,
                      const coras_json **ret, coras_error **err)
{
    const coras_json *names = coras_json_get(page, l->key);
    enum coras_json_type type = coras_json_type_of(names);

    if (coras_json_type_of(page) != CORAS_JSON_OBJECT || coras_json_get(page, "errors") ||
        (type != CORAS_JSON_ARRAY && type != CORAS_JSON_NULL))
        return bad_page(resp, "the answer is not a list of names", err);
    *ret = names;
    return 0;
}

/* In the words of Go's decoder. */
static int not_json(const coras_response *resp, coras_error **err)
{
    coras_str body = coras_response_body(resp);
    coras_auto(coras_error) reason = NULL;
    coras_auto_buf url = CORAS_BUF_UNLIMITED;
    const char *words = "the answer is not valid JSON";

    if (coras_json_check(body.ptr, body.len, &reason) == CORAS_ERR_INVALID_JSON)
        words = coras_error_message(reason);
    coras_url_put_for_message(&url, coras_response_url(resp));
    return coras_fail(err, CORAS_ERR_PROTOCOL, "GET \"%s\": failed to decode response: %s", url.ptr,
                      words);
}

static int visit_page(void *user, const coras_response *resp, coras_error **err)
{
    const struct listing *l = user;
    coras_str body = coras_response_body(resp);
    coras_auto(coras_json) page = NULL;
    const coras_json *names;
    const char *name;

    if (coras_json_parse(body.ptr, body.len, &page, NULL) < 0)
        return not_json(resp, err);
    CORAS_TRY(find_names(l, resp, page, &names, err));
    for (size_t i = 0; i < coras_json_len(names); i++) {
        if (!coras_json_string(coras_json_at(names, i), &name))
            return bad_page(resp, "a name in the list is no text", err);
        if (!is_name(name))
            warn_skipped(name);
        else if (!l->visit(name, l->user))
            return 1;
    }
    return 0;
}

static void put_last(coras_buf *url, const char *last)
{
    if (!last || !*last)
        return;
    coras_buf_puts(url, "?last=");
    coras_url_put_query(url, last);
}

int coras_registry_tags(coras_target *t, const char *last,
                        bool (*visit)(const char *tag, void *user), void *user, coras_error **err)
{
    coras_registry *r = coras_registry_of(t);
    coras_auto_buf url = CORAS_BUF_UNLIMITED;
    struct listing listing = {"tags", visit, user};
    coras_pages pages = {
        .client = r->client,
        .registry = r->host,
        .base_url = r->base_url,
        .scopes = coras_registry_read_scope(r)->list,
        .manner = &r->manner,
        .page = visit_page,
        .user = &listing,
    };

    coras_registry_put_url(r, &url, "tags/list");
    put_last(&url, last);
    coras_registry_put_query(r, &url);
    CORAS_TRY(coras_buf_done(&url, err));
    return coras_pages_walk(&pages, url.ptr, err);
}

int coras_list_repositories(coras_client *client, const char *registry, const char *last,
                            bool (*visit)(const char *name, void *user), void *user,
                            coras_error **err)
{
    static const char *const scopes[] = {"registry:catalog:*", NULL};
    coras_auto_buf url = CORAS_BUF_UNLIMITED;
    coras_auto_free char *base_url = NULL;
    struct listing listing = {"repositories", visit, user};

    if (!client || !registry || !visit)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing argument");
    CORAS_TRY(coras_registry_validate(registry, err));
    CORAS_TRY(coras_client_base_url(client, registry, &base_url, err));
    coras_buf_puts(&url, base_url);
    coras_buf_puts(&url, "/v2/_catalog");
    put_last(&url, last);
    CORAS_TRY(coras_buf_done(&url, err));
    coras_pages pages = {
        .client = client,
        .registry = registry,
        .base_url = base_url,
        .scopes = scopes,
        .page = visit_page,
        .user = &listing,
    };
    return coras_pages_walk(&pages, url.ptr, err);
}
