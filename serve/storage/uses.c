/* SPDX-License-Identifier: Apache-2.0 */
/* A map from digest to the last use. */
#include "serve/storage/uses.h"

#include <pthread.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/map.h"

struct use {
    int64_t at_ms; /* wall clock; later uses have larger numbers, however fast they follow */
    unsigned holders;
    bool is_saved;
};

struct serve_uses {
    pthread_mutex_t lock;
    coras_map *by_digest; /* lock */
    int64_t last_ms;      /* lock; that was given */
};

serve_uses *serve_uses_new(void)
{
    serve_uses *u = coras_new(serve_uses);

    if (!u)
        return NULL;
    pthread_mutex_init(&u->lock, NULL);
    u->by_digest = coras_map_new(free);
    if (!u->by_digest) {
        serve_uses_free(u);
        return NULL;
    }
    return u;
}

void serve_uses_free(serve_uses *u)
{
    if (!u)
        return;
    coras_map_free(u->by_digest);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

/* With the lock; NULL when out of memory: then it counts as not used, which costs a transfer. */
static struct use *find_or_add(serve_uses *u, const coras_digest *digest)
{
    char text[CORAS_DIGEST_TEXT_MAX];
    struct use *use = coras_map_get(u->by_digest, coras_digest_format(digest, text));

    if (use)
        return use;
    use = coras_new(struct use);
    if (use && coras_map_set(u->by_digest, text, use, NULL) < 0) {
        free(use);
        return NULL;
    }
    return use;
}

/* Milliseconds since 1970; two uses never have the same. */
static int64_t next_ms(serve_uses *u)
{
    struct timespec now;
    int64_t ms;

    clock_gettime(CLOCK_REALTIME, &now);
    ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    u->last_ms = ms > u->last_ms ? ms : u->last_ms + 1;
    return u->last_ms;
}

static void note(serve_uses *u, const coras_digest *digest, int holders)
{
    struct use *use;

    if (!u)
        return;
    pthread_mutex_lock(&u->lock);
    use = find_or_add(u, digest);
    if (use) {
        use->at_ms = next_ms(u);
        use->is_saved = false;
        use->holders += (unsigned)holders;
    }
    pthread_mutex_unlock(&u->lock);
}

void serve_uses_note(serve_uses *u, const coras_digest *digest)
{
    note(u, digest, 0);
}

void serve_uses_hold(serve_uses *u, const coras_digest *digest)
{
    note(u, digest, 1);
}

void serve_uses_release(serve_uses *u, const coras_digest *digest)
{
    char text[CORAS_DIGEST_TEXT_MAX];
    struct use *use;

    if (!u)
        return;
    pthread_mutex_lock(&u->lock);
    use = coras_map_get(u->by_digest, coras_digest_format(digest, text));
    if (use && use->holders > 0)
        use->holders--;
    pthread_mutex_unlock(&u->lock);
}

bool serve_uses_is_held(serve_uses *u, const coras_digest *digest)
{
    char text[CORAS_DIGEST_TEXT_MAX];
    const struct use *use;
    bool held;

    if (!u)
        return false;
    pthread_mutex_lock(&u->lock);
    use = coras_map_get(u->by_digest, coras_digest_format(digest, text));
    held = use && use->holders > 0;
    pthread_mutex_unlock(&u->lock);
    return held;
}

/* ---- saving ---- */

struct use_saving {
    struct serve_blob_use *uses;
    size_t len, most;
    coras_strlist idle; /* that may be forgotten here */
};

static bool collect(const char *text, void *value, void *user)
{
    struct use_saving *s = user;
    const struct use *use = value;

    if (use->is_saved && use->holders == 0)
        (void)!coras_strlist_add(&s->idle, text, NULL);
    else if (!use->is_saved && s->len < s->most &&
             coras_digest_parse(text, &s->uses[s->len].digest, NULL) == 0)
        s->uses[s->len++].at_ms = use->at_ms;
    return true;
}

/* What the database is to be told; what it knows, and nobody reads, is forgotten. */
static int collect_unsaved(serve_uses *u, struct use_saving *ret, coras_error **err)
{
    struct use_saving s = {0};

    pthread_mutex_lock(&u->lock);
    s.most = coras_map_len(u->by_digest);
    s.uses = coras_calloc(s.most + 1, sizeof(*s.uses));
    if (s.uses)
        coras_map_each(u->by_digest, collect, &s);
    for (size_t i = 0; i < s.idle.len; i++)
        (void)coras_map_remove(u->by_digest, s.idle.items[i]);
    pthread_mutex_unlock(&u->lock);
    coras_strlist_clear(&s.idle);
    if (!s.uses)
        return coras_fail_no_memory(err);
    *ret = s;
    return 0;
}

/* The database has heard of it: what was used again meanwhile is another thing. */
static void note_saved(serve_uses *u, const struct use_saving *s)
{
    pthread_mutex_lock(&u->lock);
    for (size_t i = 0; i < s->len; i++) {
        char text[CORAS_DIGEST_TEXT_MAX];
        struct use *use =
            coras_map_get(u->by_digest, coras_digest_format(&s->uses[i].digest, text));
        if (!use || use->at_ms != s->uses[i].at_ms)
            continue;
        use->is_saved = true;
        if (use->holders == 0)
            (void)coras_map_remove(u->by_digest, text);
    }
    pthread_mutex_unlock(&u->lock);
}

int serve_uses_save(serve_uses *u, serve_metadata *m, coras_error **err)
{
    struct use_saving s = {0};
    int rc = 0;

    if (!u)
        return 0;
    CORAS_TRY(collect_unsaved(u, &s, err));
    if (s.len > 0)
        rc = serve_metadata_save_uses(m, s.uses, s.len, err);
    if (rc == 0)
        note_saved(u, &s);
    free(s.uses);
    return rc;
}
