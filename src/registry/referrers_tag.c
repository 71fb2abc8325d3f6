/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The referrers tag of registries without the referrers API: an index under a tag made from the
 * subject's digest, which clients keep themselves.
 * Spec: distribution-spec 1.1, "Referrers Tag Schema".
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/trace.h"
#include "oci/digest.h"
#include "oci/manifest.h"
#include "registry/referrers_index.h"
#include "registry/registry.h"

enum {
    UPDATES_MAX = 5, /* tries against other writers */
    WAIT_MS = 100,
    WAIT_MAX_MS = 1000,
};

/* Of what the tag names: some registries read the tag as the digest that it is made from, and so
 * show the subject, whatever was stored there. */
static bool names(const coras_descriptor *index, const coras_digest *subject)
{
    return index->media_type && coras_digest_equal(&index->digest, subject);
}

/* 1: *ret_index and *ret are set; 0: there is no list, *ret_index is what else the tag names. */
int coras_registry_read_referrers_tag(coras_registry *r, const coras_digest *subject,
                                      coras_descriptor *ret_index, coras_referrers_index *ret,
                                      coras_error **err)
{
    coras_auto_buf bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    coras_auto(coras_error) failure = NULL;
    char tag[CORAS_DIGEST_TEXT_MAX];

    coras_digest_referrers_tag(subject, tag);
    int rc = coras_registry_fetch_manifest(&r->base, tag, NULL, ret_index, &bytes, &failure);
    if (rc == CORAS_ERR_NOT_FOUND)
        return 0;
    if (rc < 0) {
        coras_error_propagate(err, &failure);
        return rc;
    }
    if (!coras_streq(ret_index->media_type, CORAS_MT_OCI_INDEX) || names(ret_index, subject))
        return 0;
    rc = coras_referrers_index_parse(bytes.ptr, bytes.len, ret, err);
    return rc < 0 ? coras_wrap(err, rc, "%s/%s:%s", r->host, r->repository, tag) : 1;
}

/* One change of one list. */
struct change {
    const coras_digest *subject;
    const coras_descriptor *add; /* or */
    const coras_digest *remove;
};

/* Another writer's loss is ours: what the tag names now must show the change. */
static int is_in_effect(coras_registry *r, const struct change *c, bool *ret, coras_error **err)
{
    coras_auto_value(coras_referrers_index) now = {0};
    coras_auto_value(coras_descriptor) index = CORAS_DESCRIPTOR_INIT;

    CORAS_TRY(coras_registry_read_referrers_tag(r, c->subject, &index, &now, err));
    if (names(&index, c->subject)) /* nobody sees the list there */
        *ret = true;
    else
        *ret = c->add ? coras_referrers_index_has(&now, &c->add->digest)
                      : !coras_referrers_index_has(&now, c->remove);
    return 0;
}

/* The index that was replaced is of no use to anybody. That some registries do not delete is no
 * failure. */
static void drop_index(coras_registry *r, const coras_descriptor *index)
{
    coras_auto(coras_error) failure = NULL;

    int rc = coras_registry_delete_digest(r, "manifests", &index->digest, &failure);
    if (rc == 0 || rc == CORAS_ERR_NOT_FOUND)
        return;
    switch (coras_error_http_status(failure)) {
    case 400:
    case 401:
    case 403:
    case 405:
        coras_trace_debug("superseded referrers index stays: %s", coras_error_message(failure));
        break;
    default:
        coras_trace_warning(NULL, "superseded referrers index stays: %s",
                            coras_error_message(failure));
    }
}

static int put_index(coras_registry *r, const struct change *c, const coras_referrers_index *l,
                     coras_descriptor *ret, coras_error **err)
{
    coras_auto_buf bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    char tag[CORAS_DIGEST_TEXT_MAX];

    CORAS_TRY(coras_referrers_index_write(l, &bytes, err));
    CORAS_TRY(coras_descriptor_of_bytes(CORAS_MT_OCI_INDEX, bytes.ptr, bytes.len, ret, err));
    coras_digest_referrers_tag(c->subject, tag);
    return coras_registry_put_manifest(r, ret, bytes.ptr, tag, NULL, err);
}

/* A registry refuses a list that names what it no longer has: that is left out. */
static int drop_missing(coras_registry *r, coras_referrers_index *l, bool *ret_dropped,
                        coras_error **err)
{
    size_t i = 0;

    while (i < l->entries.len) {
        bool there = false;
        CORAS_TRY(coras_registry_exists(&r->base, &l->entries.items[i], &there, err));
        if (there)
            i++;
        else
            *ret_dropped |= coras_referrers_index_remove(l, &l->entries.items[i].digest);
    }
    return 0;
}

static int put_what_is_there(coras_registry *r, const struct change *c, coras_referrers_index *l,
                             coras_descriptor *ret, coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    bool dropped = false;
    int rc = put_index(r, c, l, ret, &failure);

    if (rc < 0 && coras_error_has_registry_code(failure, "MANIFEST_BLOB_UNKNOWN"))
        CORAS_TRY(drop_missing(r, l, &dropped, err));
    if (dropped) {
        coras_descriptor_clear(ret);
        return put_index(r, c, l, ret, err);
    }
    coras_error_propagate(err, &failure);
    return rc;
}

/*
 * Who read the list before ours was there may write without it for as long as reading and writing
 * take, and would not know. Those who wait as long before they look again see it.
 */
static int wait_for_others(coras_registry *r, int64_t began_ms, int64_t put_ms, coras_error **err)
{
    int64_t took_ms = put_ms - began_ms + 1, since_ms = coras_now_ms() - put_ms;

    if (took_ms > WAIT_MAX_MS)
        took_ms = WAIT_MAX_MS;
    if (since_ms >= took_ms)
        return 0;
    return coras_cancel_sleep_ms(r->base.cancel, (int)(took_ms - since_ms), err);
}

/* Whether the tag still names our list, or one with our change. */
static int is_still_in_effect(coras_registry *r, const struct change *c,
                              const coras_descriptor *new, bool *ret, coras_error **err)
{
    coras_auto_value(coras_descriptor) now = CORAS_DESCRIPTOR_INIT;
    char tag[CORAS_DIGEST_TEXT_MAX];

    coras_digest_referrers_tag(c->subject, tag);
    *ret = coras_registry_resolve(&r->base, tag, &now, NULL) == 0 &&
           coras_digest_equal(&now.digest, &new->digest);
    return *ret ? 0 : is_in_effect(r, c, ret, err);
}

/* 1: done; 0: another writer came between, again. */
static int try_update(coras_registry *r, const struct change *c, coras_error **err)
{
    coras_auto_value(coras_referrers_index) l = {0};
    coras_auto_value(coras_descriptor) old = CORAS_DESCRIPTOR_INIT;
    coras_auto_value(coras_descriptor) new = CORAS_DESCRIPTOR_INIT;
    int64_t began_ms = coras_now_ms();
    bool in_effect = false;

    int found = coras_registry_read_referrers_tag(r, c->subject, &old, &l, err);
    CORAS_TRY(found);
    if (!found && old.media_type && c->add && !names(&old, c->subject))
        return coras_fail(err, CORAS_ERR_EXISTS,
                          "the tag for the list of referrers names something else");
    int changed = c->add ? coras_referrers_index_add(&l, c->add, err)
                         : coras_referrers_index_remove(&l, c->remove);
    if (changed <= 0)
        return changed < 0 ? changed : 1;
    if (!l.entries.len) {
        drop_index(r, &old);
        return 1;
    }
    CORAS_TRY(put_what_is_there(r, c, &l, &new, err));
    int64_t put_ms = coras_now_ms();
    CORAS_TRY(is_in_effect(r, c, &in_effect, err));
    if (!in_effect)
        return 0;
    if (found && !coras_digest_equal(&old.digest, &new.digest))
        drop_index(r, &old);
    CORAS_TRY(wait_for_others(r, began_ms, put_ms, err));
    CORAS_TRY(is_still_in_effect(r, c, &new, &in_effect, err));
    return in_effect;
}

static int update(coras_registry *r, const struct change *c, coras_error **err)
{
    for (int tries = 0; tries < UPDATES_MAX; tries++) {
        int done = try_update(r, c, err);
        if (done != 0)
            return done < 0 ? done : 0;
        CORAS_TRY(coras_cancel_sleep_ms(r->base.cancel,
                                        WAIT_MS + coras_random_below(WAIT_MS << tries), err));
    }
    return coras_fail(err, CORAS_ERR_CHANGED, "other writers kept changing the list of referrers");
}

static int change(coras_registry *r, const struct change *c, coras_error **err)
{
    char tag[CORAS_DIGEST_TEXT_MAX];

    pthread_mutex_lock(&r->referrers_lock);
    int rc = update(r, c, err);
    pthread_mutex_unlock(&r->referrers_lock);
    if (rc == 0)
        return 0;
    coras_digest_referrers_tag(c->subject, tag);
    return coras_wrap(err, rc, "list of referrers %s/%s:%s", r->host, r->repository, tag);
}

/* Whether the document has a subject; one that we cannot read has none. */
static bool has_subject(const coras_descriptor *desc, const void *data, coras_manifest *ret)
{
    enum coras_manifest_kind kind = coras_media_type_kind(desc->media_type);

    return (kind == CORAS_KIND_IMAGE || kind == CORAS_KIND_INDEX || kind == CORAS_KIND_ARTIFACT) &&
           coras_manifest_parse(data, (size_t)desc->size, desc->media_type, ret, NULL) == 0 &&
           ret->has_subject;
}

static int describe_referrer(const coras_descriptor *desc, const coras_manifest *m,
                             coras_descriptor *ret, coras_error **err)
{
    const char *type = coras_manifest_effective_artifact_type(m);

    CORAS_TRY(coras_descriptor_set(ret, desc->media_type, &desc->digest, desc->size, err));
    ret->artifact_type = type ? coras_strdup(type) : NULL;
    if (type && !ret->artifact_type)
        return coras_fail_no_memory(err);
    return coras_annotations_copy(&ret->annotations, &m->annotations, err);
}

int coras_registry_index_referrer(coras_registry *r, const coras_descriptor *desc, const void *data,
                                  bool noted, coras_error **err)
{
    coras_auto_value(coras_manifest) m = {0};
    coras_auto_value(coras_descriptor) entry = CORAS_DESCRIPTOR_INIT;
    enum coras_referrers_mode mode = coras_client_referrers_mode(r->client);

    if (mode == CORAS_REFERRERS_API || !has_subject(desc, data, &m))
        return 0;
    coras_registry_note_referrers(r, noted);
    if (noted && mode != CORAS_REFERRERS_TAG)
        return 0;
    CORAS_TRY(describe_referrer(desc, &m, &entry, err));
    struct change c = {.subject = &m.subject.digest, .add = &entry};
    return change(r, &c, err);
}

int coras_registry_unindex_referrer(coras_registry *r, const coras_descriptor *desc,
                                    coras_error **err)
{
    coras_auto_buf bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    coras_auto_value(coras_manifest) m = {0};
    bool api;

    if (coras_client_referrers_mode(r->client) == CORAS_REFERRERS_API)
        return 0;
    CORAS_TRY(coras_target_fetch_verified(&r->base, desc, CORAS_LIMIT_MANIFEST, &bytes, err));
    if (!has_subject(desc, bytes.ptr, &m))
        return 0;
    CORAS_TRY(coras_registry_has_referrers_api(r, &api, err));
    if (api)
        return 0;
    struct change c = {.subject = &m.subject.digest, .remove = &desc->digest};
    return change(r, &c, err);
}
