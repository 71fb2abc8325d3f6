/* SPDX-License-Identifier: Apache-2.0 */
/* A ring: the byte at a position of the blob is at that position modulo its size. */
#include "serve/proxy/window.h"

#include <string.h>

int64_t serve_window_first(const serve_window *w, int64_t got)
{
    int64_t first = got - SERVE_WINDOW_BYTES;

    return first > w->kept ? first : w->kept;
}

/* What it will want first of the window. */
static int64_t wanted(const serve_window *w, const serve_follower *f)
{
    return f->position > w->kept ? f->position : w->kept;
}

static int64_t room_for(const serve_window *w, int64_t got, const serve_follower *f)
{
    int64_t room = SERVE_WINDOW_BYTES - (got - wanted(w, f));

    return room < 0 ? 0 : room;
}

size_t serve_window_room(const serve_window *w, int64_t got, const serve_follower *followers)
{
    /* those that are about to come begin at the start */
    const serve_follower nobody = {.position = 0};
    int64_t room = SERVE_WINDOW_BYTES;
    bool is_followed = false;

    for (const serve_follower *f = followers; f; f = f->next) {
        if (f->is_behind)
            continue;
        is_followed = true;
        if (room_for(w, got, f) < room)
            room = room_for(w, got, f);
    }
    return (size_t)(is_followed ? room : room_for(w, got, &nobody));
}

void serve_window_leave_behind(const serve_window *w, int64_t got, serve_follower *followers)
{
    for (serve_follower *f = followers; f; f = f->next) {
        if (room_for(w, got, f) == 0)
            f->is_behind = true;
    }
}

void serve_window_put(serve_window *w, int64_t got, const void *data, size_t len)
{
    size_t at = (size_t)(got % SERVE_WINDOW_BYTES);
    size_t first = SERVE_WINDOW_BYTES - at < len ? SERVE_WINDOW_BYTES - at : len;

    memcpy(w->bytes + at, data, first);
    memcpy(w->bytes, (const char *)data + first, len - first);
}

void serve_window_copy(const serve_window *w, int64_t position, void *buffer, size_t len)
{
    size_t at = (size_t)(position % SERVE_WINDOW_BYTES);
    size_t first = SERVE_WINDOW_BYTES - at < len ? SERVE_WINDOW_BYTES - at : len;

    memcpy(buffer, w->bytes + at, first);
    memcpy((char *)buffer + first, w->bytes, len - first);
}
