/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials that are read again while they are used. */
#include "serve/storage/s3/identity.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"

/* Their file is small, and is read only while there are requests. */
#define HOLDS_MS 5000

void serve_s3_identity_init(struct serve_s3_identity *i)
{
    pthread_mutex_init(&i->lock, NULL);
}

void serve_s3_identity_clear(struct serve_s3_identity *i)
{
    serve_s3_credentials_clear(&i->now);
    pthread_mutex_destroy(&i->lock);
}

/* With the lock. */
static int read_again(struct serve_s3_identity *i, coras_error **err)
{
    struct serve_s3_credentials found = {0};

    i->read_ms = coras_now_ms();
    CORAS_TRY(serve_s3_credentials_find(&found, err));
    serve_s3_credentials_clear(&i->now);
    i->now = found;
    return 0;
}

int serve_s3_identity_read(struct serve_s3_identity *i, coras_error **err)
{
    int rc;

    pthread_mutex_lock(&i->lock);
    rc = read_again(i, err);
    pthread_mutex_unlock(&i->lock);
    return rc;
}

int serve_s3_identity_get(struct serve_s3_identity *i, struct serve_s3_credentials *ret,
                          coras_error **err)
{
    int rc;

    pthread_mutex_lock(&i->lock);
    if (coras_now_ms() - i->read_ms >= HOLDS_MS)
        (void)!read_again(i, NULL); /* those from before may still do */
    rc = serve_s3_credentials_copy(&i->now, ret, err);
    pthread_mutex_unlock(&i->lock);
    return rc;
}

static bool are_same(const struct serve_s3_credentials *a, const struct serve_s3_credentials *b)
{
    return coras_streq(a->id, b->id) && coras_streq(a->secret, b->secret) &&
           coras_streq(a->token ? a->token : "", b->token ? b->token : "");
}

bool serve_s3_identity_renew(struct serve_s3_identity *i, const struct serve_s3_credentials *used)
{
    bool others;

    pthread_mutex_lock(&i->lock);
    others = !are_same(&i->now, used) || (read_again(i, NULL) == 0 && !are_same(&i->now, used));
    pthread_mutex_unlock(&i->lock);
    return others;
}
