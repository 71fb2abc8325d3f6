/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chooses how one blob goes: landing in a local target, from its file, from memory, or relayed.
 */
#include "transfer/transfer.h"

#include <sys/stat.h>

#include "base/error.h"
#include "transfer/download.h"
#include "transfer/local_file.h"
#include "transfer/relay.h"

enum { MEMORY_BYTES = 1024 * 1024 };

int coras_transfer_land(coras_run *run, coras_target *from, coras_target *to,
                        const coras_descriptor *desc, const coras_transfer *transfer,
                        coras_error **err)
{
    coras_auto_value(coras_landing) landing = {.dirfd = -1};
    CORAS_TRY(to->ops->land(to, desc, &landing, err));
    struct coras_download download = {.run = run,
                                      .from = from,
                                      .desc = desc,
                                      .transfer = transfer,
                                      .dirfd = landing.dirfd,
                                      .partial = landing.partial,
                                      .mode = 0666,
                                      .sync = !run->options->no_sync};
    CORAS_TRY(coras_download(&download, err));
    return landing.commit(&landing, err);
}

static int send_from_memory(coras_target *from, coras_target *to, const coras_descriptor *desc,
                            const coras_transfer *transfer, coras_error **err)
{
    coras_auto_buf bytes = CORAS_BUF_INIT(MEMORY_BYTES);
    CORAS_TRY(coras_at_side(CORAS_SIDE_SOURCE,
                            coras_target_fetch_verified(from, desc, MEMORY_BYTES, &bytes, err),
                            err));
    coras_memory memory = {bytes.ptr, bytes.len};
    coras_source source = coras_source_memory(&memory);
    coras_blob_push push = {
        .desc = desc, .source = &source, .known_missing = true, .transfer = transfer};
    return to->ops->push_blob(to, &push, err);
}

/* What a local blob's bytes must be, checked beside the upload. */
struct checked_file {
    coras_local_file file;
    const coras_descriptor *desc;
};

static int verify_file(void *user, coras_error **err)
{
    struct checked_file *c = user;
    coras_digest digest;
    CORAS_TRY(coras_hash_behind_get(c->file.hashing, true, &digest, err));
    if (!coras_digest_equal(&digest, &c->desc->digest))
        return coras_at_side(
            CORAS_SIDE_SOURCE,
            coras_fail(err, CORAS_ERR_DIGEST_MISMATCH, "%s: mismatched digest", c->file.name), err);
    return coras_at_side(CORAS_SIDE_SOURCE, coras_local_file_unchanged(&c->file, err), err);
}

static int push_checked_file(coras_run *run, struct checked_file *c, coras_target *to,
                             const coras_transfer *transfer, coras_error **err)
{
    CORAS_TRY(coras_local_file_start_hashing(&c->file, &run->stop, err));
    coras_source source = coras_local_file_source(&c->file);
    coras_blob_push push = {.desc = c->desc,
                            .source = &source,
                            .unchanged = verify_file,
                            .unchanged_user = c,
                            .known_missing = true,
                            .transfer = transfer};
    return to->ops->push_blob(to, &push, err);
}

static int send_file_once(coras_run *run, coras_target *from, coras_target *to,
                          const coras_descriptor *desc, const coras_transfer *transfer,
                          coras_error **err)
{
    char name[CORAS_DIGEST_TEXT_MAX];
    struct checked_file c = {.file = {.fd = -1}, .desc = desc};
    coras_auto_fd fd = -1;
    int64_t offset = 0;

    CORAS_TRY(
        coras_at_side(CORAS_SIDE_SOURCE, coras_target_bring(from, desc, run, transfer, err), err));
    CORAS_TRY(coras_at_side(CORAS_SIDE_SOURCE, from->ops->open_local(from, desc, &fd, &offset, err),
                            err));
    CORAS_TRY(coras_local_file_take(&fd, coras_digest_format(&desc->digest, name), offset,
                                    desc->size, &c.file, err));
    int rc = push_checked_file(run, &c, to, transfer, err);
    coras_local_file_clear(&c.file);
    return rc;
}

/* A bad copy in a cache is noticed while it is sent. */
static int send_from_file(coras_run *run, coras_target *from, coras_target *to,
                          const coras_descriptor *desc, const coras_transfer *transfer,
                          coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    int rc = send_file_once(run, from, to, desc, transfer, &failure);

    if (rc == CORAS_ERR_DIGEST_MISMATCH && coras_target_distrust(from, desc))
        return send_file_once(run, from, to, desc, transfer, err);
    coras_error_propagate(err, &failure);
    return rc;
}

static int send_through_relay(coras_run *run, coras_target *from, coras_target *to,
                              const coras_descriptor *desc, const coras_transfer *transfer,
                              coras_error **err)
{
    coras_auto(coras_relay) relay = NULL;
    CORAS_TRY(coras_relay_new(run, from, desc, &relay, err));
    coras_source source = coras_relay_source(relay);
    coras_blob_push push = {.desc = desc,
                            .source = &source,
                            .unchanged = coras_relay_verify,
                            .unchanged_user = relay,
                            .known_missing = true,
                            .transfer = transfer};
    int rc = to->ops->push_blob(to, &push, err);
    if (rc == CORAS_PUSHED)
        CORAS_TRY(coras_relay_finish(relay, err));
    return rc;
}

static int transfer_blob(coras_run *run, coras_target *from, coras_target *to,
                         const coras_descriptor *desc, coras_error **err)
{
    struct coras_run_transfer report;
    coras_run_transfer_init(&report, run, desc);
    if (to->ops->land)
        return coras_transfer_land(run, from, to, desc, &report.transfer, err);
    if (desc->size <= MEMORY_BYTES)
        return send_from_memory(from, to, desc, &report.transfer, err);
    if (from->ops->open_local)
        return send_from_file(run, from, to, desc, &report.transfer, err);
    return send_through_relay(run, from, to, desc, &report.transfer, err);
}

/* What a download into a local place meets is the source's, but for what this machine refuses; what
 * an upload meets is the destination's, but for what reading has said before. */
static enum coras_side likely_side(const coras_target *to, const coras_error *failure)
{
    return to->ops->land && coras_error_party(failure) != CORAS_PARTY_LOCAL
               ? CORAS_SIDE_SOURCE
               : CORAS_SIDE_DESTINATION;
}

int coras_transfer_blob(coras_run *run, coras_target *from, coras_target *to,
                        const coras_descriptor *desc, coras_error **err)
{
    int rc = transfer_blob(run, from, to, desc, err);

    return err ? coras_at_side(likely_side(to, *err), rc, err) : rc;
}
