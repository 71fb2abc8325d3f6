/* SPDX-License-Identifier: Apache-2.0 */
/* Tags and referrers, from upstream and from here. */
#include "serve/proxy/lists.h"

#include <inttypes.h>
#include <stdio.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/vec.h"
#include "codec/json.h"
#include "registry/manner.h"
#include "registry/registry.h"
#include "serve/http/log.h"
#include "serve/proxy/asking.h"
#include "serve/proxy/failure.h"
#include "serve/proxy/following.h"

/* A list comes page by page. */
#define LIST_MS 30000
/* For what a client waits before it hears something. */
#define JOIN_MS 8000

static const struct serve_said yes = {SERVE_SAID_YES, 0};
static const struct serve_said absent = {SERVE_SAID_ABSENT, 0};
static const struct serve_said failed = {SERVE_SAID_FAILED, 0};

/* One list that is asked for. */
struct list_question {
    const struct serve_exchange *x;
    const char *last; /* tags: after this one, at most `limit` */
    int64_t limit;
    const char *artifact_type; /* referrers */
    bool takes_tag;            /* referrers: where there is no such list, the tag in its place */
    bool unsupported;          /* referrers: there is no such list */
    coras_strlist *names;
    coras_error **err;
    int rc;
};

static void sort_and_unite(coras_strlist *names)
{
    size_t kept = 0;

    coras_strlist_sort(names);
    for (size_t i = 0; i < names->len; i++) {
        if (kept > 0 && coras_streq(names->items[kept - 1], names->items[i]))
            free(names->items[i]);
        else
            names->items[kept++] = names->items[i];
    }
    names->len = kept;
}

static int copy_names(const coras_strlist *from, coras_strlist *to, coras_error **err)
{
    for (size_t i = 0; i < from->len; i++)
        CORAS_TRY(coras_strlist_add(to, from->items[i], err));
    return 0;
}

/* Ask, or wait for whoever is asking the same, and copy what came. */
static struct serve_said ask(struct serve_exchange *x, const char *key,
                             int (*question)(void *user, coras_target *target, coras_error **err),
                             struct list_question *q, coras_strlist *ret)
{
    serve_flights *flights = x->registry->upstreams->flights;
    bool down = serve_upstream_is_down(x->place.upstream);
    struct serve_said said = {down ? SERVE_SAID_DOWN : SERVE_SAID_LATE, 0};
    serve_flight *flight;
    enum serve_flight_role role = serve_follow(x, key, down ? 0 : JOIN_MS, &flight);

    if (role == SERVE_FLIGHT_LATER)
        return (struct serve_said){SERVE_SAID_WAIT, 0};
    if (role == SERVE_FLIGHT_NONE)
        return said;
    if (role == SERVE_FLIGHT_LEAD) {
        q->names = &flight->names;
        flight->said = serve_ask(&x->place, question, q);
        flight->unsupported = q->unsupported;
        serve_flight_land(flights, flight);
    }
    q->unsupported = flight->unsupported;
    said = flight->said;
    if (copy_names(&flight->names, ret, NULL) < 0)
        said = failed;
    serve_flight_leave(flights, flight);
    return said;
}

static void set_limits(const struct list_question *q, coras_target *target)
{
    coras_registry_set_limits(target, q->x->place.upstream->quick_s, coras_now_ms() + LIST_MS);
}

/* ---- tags ---- */

static bool add_tag(const char *tag, void *user)
{
    struct list_question *q = user;

    if ((int64_t)q->names->len > q->limit) /* one more tells that there are more */
        return false;
    q->rc = coras_strlist_add(q->names, tag, q->err);
    return q->rc == 0;
}

static int ask_tags(void *user, coras_target *target, coras_error **err)
{
    struct list_question *q = user;

    set_limits(q, target);
    coras_strlist_clear(q->names);
    q->err = err;
    CORAS_TRY(target->ops->tags(target, q->last, add_tag, q, err));
    return q->rc;
}

/* What is known here: all of it, or what was pushed. */
static struct serve_said local_tags(const struct serve_exchange *x, const struct serve_page *page,
                                    bool all, coras_strlist *ret, bool *ret_more)
{
    serve_metadata *m = x->registry->metadata;
    const char *repository = x->route.repository;
    bool more = false;

    if (serve_metadata_has_repository(m, repository, NULL) < 0)
        return absent;
    if ((all ? serve_metadata_tags : serve_metadata_pushed_tags)(m, repository, page->last,
                                                                 page->limit, ret, &more, NULL) < 0)
        return failed;
    *ret_more = *ret_more || more;
    return ret->len > 0 || !x->place.is_named ? yes : absent;
}

static void cut(coras_strlist *names, int64_t limit, bool *ret_more)
{
    sort_and_unite(names);
    while ((int64_t)names->len > limit) {
        *ret_more = true;
        free(names->items[--names->len]);
    }
}

/* An empty list of a registry that does not answer would say that there is nothing. */
static struct serve_said stale_tags(struct serve_exchange *x, const struct serve_page *page,
                                    struct serve_said said, coras_strlist *ret, bool *ret_more)
{
    coras_strlist_clear(ret);
    if (x->registry->options.no_stale || !serve_said_allows_stale(said) ||
        local_tags(x, page, true, ret, ret_more).kind != SERVE_SAID_YES || ret->len == 0)
        return said;
    serve_answer_header(x, "Warning", "299 - \"%s\"",
                        "the registry behind this cache does not answer: only known tags");
    return yes;
}

struct serve_said serve_proxied_tags(struct serve_exchange *x, const struct serve_page *page,
                                     coras_strlist *ret, bool *ret_more)
{
    struct list_question q = {.x = x, .last = page->last, .limit = page->limit};
    coras_auto_free char *key =
        coras_asprintf("T%s %" PRId64 " %s", x->route.repository, page->limit, page->last);
    struct serve_said said = key ? ask(x, key, ask_tags, &q, ret) : failed;
    struct serve_said here;

    *ret_more = false;
    if (said.kind != SERVE_SAID_YES && said.kind != SERVE_SAID_ABSENT)
        return stale_tags(x, page, said, ret, ret_more);
    here = x->place.is_named ? absent : local_tags(x, page, false, ret, ret_more);
    cut(ret, page->limit, ret_more);
    return here.kind == SERVE_SAID_YES ? yes : said;
}

/* ---- referrers ---- */

struct serve_proxied_referrer serve_proxied_referrer_of(const char *text)
{
    struct serve_proxied_referrer r = {.descriptor = strchr(text, '{')};

    snprintf(r.digest, sizeof(r.digest), "%.*s", (int)strcspn(text, "{"), text);
    return r;
}

static int add_text(coras_strlist *names, const char *digest, const char *descriptor,
                    coras_error **err)
{
    coras_auto_free char *text = coras_asprintf("%s%s", digest, descriptor);

    return text ? coras_strlist_add(names, text, err) : coras_fail_no_memory(err);
}

static bool add_referrer(const coras_descriptor *d, void *user)
{
    struct list_question *q = user;
    coras_auto_buf json = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&json, 0);
    char digest[CORAS_DIGEST_TEXT_MAX];

    coras_descriptor_write(&w, d);
    q->rc = coras_buf_done(&json, q->err);
    if (q->rc == 0)
        q->rc = add_text(q->names, coras_digest_format(&d->digest, digest), json.ptr, q->err);
    return q->rc == 0;
}

/* What clients find under the tag by which a registry that does not know the list keeps it. */
static int ask_referrers_tag(struct list_question *q, coras_target *target, coras_error **err)
{
    coras_auto_value(coras_referrers_index) list = {0};
    coras_auto_value(coras_descriptor) index = CORAS_DESCRIPTOR_INIT;
    const char *wanted = q->artifact_type;

    CORAS_TRY(coras_registry_read_referrers_tag(coras_registry_of(target), &q->x->route.digest,
                                                &index, &list, err));
    coras_vec_foreach (d, &list.entries) {
        if (wanted && !(d->artifact_type && coras_streq(d->artifact_type, wanted)))
            continue;
        if (!add_referrer(d, q))
            return q->rc;
    }
    return 0;
}

/* A registry that knows the list has no such repository: nothing refers to it. One that does not
 * know the list is another matter: whoever asks has to look for the tag. */
static int ask_referrers(void *user, coras_target *target, coras_error **err)
{
    struct list_question *q = user;
    const coras_descriptor subject = {.digest = q->x->route.digest};
    coras_auto(coras_error) failure = NULL;
    int rc;

    set_limits(q, target);
    coras_strlist_clear(q->names);
    q->err = err;
    rc = target->ops->referrers(target, &subject, q->artifact_type, add_referrer, q, &failure);
    if (rc == 0)
        return q->rc;
    if (rc == CORAS_ERR_UNSUPPORTED && q->takes_tag)
        return ask_referrers_tag(q, target, err);
    q->unsupported = rc == CORAS_ERR_UNSUPPORTED;
    if (q->unsupported || serve_upstream_status(failure) == 404)
        return 0;
    coras_error_propagate(err, &failure);
    return rc;
}

struct local_referrers {
    coras_strlist *names;
    int rc;
};

static bool add_local(const char *descriptor, const char *digest, void *user)
{
    struct local_referrers *l = user;

    l->rc = add_text(l->names, digest, descriptor, NULL);
    return l->rc == 0;
}

static bool add_locals(const struct serve_exchange *x, const char *artifact_type,
                       coras_strlist *names)
{
    const struct serve_referrers_query query = {.repository = x->route.repository,
                                                .subject = x->route.digest,
                                                .artifact_type = artifact_type,
                                                .last = "",
                                                .limit = CORAS_LIMIT_REFERRER_LISTS};
    struct local_referrers l = {names, 0};

    return serve_metadata_referrers(x->registry->metadata, &query, add_local, &l, NULL) == 0 &&
           l.rc == 0;
}

/* Where something was pushed into a repository that refers to something, this registry has the list
 * for all of it. A client that heard now that there is one and now that there is none gives up. */
static bool has_own_referrers(const struct serve_exchange *x)
{
    bool has = false;

    return !x->place.is_named &&
           serve_metadata_has_referrers(x->registry->metadata, x->route.repository, &has, NULL) ==
               0 &&
           has;
}

struct serve_said serve_proxied_referrers(struct serve_exchange *x, const char *artifact_type,
                                          coras_strlist *ret)
{
    struct list_question q = {
        .x = x, .artifact_type = artifact_type, .takes_tag = has_own_referrers(x)};
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_auto_free char *key = coras_asprintf(
        "%c%s %s %s", q.takes_tag ? 'L' : 'R', x->route.repository,
        coras_digest_format(&x->route.digest, digest), artifact_type ? artifact_type : "");
    struct serve_said said = key ? ask(x, key, ask_referrers, &q, ret) : failed;

    if (said.kind != SERVE_SAID_YES)
        return said;
    if (q.unsupported)
        return absent;
    if (q.takes_tag && !add_locals(x, artifact_type, ret))
        return failed;
    sort_and_unite(ret);
    return yes;
}
