/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs that are there already: taken over from another repository, or found in this one by the
 * request that would begin their upload.
 * Spec: distribution-spec 1.1, "Mounting a blob from another repository".
 *
 * A mount of a blob out of the repository itself is answered 201 when it is there, and begins its
 * upload (202) when it is not: one request in place of HEAD and POST. Not every registry looks, and
 * 202 then says nothing. So one is asked for a blob that is known to be there, once, and believed
 * when it has said so. Nothing depends on it: who does not tell is asked by HEAD.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "oci/digest.h"
#include "registry/registry.h"
#include "registry/upload_session.h"
#include "registry/url_policy.h"

enum {
    LEARN_AFTER = 4,           /* claims: below, the question costs more than it saves */
    CLAIM_MAX = 4 * CORAS_MIB, /* larger blobs go in pieces and may have a former upload */
    MOUNTED = 201,
    DECLINED = 202,
};

/* What a digest and a repository are made of stands in a query as it is. */
static int mount_url(const coras_registry *r, const coras_digest *digest, const char *from,
                     char **ret, coras_error **err)
{
    coras_auto_buf b = CORAS_BUF_UNLIMITED;
    char text[CORAS_DIGEST_TEXT_MAX];

    coras_registry_put_url(r, &b, "blobs/uploads/?mount=");
    coras_buf_puts(&b, coras_digest_format(digest, text));
    coras_buf_puts(&b, "&from=");
    coras_buf_puts(&b, from);
    return coras_buf_take(&b, ret, err);
}

/* ---- the upload that a declined mount has begun: push_blob goes on with it ---- */

static char *session_of(const coras_registry *r, const coras_response *resp)
{
    const char *location = coras_response_header(resp, "Location");
    char *url = NULL;

    if (!location ||
        coras_upload_location(r->base_url, coras_response_url(resp), location, &url, NULL) < 0)
        return NULL;
    return url;
}

static void keep_session(coras_registry *r, const coras_digest *digest, const coras_response *resp)
{
    char text[CORAS_DIGEST_TEXT_MAX];
    char *url = session_of(r, resp);

    if (!url)
        return;
    pthread_mutex_lock(&r->lock);
    if (coras_map_set(r->sessions, coras_digest_format(digest, text), url, NULL) < 0)
        free(url);
    pthread_mutex_unlock(&r->lock);
}

char *coras_registry_take_session(coras_registry *r, const coras_digest *digest)
{
    char text[CORAS_DIGEST_TEXT_MAX];
    char *url = NULL;

    coras_digest_format(digest, text);
    pthread_mutex_lock(&r->lock);
    const char *kept = coras_map_get(r->sessions, text);
    if (kept)
        url = coras_strdup(kept);
    coras_map_remove(r->sessions, text);
    pthread_mutex_unlock(&r->lock);
    return url;
}

/* ---- what is known to be there ---- */

void coras_registry_note_seen(coras_registry *r, const coras_digest *digest)
{
    pthread_mutex_lock(&r->lock);
    r->seen = *digest;
    pthread_mutex_unlock(&r->lock);
    atomic_store(&r->has_seen, true);
}

static coras_digest last_seen(coras_registry *r)
{
    pthread_mutex_lock(&r->lock);
    coras_digest seen = r->seen;
    pthread_mutex_unlock(&r->lock);
    return seen;
}

/* ---- from another repository ---- */

static bool can_mount(coras_registry *r, coras_target *from)
{
    const coras_registry *source = coras_registry_of(from);

    return from->ops == r->base.ops && coras_streq(source->base_url, r->base_url) &&
           !coras_streq(source->repository, r->repository) &&
           coras_client_same_user(source->client, r->client);
}

int coras_registry_mount(coras_target *t, const coras_descriptor *desc, coras_target *from,
                         bool *ret, coras_error **err)
{
    static const int allowed[] = {400, 401, 403, 404, 405, 0};
    coras_registry *r = coras_registry_of(t);
    const coras_registry *source = coras_registry_of(from);
    coras_auto_free char *url = NULL;
    coras_auto(coras_response) resp = NULL;
    coras_auto(coras_error) failure = NULL;

    *ret = false;
    if (!can_mount(r, from))
        return 0;
    CORAS_TRY(mount_url(r, &desc->digest, source->repository, &url, err));
    const char *scopes[] = {r->push.text, source->pull.text, NULL};
    coras_request req = coras_registry_request(r, "POST", url, &r->push);
    req.scopes = scopes;
    int rc = coras_client_send(r->client, &req, allowed, &resp, &failure);
    if (rc == CORAS_ERR_UNAUTHORIZED || rc == CORAS_ERR_NO_CREDENTIAL || rc == CORAS_ERR_DENIED)
        return 0; /* the source may be closed to us; the ordinary upload says more */
    if (rc < 0) {
        coras_error_propagate(err, &failure);
        return rc;
    }
    *ret = coras_response_status(resp) == MOUNTED;
    if (*ret)
        coras_registry_note_seen(r, &desc->digest);
    if (coras_response_status(resp) == DECLINED)
        keep_session(r, &desc->digest, resp);
    return 0;
}

/* ---- from the repository itself ---- */

/* One try; NULL: no answer that says anything. */
static coras_response *mount_from_itself(coras_registry *r, const coras_digest *digest)
{
    coras_auto_free char *url = NULL;
    coras_response *resp = NULL;

    if (mount_url(r, digest, r->repository, &url, NULL) < 0)
        return NULL;
    coras_request req = coras_registry_request(r, "POST", url, &r->push);
    req.no_retry = true;
    return coras_client_send(r->client, &req, NULL, &resp, NULL) == 0 ? resp : NULL;
}

static void learn_mount(coras_registry *r, enum coras_mount_habit habit)
{
    coras_client_learn_host(r->client, r->host, &(coras_host_facts){.mount = habit});
}

/* Asks for a blob that is there. */
static enum coras_mount_habit ask_habit(coras_registry *r)
{
    coras_digest seen = last_seen(r);
    coras_auto(coras_response) resp = mount_from_itself(r, &seen);
    int status = resp ? coras_response_status(resp) : 0;
    coras_auto_free char *begun = status == DECLINED ? session_of(r, resp) : NULL;

    if (begun)
        coras_upload_abandon(r, begun);
    learn_mount(r, status == MOUNTED ? CORAS_MOUNT_TELLS : CORAS_MOUNT_MUTE);
    return status == MOUNTED ? CORAS_MOUNT_TELLS : CORAS_MOUNT_MUTE;
}

/* Asked for by one thread when there has been enough to ask for; the others do not wait. */
static enum coras_mount_habit mount_habit(coras_registry *r)
{
    coras_host_facts facts = coras_client_host_facts(r->client, r->host);

    if (facts.mount != CORAS_MOUNT_UNKNOWN)
        return facts.mount;
    if (atomic_fetch_add(&r->claims, 1) < LEARN_AFTER || !atomic_load(&r->has_seen) ||
        atomic_exchange(&r->is_learning, true))
        return CORAS_MOUNT_UNKNOWN;
    return ask_habit(r);
}

int coras_registry_claim_blob(coras_registry *r, const coras_digest *digest, int64_t size,
                              coras_error **err)
{
    if (size > CLAIM_MAX || mount_habit(r) != CORAS_MOUNT_TELLS)
        return coras_registry_has_blob(r, digest, false, err);
    coras_auto(coras_response) resp = mount_from_itself(r, digest);
    switch (resp ? coras_response_status(resp) : 0) {
    case MOUNTED:
        coras_registry_note_seen(r, digest);
        return 1;
    case DECLINED:
        keep_session(r, digest, resp);
        return 0;
    default: /* HEAD says why, or that it is better now */
        return coras_registry_has_blob(r, digest, false, err);
    }
}

int coras_registry_claim(coras_target *t, const coras_descriptor *desc, coras_target *from,
                         bool *ret, coras_error **err)
{
    coras_registry *r = coras_registry_of(t);

    if (coras_media_type_is_manifest(desc->media_type) || (from && can_mount(r, from)))
        return coras_registry_exists(t, desc, ret, err);
    int there = coras_registry_claim_blob(r, &desc->digest, desc->size, err);
    CORAS_TRY(there);
    *ret = there > 0;
    return 0;
}
