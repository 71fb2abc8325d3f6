/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a fill, and waiting for it. */
#include "serve/proxy/fill.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "serve/proxy/ahead.h"

/* Readers that follow closely are woken no more often than this: each takes more at a time then,
 * and the filler is not held up by waking hundreds. */
#define WAKE_MS 2
/* How long readers may keep a window from moving on. */
#define ROOM_MS 10000
/* How long a wait may be before it looks again by itself. */
#define LOOK_MS 500

serve_fill *serve_fill_new(struct serve_fills *fills, serve_upstream *upstream,
                           const char *repository, const coras_digest *digest)
{
    serve_fill *f = coras_new(serve_fill);

    if (!f)
        return NULL;
    *f = (serve_fill){
        .digest = *digest, .fills = fills, .upstream = upstream, .fd = -1, .size = -1, .users = 1};
    pthread_mutex_init(&f->lock, NULL);
    coras_cond_init(&f->changed);
    f->left_ms = coras_now_ms();
    f->repository = coras_strdup(repository);
    if (!f->repository) {
        serve_fill_free(f);
        return NULL;
    }
    return f;
}

void serve_fill_free(serve_fill *f)
{
    if (!f)
        return;
    coras_close_fd(&f->fd);
    coras_error_clear(&f->failure);
    coras_strlist_clear(&f->repositories);
    serve_ahead_free(f->ahead);
    free(f->window);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->changed);
    free(f->repository);
    free(f->via);
    free(f);
}

int64_t serve_fill_limit(enum serve_fill_state state, int64_t got, int64_t size)
{
    int64_t most = size < 0 ? got - SERVE_FILL_HELD_BACK : size - SERVE_FILL_HELD_BACK;

    if (state == SERVE_FILL_DONE)
        return got;
    if (most > got)
        most = got;
    return most > 0 ? most : 0;
}

/* ---- whose it is ---- */

bool serve_fill_is_confirmed(serve_fill *f, const char *repository)
{
    bool found;

    pthread_mutex_lock(&f->lock);
    found = coras_strlist_has(&f->repositories, repository);
    pthread_mutex_unlock(&f->lock);
    return found;
}

bool serve_fill_confirm(serve_fill *f, const char *repository)
{
    bool noted;

    pthread_mutex_lock(&f->lock);
    noted = !f->is_recorded && (coras_strlist_has(&f->repositories, repository) ||
                                coras_strlist_add(&f->repositories, repository, NULL) == 0);
    pthread_mutex_unlock(&f->lock);
    return noted;
}

/* ---- the filler's steps ---- */

/* Who waits for a byte that has not come is left alone as long as things go on. */
static bool is_due(const serve_waiter *waiter, const void *user)
{
    const serve_fill *f = user;

    return waiter->position < 0 || f->state != SERVE_FILL_RUNNING ||
           serve_fill_can_read(f, waiter->position) ||
           (f->ahead && serve_ahead_has(f, waiter->position));
}

void serve_fill_tell(serve_fill *f)
{
    pthread_cond_broadcast(&f->changed);
    serve_waiters_wake(&f->waiters, is_due, f);
}

static void tell(serve_fill *f)
{
    f->told_ms = coras_now_ms();
    serve_fill_tell(f);
}

void serve_fill_set_file(serve_fill *f, int fd)
{
    pthread_mutex_lock(&f->lock);
    coras_close_fd(&f->fd);
    f->fd = fd;
    f->is_running = true;
    tell(f);
    pthread_mutex_unlock(&f->lock);
}

int serve_fill_set_size(serve_fill *f, int64_t size, coras_error **err)
{
    int64_t known;

    pthread_mutex_lock(&f->lock);
    known = f->size;
    if (known < 0)
        f->size = size;
    f->is_measured = true;
    f->measured_ms = coras_now_ms();
    f->measured_got = f->got;
    tell(f);
    pthread_mutex_unlock(&f->lock);
    if (known >= 0 && size >= 0 && known != size)
        return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "it has %lld bytes now, and had %lld",
                          (long long)size, (long long)known);
    return 0;
}

void serve_fill_advance(serve_fill *f, int64_t bytes)
{
    pthread_mutex_lock(&f->lock);
    f->got += bytes;
    if (coras_now_ms() - f->told_ms >= WAKE_MS)
        tell(f);
    pthread_mutex_unlock(&f->lock);
}

void serve_fill_restart(serve_fill *f)
{
    pthread_mutex_lock(&f->lock);
    f->round++;
    f->got = f->found = 0;
    f->size = -1;
    f->is_measured = false;
    if (f->window)
        f->window->kept = 0;
    serve_ahead_clear(f);
    tell(f);
    pthread_mutex_unlock(&f->lock);
}

int serve_fill_open_window(serve_fill *f, coras_error **err)
{
    serve_window *window = coras_new(serve_window);

    if (!window)
        return coras_fail_no_memory(err);
    pthread_mutex_lock(&f->lock);
    window->kept = f->got;
    f->window = window;
    pthread_mutex_unlock(&f->lock);
    return 0;
}

static bool has_followers(const serve_fill *f)
{
    const serve_follower *follower = f->followers;

    while (follower && follower->is_behind)
        follower = follower->next;
    return follower != NULL;
}

/* Until there is room for a byte; those that do not move are left behind in the end. */
static size_t await_room(serve_fill *f, const coras_cancel *cancel)
{
    int64_t until_ms = coras_now_ms() + ROOM_MS;
    size_t room;

    while ((room = serve_window_room(f->window, f->got, f->followers)) == 0) {
        struct timespec step = coras_deadline_ms(LOOK_MS);
        if (coras_cancelled(cancel))
            return 0;
        if (coras_now_ms() >= until_ms) {
            if (!has_followers(f))
                return 0;
            serve_window_leave_behind(f->window, f->got, f->followers);
        }
        (void)pthread_cond_timedwait(&f->changed, &f->lock, &step);
    }
    return room;
}

size_t serve_fill_pass(serve_fill *f, const void *data, size_t len, const coras_cancel *cancel)
{
    size_t room;

    pthread_mutex_lock(&f->lock);
    room = await_room(f, cancel);
    if (room < len)
        len = room;
    serve_window_put(f->window, f->got, data, len);
    pthread_mutex_unlock(&f->lock);
    return len;
}

void serve_fill_finish(serve_fill *f)
{
    pthread_mutex_lock(&f->lock);
    f->size = f->got;
    f->state = SERVE_FILL_DONE;
    tell(f);
    pthread_mutex_unlock(&f->lock);
}

void serve_fill_set_kept(serve_fill *f, bool is_kept)
{
    pthread_mutex_lock(&f->lock);
    f->is_recorded = true;
    f->is_kept = is_kept;
    tell(f);
    pthread_mutex_unlock(&f->lock);
}

void serve_fill_fail(serve_fill *f, const coras_error *failure)
{
    pthread_mutex_lock(&f->lock);
    f->state = SERVE_FILL_FAILED;
    f->failure = coras_error_dup(failure);
    tell(f);
    pthread_mutex_unlock(&f->lock);
}

/* ---- followers ---- */

void serve_fill_follow(serve_fill *f, serve_follower *follower)
{
    pthread_mutex_lock(&f->lock);
    follower->next = f->followers;
    f->followers = follower;
    pthread_mutex_unlock(&f->lock);
}

void serve_fill_unfollow(serve_fill *f, serve_follower *follower, serve_waiter *waiter)
{
    serve_follower **link = &f->followers;

    pthread_mutex_lock(&f->lock);
    while (*link != follower)
        link = &(*link)->next;
    *link = follower->next;
    serve_fill_forget(f, waiter);
    f->left_ms = coras_now_ms();
    if (f->window)
        pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

void serve_fill_move(serve_fill *f, serve_follower *follower, int64_t position)
{
    follower->position = position;
    if (f->window)
        pthread_cond_broadcast(&f->changed);
}

int64_t serve_fill_idle_ms(serve_fill *f)
{
    int64_t idle_ms;

    pthread_mutex_lock(&f->lock);
    idle_ms = f->followers ? 0 : coras_now_ms() - f->left_ms;
    pthread_mutex_unlock(&f->lock);
    return idle_ms;
}

bool serve_fill_can_join(serve_fill *f)
{
    bool can;

    pthread_mutex_lock(&f->lock);
    can = !f->window || serve_window_first(f->window, f->got) == f->window->kept;
    pthread_mutex_unlock(&f->lock);
    return can;
}

/* ---- waiting ---- */

int serve_fill_why(const serve_fill *f, coras_error **err)
{
    coras_error *copy = coras_error_dup(f->failure);
    int rc = copy ? coras_error_code(copy) : CORAS_ERR_NO_MEMORY;

    coras_error_propagate(err, &copy);
    return rc;
}

/* Whether there is no point in waiting on. */
static int check_wait(const serve_fill *f, const struct serve_fill_wait *wait, coras_error **err)
{
    if (wait->is_gone && wait->is_gone(wait->user))
        return coras_fail(err, CORAS_ERR_CANCELLED, "the reader has left");
    if (wait->deadline_ms > 0 && f->is_running && (f->got == 0 || !f->is_measured) &&
        coras_now_ms() >= wait->deadline_ms)
        return coras_fail(err, CORAS_ERR_TIMEOUT, "nothing has come yet");
    return 0;
}

void serve_fill_forget(serve_fill *f, serve_waiter *waiter)
{
    serve_waiters_remove(&f->waiters, waiter);
}

int serve_fill_enlist(serve_fill *f, const struct serve_fill_wait *wait, int64_t position,
                      coras_error **err)
{
    CORAS_TRY(check_wait(f, wait, err));
    wait->waiter->position = position;
    serve_waiters_add(&f->waiters, wait->waiter);
    return 0;
}

bool serve_fill_can_read(const serve_fill *f, int64_t position)
{
    return f->state == SERVE_FILL_DONE || position < serve_fill_limit(f->state, f->got, f->size);
}

int serve_fill_look_size(serve_fill *f, const struct serve_fill_wait *wait, int64_t *ret_size,
                         coras_error **err)
{
    bool is_known;
    int rc = 1;

    pthread_mutex_lock(&f->lock);
    serve_fill_forget(f, wait->waiter);
    is_known = f->is_measured && f->size != 0; /* of nothing no end can be held back */
    if (!is_known && f->state == SERVE_FILL_RUNNING)
        rc = serve_fill_enlist(f, wait, -1, err);
    else if (!is_known && f->state == SERVE_FILL_FAILED)
        rc = serve_fill_why(f, err);
    *ret_size = f->size;
    pthread_mutex_unlock(&f->lock);
    return rc;
}

int serve_fill_look_recorded(serve_fill *f, const struct serve_fill_wait *wait, coras_error **err)
{
    int rc = 1;

    pthread_mutex_lock(&f->lock);
    serve_fill_forget(f, wait->waiter);
    if (f->state == SERVE_FILL_FAILED)
        rc = serve_fill_why(f, err);
    else if (!f->is_recorded)
        rc = serve_fill_enlist(f, wait, INT64_MAX, err); /* not for each of its bytes */
    else if (!f->is_kept)
        rc = coras_fail(err, CORAS_ERR_NO_SPACE, "it could not be kept");
    pthread_mutex_unlock(&f->lock);
    return rc;
}
