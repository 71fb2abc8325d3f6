/* SPDX-License-Identifier: Apache-2.0 */
/* References and when they were told. */
#include "serve/proxy/freshness.h"

#include <pthread.h>
#include <stdio.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/map.h"

/* Some hundred bytes each. */
#define ENTRIES_MAX  8192
#define SAY_STALE_MS 60000

struct told_reference {
    char *repository, *reference;
    bool absent;
    int64_t at_ms;    /* told, or found absent */
    int64_t stale_ms; /* logged as stale; 0: never */
    coras_digest digest;
    int64_t size;
    char media_type[256];
};

struct serve_freshness {
    int64_t ttl_ms; /* const */
    pthread_mutex_t lock;
    coras_map *entries; /* lock; "repository reference" to struct told_reference */
};

static void entry_free(void *user)
{
    struct told_reference *e = user;

    free(e->repository);
    free(e->reference);
    free(e);
}

serve_freshness *serve_freshness_new(int64_t ttl_ms)
{
    serve_freshness *f = coras_new(serve_freshness);

    if (!f)
        return NULL;
    f->ttl_ms = ttl_ms;
    f->entries = coras_map_new(entry_free);
    if (!f->entries) {
        free(f);
        return NULL;
    }
    pthread_mutex_init(&f->lock, NULL);
    return f;
}

void serve_freshness_free(serve_freshness *f)
{
    if (!f)
        return;
    coras_map_free(f->entries);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

/* ---- making room ---- */

struct sweep {
    const serve_freshness *f;
    int64_t now_ms;
    coras_strlist old; /* keys */
};

static bool is_over(const serve_freshness *f, const struct told_reference *e, int64_t now_ms)
{
    return now_ms - e->at_ms >= (e->absent ? SERVE_ABSENT_MS : f->ttl_ms);
}

static bool collect_old(const char *key, void *value, void *user)
{
    struct sweep *s = user;

    return !is_over(s->f, value, s->now_ms) || coras_strlist_add(&s->old, key, NULL) == 0;
}

/* What is over, or everything when nothing is: it costs a request each to know it again. */
static void make_room(serve_freshness *f, int64_t now_ms)
{
    struct sweep s = {.f = f, .now_ms = now_ms};
    coras_map *empty;

    if (coras_map_len(f->entries) < ENTRIES_MAX)
        return;
    coras_map_each(f->entries, collect_old, &s);
    for (size_t i = 0; i < s.old.len; i++)
        coras_map_remove(f->entries, s.old.items[i]);
    coras_strlist_clear(&s.old);
    if (coras_map_len(f->entries) < ENTRIES_MAX)
        return;
    empty = coras_map_new(entry_free);
    if (!empty)
        return;
    coras_map_free(f->entries);
    f->entries = empty;
}

/* ---- entries ---- */

static char *key_of(const char *repository, const char *reference)
{
    return coras_asprintf("%s %s", repository, reference);
}

static struct told_reference *find(const serve_freshness *f, const char *repository,
                                   const char *reference)
{
    coras_auto_free char *key = key_of(repository, reference);

    return key ? coras_map_get(f->entries, key) : NULL;
}

static struct told_reference *find_or_add(serve_freshness *f, const char *repository,
                                          const char *reference, int64_t now_ms)
{
    coras_auto_free char *key = key_of(repository, reference);
    struct told_reference *e = key ? coras_map_get(f->entries, key) : NULL;

    if (e || !key)
        return e;
    make_room(f, now_ms);
    e = coras_new(struct told_reference);
    if (!e)
        return NULL;
    e->repository = coras_strdup(repository);
    e->reference = coras_strdup(reference);
    if (e->repository && e->reference && coras_map_set(f->entries, key, e, NULL) == 0)
        return e;
    entry_free(e);
    return NULL;
}

static struct serve_fresh read_entry(const serve_freshness *f, const struct told_reference *e,
                                     int64_t now_ms)
{
    struct serve_fresh fresh = {.age_ms = now_ms - e->at_ms, .digest = e->digest, .size = e->size};
    bool over = is_over(f, e, now_ms);

    memcpy(fresh.media_type, e->media_type, sizeof(fresh.media_type));
    if (e->absent)
        fresh.kind = over ? SERVE_FRESH_UNKNOWN : SERVE_FRESH_ABSENT;
    else
        fresh.kind = over ? SERVE_FRESH_OLD : SERVE_FRESH_NOW;
    return fresh;
}

struct serve_fresh serve_freshness_get(serve_freshness *f, const char *repository,
                                       const char *reference, int64_t now_ms)
{
    struct serve_fresh fresh = {.kind = SERVE_FRESH_UNKNOWN};
    const struct told_reference *e;

    pthread_mutex_lock(&f->lock);
    e = find(f, repository, reference);
    if (e)
        fresh = read_entry(f, e, now_ms);
    pthread_mutex_unlock(&f->lock);
    return fresh;
}

void serve_freshness_told(serve_freshness *f, const char *repository, const char *tag,
                          const coras_descriptor *desc, int64_t now_ms)
{
    struct told_reference *e;

    pthread_mutex_lock(&f->lock);
    e = find_or_add(f, repository, tag, now_ms);
    if (e) {
        e->absent = false;
        e->at_ms = now_ms;
        e->stale_ms = 0;
        e->digest = desc->digest;
        e->size = desc->size;
        snprintf(e->media_type, sizeof(e->media_type), "%s", desc->media_type);
    }
    pthread_mutex_unlock(&f->lock);
}

void serve_freshness_absent(serve_freshness *f, const char *repository, const char *reference,
                            int64_t now_ms)
{
    struct told_reference *e;

    pthread_mutex_lock(&f->lock);
    e = find_or_add(f, repository, reference, now_ms);
    if (e) {
        e->absent = true;
        e->at_ms = now_ms;
    }
    pthread_mutex_unlock(&f->lock);
}

void serve_freshness_forget(serve_freshness *f, const char *repository, const char *reference)
{
    coras_auto_free char *key = key_of(repository, reference);

    pthread_mutex_lock(&f->lock);
    if (key)
        coras_map_remove(f->entries, key);
    pthread_mutex_unlock(&f->lock);
}

/* ---- tags ---- */

struct search {
    const char *repository;
    const coras_digest *digest;
    coras_strlist *tags;
    int rc;
    coras_error **err;
};

static bool add_tag(const char *key, void *value, void *user)
{
    const struct told_reference *e = value;
    struct search *s = user;

    (void)key;
    if (!e->absent && coras_digest_equal(&e->digest, s->digest) &&
        coras_streq(e->repository, s->repository) && !coras_strlist_has(s->tags, e->reference))
        s->rc = coras_strlist_add(s->tags, e->reference, s->err);
    return s->rc == 0;
}

int serve_freshness_tags_of(serve_freshness *f, const char *repository, const coras_digest *digest,
                            coras_strlist *ret, coras_error **err)
{
    struct search s = {repository, digest, ret, 0, err};

    pthread_mutex_lock(&f->lock);
    coras_map_each(f->entries, add_tag, &s);
    pthread_mutex_unlock(&f->lock);
    return s.rc;
}

bool serve_freshness_says_stale(serve_freshness *f, const char *repository, const char *tag,
                                int64_t now_ms)
{
    struct told_reference *e;
    bool says;

    pthread_mutex_lock(&f->lock);
    e = find_or_add(f, repository, tag, now_ms);
    if (e && e->at_ms == 0) { /* known from before this process alone */
        e->absent = true;
        e->at_ms = now_ms - SERVE_ABSENT_MS;
    }
    says = !e || e->stale_ms == 0 || now_ms - e->stale_ms >= SAY_STALE_MS;
    if (e && says)
        e->stale_ms = now_ms;
    pthread_mutex_unlock(&f->lock);
    return says;
}
