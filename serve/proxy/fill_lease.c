/* SPDX-License-Identifier: Apache-2.0 */
/* Taking, keeping and giving back the lease of a fill. */
#include "serve/proxy/fill_lease.h"

#include <inttypes.h>
#include "base/clock.h"
#include "base/error.h"
#include "serve/proxy/fills.h"
#include "serve/storage/metadata_leases.h"

/* Longer than an upstream may be silent. */
#define LEASE_MS 30000
#define KEEP_MS  8000
/* Less than a reader waits for the first byte. */
#define WAIT_MS 3000
#define LOOK_MS 100

static const char *name_of(const struct serve_filler *w, char name[static SERVE_FILL_LEASE_MAX])
{
    char text[CORAS_DIGEST_TEXT_MAX];

    snprintf(name, SERVE_FILL_LEASE_MAX, "fill %s", coras_digest_format(&w->fill->digest, text));
    return name;
}

/* EXISTS: another has it. Without a database nothing will be kept, but readers can have their
 * bytes. */
static int take(struct serve_filler *w)
{
    char name[SERVE_FILL_LEASE_MAX];
    int rc = serve_metadata_take_lease(w->registry->metadata, name_of(w, name), LEASE_MS, NULL);

    w->lease_ms = rc == 0 ? coras_now_ms() + KEEP_MS : 0;
    return rc == CORAS_ERR_EXISTS ? rc : 0;
}

static int check_stored(const struct serve_filler *w, coras_error **err)
{
    int64_t size;

    if (serve_metadata_find_blob(w->registry->metadata, NULL, &w->fill->digest, &size, NULL) < 0)
        return 0;
    return coras_fail(err, CORAS_ERR_EXISTS, "another process has stored it");
}

static void pause_until_next_look(void)
{
    const struct timespec some = {.tv_nsec = LOOK_MS * 1000000L};

    (void)nanosleep(&some, NULL);
}

int serve_fill_lease_begin(struct serve_filler *w, coras_error **err)
{
    int64_t deadline_ms = coras_now_ms() + WAIT_MS;

    if (!w->registry->blobs->has_places || !serve_metadata_is_shared(w->registry->metadata))
        return 0;
    while (take(w) == CORAS_ERR_EXISTS) {
        CORAS_TRY(check_stored(w, err));
        if (coras_now_ms() >= deadline_ms || serve_fills_are_stopping(w->fill->fills))
            return 0;
        pause_until_next_look();
    }
    return check_stored(w, err); /* between the look of who asked for it and the lease */
}

void serve_fill_lease_keep(struct serve_filler *w)
{
    if (w->lease_ms > 0 && coras_now_ms() >= w->lease_ms)
        (void)take(w); /* one that was lost costs a transfer */
}

void serve_fill_lease_end(struct serve_filler *w)
{
    char name[SERVE_FILL_LEASE_MAX];

    if (w->lease_ms > 0)
        (void)!serve_metadata_give_lease(w->registry->metadata, name_of(w, name), NULL);
}
