/* SPDX-License-Identifier: Apache-2.0 */
/* What every kind of session needs. */
#include "serve/storage/sessions.h"

#include <stdio.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/str.h"

void serve_session_make_id(char id[static SERVE_SESSION_ID_LEN + 1])
{
    unsigned char r[16];

    coras_random(r, sizeof(r));
    snprintf(id, SERVE_SESSION_ID_LEN + 1,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0], r[1],
             r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14],
             r[15]);
}

char *serve_session_owner_name(const struct serve_session_beginning *b)
{
    return coras_asprintf("%s %s", b->user ? "user" : "address", b->user ? b->user : b->network);
}

bool serve_session_may_see(const serve_session *s, const struct serve_session_request *request)
{
    return coras_streq(s->repository, request->repository) &&
           coras_streq(s->user, request->user ? request->user : "");
}

/* false: it works, or was cut before. */
static bool cut_stalled(serve_session *s, int64_t size_before)
{
    if (!s->holder.cut || __atomic_load_n(&s->size, __ATOMIC_RELAXED) != size_before)
        return false;
    s->holder.cut(s->holder.user);
    s->holder.cut = NULL;
    return true;
}

bool serve_session_wait_on(serve_session *s, const struct serve_session_request *request,
                           int64_t size_before, int64_t since_ms)
{
    if (request->look_only)
        return false;
    if (__atomic_load_n(&s->is_finishing, __ATOMIC_RELAXED))
        return coras_now_ms() - since_ms < SERVE_SESSION_FINISH_WAIT_MS;
    return cut_stalled(s, size_before);
}
