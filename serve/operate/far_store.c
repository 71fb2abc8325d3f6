/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a store elsewhere, and its housekeeping. */
#include "serve/operate/far_store.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "serve/http/log.h"
#include "serve/storage/collect.h"
#include "serve/storage/s3/sessions.h"

#define LEFTOVERS_MS ((int64_t)60 * 1000)
/* Strays come from crashes alone, and the look at every object is long. */
#define STRAYS_MS ((int64_t)24 * 3600 * 1000)
/* A look that has more to do goes on so much later. */
#define PAGE_MS 1000

static int open_sessions(struct serve_far_store *f, const struct serve_far_store_options *options,
                         coras_error **err)
{
    const struct serve_s3_sessions_options sessions = {
        .store = f->store,
        .metadata = f->metadata,
        .work_fd = options->root->store->uploads_fd,
        .alone = !options->registry->metadata, /* in the directory: no other process uses them */
    };

    return options->read_only ? 0 : serve_s3_sessions_open(&sessions, &f->sessions, err);
}

/* What is there could not be served. */
static int check_places(serve_metadata *metadata, coras_error **err)
{
    bool any = false;

    CORAS_TRY(serve_metadata_has_places(metadata, &any, err));
    if (!any)
        return 0;
    coras_fail(err, CORAS_ERR_CONFIG, "blobs of this registry are in a store that speaks S3");
    coras_hint(err, "name it with --blobs, and --s3-endpoint when it is not Amazon's");
    return CORAS_ERR_CONFIG;
}

static int claim(struct serve_far_store *f, coras_error **err)
{
    char proposal[SERVE_SESSION_ID_LEN + 1];
    coras_auto_free char *name = NULL;

    if (f->is_ours)
        return 0;
    serve_session_make_id(proposal);
    CORAS_TRY(serve_metadata_fact(f->metadata, SERVE_FACT_STORE, proposal, &name, err));
    CORAS_TRY(serve_s3_claim(f->store, name, err));
    f->is_ours = true;
    return 0;
}

/* What refuses us now will do so for every blob; what is away comes back. */
static int claim_or_wait(struct serve_far_store *f, coras_error **err)
{
    coras_auto(coras_error) why = NULL;
    int rc;

    serve_s3_look(f->store); /* once: a start does not wait for who is away */
    if (atomic_load(&f->store->is_away)) {
        serve_log_failure("--blobs", "the store does not answer");
        return 0;
    }
    rc = claim(f, &why);
    if (rc == CORAS_ERR_CONNECT || rc == CORAS_ERR_TIMEOUT) {
        serve_log_failure("--blobs", coras_error_message(why));
        return 0;
    }
    coras_error_propagate(err, &why);
    return rc;
}

int serve_far_store_open(const struct serve_far_store_options *options, struct serve_far_store *ret,
                         coras_error **err)
{
    const struct serve_options *o = options->registry;
    const struct serve_s3_options at = {o->blobs, o->s3_endpoint, o->s3_region, options->metrics};
    struct serve_far_store f = {.metadata = options->root->metadata};
    int rc;

    *ret = f;
    if (!o->blobs)
        return check_places(f.metadata, err);
    CORAS_TRY(serve_s3_open(&at, &f.store, err));
    serve_s3_blobs_init(&f.blobs, f.store, options->root->store);
    rc = options->read_only ? 0 : claim_or_wait(&f, err);
    if (rc == 0)
        rc = open_sessions(&f, options, err);
    if (rc < 0)
        serve_far_store_close(&f);
    *ret = f;
    return rc;
}

void serve_far_store_close(struct serve_far_store *f)
{
    serve_far_watch_end(&f->watch);
    serve_sessions_close(f->sessions);
    serve_s3_close(f->store);
    free(f->last);
    *f = (struct serve_far_store){0};
}

serve_blobs *serve_far_store_blobs(struct serve_far_store *f, const struct serve_root *root)
{
    return f->store ? &f->blobs.blobs : &root->store->blobs;
}

serve_sessions *serve_far_store_sessions(const struct serve_far_store *f,
                                         const struct serve_root *root)
{
    return f->sessions ? f->sessions : root->sessions;
}

void serve_far_store_stop(struct serve_far_store *f)
{
    serve_s3_stop(f->store);
}

int serve_far_store_reload(struct serve_far_store *f, coras_error **err)
{
    return f->store ? serve_s3_identity_read(&f->store->identity, err) : 0;
}

static const char *probe(void *user, bool *ret_failed)
{
    const struct serve_far_store *f = user;

    *ret_failed = atomic_load(&f->store->is_away);
    return *ret_failed ? "does not answer" : "ok";
}

void serve_far_store_probe(struct serve_far_store *f, serve_health *health)
{
    if (f->store)
        serve_health_add_outside(health, "blobs", probe, f);
}

/* Links that were handed out for them are still good for a while. */
static void clear_leftovers(struct serve_far_store *f)
{
    coras_auto(coras_error) err = NULL;
    bool more = false;

    if (coras_now_ms() < f->leftovers_ms)
        return;
    if (serve_s3_clear_leftovers(f->store, f->metadata, coras_wall_s() - SERVE_S3_LINK_S, &more,
                                 &err) < 0)
        serve_log_failure("collection", coras_error_message(err));
    f->leftovers_ms = coras_now_ms() + (more ? PAGE_MS : LEFTOVERS_MS);
}

static void clear_strays(struct serve_far_store *f)
{
    coras_auto(coras_error) err = NULL;

    if (coras_now_ms() < f->strays_ms || atomic_load(&f->store->is_away))
        return;
    if (claim(f, &err) < 0 ||
        serve_s3_clear_strays(f->store, f->metadata, coras_wall_s() - SERVE_COLLECT_GRACE_S,
                              &f->last, &err) < 0)
        serve_log_failure("collection", coras_error_message(err));
    f->strays_ms = coras_now_ms() + (f->last ? PAGE_MS : err ? LEFTOVERS_MS : STRAYS_MS);
}

void serve_far_store_tick(struct serve_far_store *f)
{
    if (f->store)
        serve_far_watch_tick(&f->watch, f->store);
    if (!f->sessions)
        return;
    clear_leftovers(f);
    clear_strays(f);
}

int serve_far_store_clear(struct serve_far_store *f, int64_t grace_s, coras_error **err)
{
    int64_t before_s = coras_wall_s() - grace_s;
    bool more = f->store != NULL;

    if (f->store)
        CORAS_TRY(claim(f, err));
    while (more)
        CORAS_TRY(serve_s3_clear_leftovers(f->store, f->metadata, before_s, &more, err));
    if (!f->store)
        return 0;
    do
        CORAS_TRY(serve_s3_clear_strays(f->store, f->metadata, before_s, &f->last, err));
    while (f->last);
    return 0;
}
