/* SPDX-License-Identifier: Apache-2.0 */
/* Reading behind a filler. */
#include "serve/proxy/reader.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "serve/proxy/fills.h"

struct reader {
    const struct serve_exchange *exchange;
    serve_fill *fill;
    int64_t first;  /* where the answer begins in the blob */
    unsigned round; /* of the fill, of which it has read */
};

static bool is_gone(void *user)
{
    const struct reader *r = user;

    return serve_exchange_is_gone(r->exchange);
}

/* What can be read at `position`, at most `cap`: 0 at the end. Negative when the answer cannot go
 * on, which is so too when what was sent of it is void. */
static int64_t readable(struct reader *r, int64_t position, size_t cap, int *ret_fd)
{
    serve_fill *f = r->fill;
    int64_t bytes;

    pthread_mutex_lock(&f->lock);
    bytes = serve_fill_limit(f->state, f->got, f->size) - position;
    if (position == r->first)
        r->round = f->round;
    if (r->round != f->round || bytes < 0)
        bytes = -1;
    *ret_fd = f->fd;
    pthread_mutex_unlock(&f->lock);
    return bytes > (int64_t)cap ? (int64_t)cap : bytes;
}

static ssize_t read_piece(void *user, int64_t at, char *buffer, size_t cap)
{
    struct reader *r = user;
    const struct serve_fill_wait wait = {.is_gone = is_gone, .user = r};
    int64_t position = r->first + at, bytes;
    size_t got = 0;
    int fd;

    if (serve_fill_await(r->fill, position, &wait, NULL) < 0)
        return -1;
    bytes = readable(r, position, cap, &fd);
    if (bytes <= 0)
        return bytes;
    if (coras_pread_full(fd, buffer, (size_t)bytes, position, &got, NULL) < 0 || got == 0)
        return -1;
    serve_metrics_add(r->exchange->registry->metrics, SERVE_METRIC_CACHE_SENT_BYTES,
                      SERVE_LABELS(.upstream = serve_metrics_upstream(
                                       r->exchange->registry->metrics, r->fill->upstream->label)),
                      (int64_t)got);
    return (ssize_t)got;
}

static void close_reader(void *user)
{
    struct reader *r = user;

    serve_metrics_add(r->exchange->registry->metrics, SERVE_METRIC_CACHE_READERS, NULL, -1);
    serve_fills_leave(r->fill->fills, r->fill);
    free(r);
}

int serve_reader_answer(struct serve_exchange *x, serve_fill *f, int64_t first, coras_error **err)
{
    struct reader *r = coras_new(struct reader);

    if (!r)
        return coras_fail_no_memory(err);
    *r = (struct reader){.exchange = x, .fill = f, .first = first};
    x->answer.stream = (struct serve_stream){read_piece, close_reader, r};
    serve_metrics_add(x->registry->metrics, SERVE_METRIC_CACHE_READERS, NULL, 1);
    return 0;
}
