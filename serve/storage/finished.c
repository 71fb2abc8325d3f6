/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of the last uploads that ended well. */
#include "serve/storage/finished.h"

#include <pthread.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "serve/api/routes.h"

/* Long enough for a client to repeat a request whose answer it lost. */
#define AGE_MAX_S   3600
#define ENTRIES_MAX 4096

struct finished {
    char id[SERVE_SESSION_ID_LEN + 1];
    char *repository; /* NULL = unused */
    coras_digest digest;
    int64_t at_s;
};

struct serve_finished {
    pthread_mutex_t lock;
    struct finished entries[ENTRIES_MAX]; /* lock; a ring */
    size_t next;                          /* lock */
};

serve_finished *serve_finished_new(void)
{
    serve_finished *f = coras_new(serve_finished);

    if (f)
        pthread_mutex_init(&f->lock, NULL);
    return f;
}

void serve_finished_free(serve_finished *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < ENTRIES_MAX; i++)
        free(f->entries[i].repository);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

void serve_finished_note(serve_finished *f, const char *id, const char *repository,
                         const coras_digest *digest)
{
    char *name = coras_strdup(repository);
    struct finished *e;

    if (!name)
        return; /* a repeated request then hears "no such upload" */
    pthread_mutex_lock(&f->lock);
    e = &f->entries[f->next];
    f->next = (f->next + 1) % ENTRIES_MAX;
    free(e->repository);
    memcpy(e->id, id, sizeof(e->id));
    e->repository = name;
    e->digest = *digest;
    e->at_s = coras_wall_s();
    pthread_mutex_unlock(&f->lock);
}

bool serve_finished_has(serve_finished *f, const char *id, const char *repository,
                        const coras_digest *digest)
{
    int64_t oldest = coras_wall_s() - AGE_MAX_S;
    bool found = false;

    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < ENTRIES_MAX && !found; i++) {
        const struct finished *e = &f->entries[i];
        found = e->repository && e->at_s >= oldest && coras_streq(e->id, id) &&
                coras_streq(e->repository, repository) && coras_digest_equal(&e->digest, digest);
    }
    pthread_mutex_unlock(&f->lock);
    return found;
}
