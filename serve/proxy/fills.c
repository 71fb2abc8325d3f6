/* SPDX-License-Identifier: Apache-2.0 */
/* Who fills what, and whose turn it is. */
#include "serve/proxy/fills.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "base/limits.h"
#include "base/map.h"
#include "registry/manner.h"
#include "serve/http/exchange.h"
#include "serve/proxy/filler.h"
#include "serve/proxy/partial.h"
#include "serve/proxy/refused.h"

/* TLS and the database take some; two hundred of them must not take much. */
#define FILLER_STACK (512 * CORAS_KIB)
/* Readers wait for twice of that at most. */
#define SILENCE_S 10
/* How often it is looked for what another fill may have stored meanwhile, while fills end all the
 * time; then a blob may come a second time. */
#define LOOKS_MOST 4
/* As long as unfinished uploads. */
#define PARTIAL_AGE_MAX_S (7 * 24 * 3600)

/* The fills of one upstream. */
struct lane {
    const serve_upstream *upstream;
    unsigned running;
    serve_fill *first, *last; /* that wait */
};

struct serve_fills {
    struct serve_registry *registry; /* const */
    pthread_mutex_t lock;
    coras_map *by_digest;  /* lock; those that can be joined */
    coras_crew threads;    /* lock */
    unsigned helpers;      /* lock; of these, those beside fillers */
    unsigned ends;         /* lock; counts those that came to their end */
    bool is_stopping;      /* lock */
    serve_refused refused; /* lock */
    size_t lane_count;     /* lock */
    struct lane *lanes;    /* lock */
};

int serve_fills_open(struct serve_registry *registry, serve_fills **ret, coras_error **err)
{
    coras_auto(serve_fills) t = coras_new(serve_fills);

    if (!t)
        return coras_fail_no_memory(err);
    t->registry = registry;
    pthread_mutex_init(&t->lock, NULL);
    coras_crew_init(&t->threads);
    t->by_digest = coras_map_new(NULL);
    t->lanes = coras_calloc(SERVE_UPSTREAMS_MAX, sizeof(*t->lanes));
    if (!t->by_digest || !t->lanes)
        return coras_fail_no_memory(err);
    *ret = coras_steal(&t);
    return 0;
}

void serve_fills_close(serve_fills *t)
{
    if (!t)
        return;
    serve_fills_stop(t);
    pthread_mutex_lock(&t->lock);
    coras_crew_join(&t->threads, &t->lock);
    pthread_mutex_unlock(&t->lock);
    coras_map_free(t->by_digest);
    free(t->lanes);
    pthread_mutex_destroy(&t->lock);
    coras_crew_clear(&t->threads);
    free(t);
}

struct serve_registry *serve_fills_registry(const serve_fills *t)
{
    return t->registry;
}

bool serve_fills_are_stopping(serve_fills *t)
{
    bool stopping;

    pthread_mutex_lock(&t->lock);
    stopping = t->is_stopping;
    pthread_mutex_unlock(&t->lock);
    return stopping;
}

/* ---- with the lock ---- */

/* Made when it is first asked for: there is room for one of each upstream. */
static struct lane *lane_of(serve_fills *t, const serve_upstream *upstream)
{
    for (size_t i = 0; i < t->lane_count; i++) {
        if (t->lanes[i].upstream == upstream)
            return &t->lanes[i];
    }
    t->lanes[t->lane_count].upstream = upstream;
    return &t->lanes[t->lane_count++];
}

static void release(serve_fill *f)
{
    if (--f->users == 0)
        serve_fill_free(f);
}

/* Nobody joins it from now on; another may take its place. */
static void unlist(serve_fills *t, const serve_fill *f)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    coras_digest_format(&f->digest, text);
    if (coras_map_get(t->by_digest, text) == f)
        (void)coras_map_remove(t->by_digest, text);
}

static void *filler_thread(void *user)
{
    serve_filler_run(user);
    return NULL;
}

/* It does not come to run. */
static void give_up(serve_fills *t, serve_fill *f, int code, const char *why)
{
    coras_auto(coras_error) failure = NULL;

    (void)coras_fail(&failure, code, "%s", why);
    serve_fill_fail(f, failure);
    unlist(t, f);
    release(f);
}

/* Begin as many of those that wait as may run. */
static void start_waiting(serve_fills *t, struct lane *lane)
{
    while (lane->first && lane->running < CORAS_LIMIT_FILLS) {
        serve_fill *f = lane->first;
        lane->first = f->next;
        if (t->is_stopping) {
            give_up(t, f, CORAS_ERR_CANCELLED, "the registry is going down");
        } else if (coras_crew_start(&t->threads, FILLER_STACK, filler_thread, f) != 0) {
            give_up(t, f, CORAS_ERR_NO_MEMORY, "no thread can be made");
        } else {
            lane->running++;
        }
    }
}

static void enqueue(serve_fills *t, serve_fill *f)
{
    struct lane *lane = lane_of(t, f->upstream);

    if (lane->first)
        lane->last->next = f;
    else
        lane->first = f;
    lane->last = f;
    start_waiting(t, lane);
}

/* Somebody may have stored it since the caller looked. Without the lock, which those who serve
 * connections take, too. */
static int check_not_stored(const serve_fills *t, const coras_digest *digest, coras_error **err)
{
    int64_t size = 0;

    if (!serve_own_content_has(&t->registry->own, digest, &size))
        return 0;
    return coras_fail(err, CORAS_ERR_EXISTS, "it is here by now");
}

static int begin(serve_fills *t, const struct serve_fill_request *r, const char *text,
                 serve_fill **ret, coras_error **err)
{
    serve_fill *f;
    int rc;

    if (serve_refused_has(&t->refused, r->digest, r->upstream, coras_now_ms()))
        return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH,
                          "the upstream has sent something else lately");
    f = serve_fill_new(t, r->upstream, r->repository, r->digest);
    if (f && r->via)
        f->via = coras_strdup(r->via); /* without it a ring is noticed by its silence */
    if (!f)
        return coras_fail_no_memory(err);
    /* before anybody finds it: it asks for this repository, and nobody else has to */
    rc = serve_fill_confirm(f, r->local) ? coras_map_set(t->by_digest, text, f, err)
                                         : coras_fail_no_memory(err);
    if (rc < 0) {
        serve_fill_free(f);
        return rc;
    }
    f->users++; /* the caller, beside its filler */
    *ret = f;
    enqueue(t, f);
    return 0;
}

/* NULL: there is none, or none that can be read from its start. */
static serve_fill *find_running(serve_fills *t, const char *text)
{
    serve_fill *f = coras_map_get(t->by_digest, text);

    if (f && !serve_fill_can_join(f)) {
        unlist(t, f);
        return NULL;
    }
    return f;
}

/* `is_new`: it is known not to be stored. 1: that has to be found out first. */
static int join(serve_fills *t, const struct serve_fill_request *r, bool is_new, serve_fill **ret,
                bool *ret_began, coras_error **err)
{
    char text[CORAS_DIGEST_TEXT_MAX];
    serve_fill *f;

    if (t->is_stopping)
        return coras_fail(err, CORAS_ERR_CANCELLED, "the registry is going down");
    f = find_running(t, coras_digest_format(r->digest, text));
    *ret_began = !f;
    if (!f)
        return is_new ? begin(t, r, text, ret, err) : 1;
    f->users++;
    *ret = f;
    return 0;
}

/* ---- for readers ---- */

serve_fill *serve_fills_find(serve_fills *t, const coras_digest *digest)
{
    char text[CORAS_DIGEST_TEXT_MAX];
    serve_fill *f;

    pthread_mutex_lock(&t->lock);
    f = coras_map_get(t->by_digest, coras_digest_format(digest, text));
    if (f)
        f->users++;
    pthread_mutex_unlock(&t->lock);
    return f;
}

int serve_fills_join(serve_fills *t, const struct serve_fill_request *request, serve_fill **ret,
                     bool *ret_began, coras_error **err)
{
    unsigned ends;
    int rc;

    pthread_mutex_lock(&t->lock);
    rc = join(t, request, false, ret, ret_began, err);
    for (int looks = 1; rc == 1; looks++) {
        ends = t->ends;
        pthread_mutex_unlock(&t->lock); /* the database may take its time */
        CORAS_TRY(check_not_stored(t, request->digest, err));
        pthread_mutex_lock(&t->lock);
        rc = join(t, request, t->ends == ends || looks == LOOKS_MOST, ret, ret_began, err);
    }
    pthread_mutex_unlock(&t->lock);
    return rc;
}

void serve_fills_leave(serve_fills *t, serve_fill *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&t->lock);
    release(f);
    pthread_mutex_unlock(&t->lock);
}

void serve_fills_stop(serve_fills *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->is_stopping = true;
    for (size_t i = 0; i < t->lane_count; i++) {
        while (t->lanes[i].first) {
            serve_fill *f = t->lanes[i].first;
            t->lanes[i].first = f->next;
            give_up(t, f, CORAS_ERR_CANCELLED, "the registry is going down");
        }
    }
    pthread_mutex_unlock(&t->lock);
}

/* ---- for the filler ---- */

int serve_fills_target(const serve_fills *t, const serve_fill *f, coras_target **ret,
                       coras_error **err)
{
    int silence_s = t->registry->upstreams->environment->stall_timeout_s;

    if (silence_s <= 0 || silence_s > SILENCE_S)
        silence_s = SILENCE_S;
    CORAS_TRY(serve_upstream_target(f->upstream, f->repository, f->via, ret, err));
    coras_registry_set_limits(*ret, silence_s, 0);
    return 0;
}

void serve_fills_unlist(serve_fills *t, const serve_fill *f)
{
    pthread_mutex_lock(&t->lock);
    unlist(t, f);
    pthread_mutex_unlock(&t->lock);
}

void serve_fills_end(serve_fills *t, serve_fill *f)
{
    struct lane *lane;

    pthread_mutex_lock(&t->lock);
    lane = lane_of(t, f->upstream);
    unlist(t, f);
    release(f);
    t->ends++;
    lane->running--;
    start_waiting(t, lane);
    coras_crew_leave(&t->threads, &t->lock);
}

struct help {
    serve_fill *fill;
    void (*run)(serve_fill *f, void *user);
    void *user;
};

static void *help_thread(void *user)
{
    coras_auto_free struct help *h = user;
    serve_fills *t = h->fill->fills;

    h->run(h->fill, h->user);
    pthread_mutex_lock(&t->lock);
    release(h->fill);
    t->helpers--;
    coras_crew_leave(&t->threads, &t->lock);
    return NULL;
}

bool serve_fills_help(serve_fills *t, serve_fill *f, void (*run)(serve_fill *f, void *user),
                      void *user)
{
    struct help *h = coras_new(struct help);
    bool started;

    if (!h)
        return false;
    *h = (struct help){f, run, user};
    pthread_mutex_lock(&t->lock);
    started = !t->is_stopping && t->helpers < CORAS_LIMIT_AHEAD_ALL &&
              coras_crew_start(&t->threads, FILLER_STACK, help_thread, h) == 0;
    if (started) {
        f->users++;
        t->helpers++;
    }
    pthread_mutex_unlock(&t->lock);
    if (!started)
        free(h);
    return started;
}

void serve_fills_refuse(serve_fills *t, const serve_fill *f)
{
    pthread_mutex_lock(&t->lock);
    serve_refused_note(&t->refused, &f->digest, f->upstream, coras_now_ms());
    pthread_mutex_unlock(&t->lock);
}

/* ---- chores ---- */

static bool is_used(void *user, const coras_digest *digest)
{
    serve_fills *t = user;
    serve_fill *f = serve_fills_find(t, digest);

    serve_fills_leave(t, f);
    return f != NULL;
}

void serve_fills_expire(serve_fills *t, int64_t now_s)
{
    serve_partials_expire(t->registry->store, now_s - PARTIAL_AGE_MAX_S, is_used, t);
}

/* ---- looking ---- */

struct fills_look {
    void (*visit)(const struct serve_fill_look *look, void *user);
    void *user;
};

static bool look_at(const char *key, void *value, void *user)
{
    const struct fills_look *l = user;
    serve_fill *f = value;
    struct serve_fill_look look = {.digest = f->digest, .repository = f->repository};

    (void)key;
    pthread_mutex_lock(&f->lock);
    look.got = f->got;
    look.size = f->size;
    pthread_mutex_unlock(&f->lock);
    l->visit(&look, l->user);
    return true;
}

void serve_fills_look(serve_fills *t, void (*visit)(const struct serve_fill_look *look, void *user),
                      void *user)
{
    struct fills_look l = {visit, user};

    pthread_mutex_lock(&t->lock);
    coras_map_each(t->by_digest, look_at, &l);
    pthread_mutex_unlock(&t->lock);
}
