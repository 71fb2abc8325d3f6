/* SPDX-License-Identifier: Apache-2.0 */
/* Collection by hand. */
#include "serve/operate/chores.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include "base/clock.h"
#include "base/error.h"
#include "codec/json.h"
#include "serve/operate/far_store.h"
#include "serve/storage/collect.h"
#include "serve/storage/root.h"

struct tally {
    int64_t blobs, bytes, uploads;
};

static int report(const struct serve_chore *chore, const struct tally *t, coras_error **err)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&out, 2);

    if (serve_chore_is_json(chore)) {
        coras_jw_object(&w);
        coras_jw_key(&w, "blobs");
        coras_jw_int(&w, t->blobs);
        coras_jw_key(&w, "bytes");
        coras_jw_int(&w, t->bytes);
        coras_jw_key(&w, "uploads");
        coras_jw_int(&w, t->uploads);
        coras_jw_end_object(&w);
        coras_buf_putc(&out, '\n');
    } else {
        coras_buf_printf(&out, "%s %" PRId64 " blobs (%" PRId64 " bytes) and %" PRId64 " uploads\n",
                         chore->dry_run ? "would remove" : "removed", t->blobs, t->bytes,
                         t->uploads);
    }
    CORAS_TRY(coras_buf_done(&out, err));
    if (fputs(out.ptr, stdout) == EOF || fflush(stdout) != 0)
        return coras_fail_errno(err, errno, "write standard output");
    return 0;
}

/* What a collection would find is asked of the database in a transaction that is taken back. */
static int preview(const struct serve_chore *chore, struct tally *t, coras_error **err)
{
    struct serve_root root = SERVE_ROOT_INIT;
    int rc = serve_root_open_beside(
        &(struct serve_root_options){chore->of.root, chore->of.metadata, true}, &root, err);

    if (rc == 0)
        rc = serve_metadata_collectable(root.metadata, coras_wall_s() - chore->older_than,
                                        &t->blobs, &t->bytes, err);
    serve_root_close(&root);
    return rc;
}

static void collect(struct serve_registry *r, const struct serve_chore *chore, struct tally *t)
{
    struct serve_blob_walk walk = {0};

    t->uploads = serve_sessions_count(r->sessions);
    serve_sessions_expire(r->sessions, coras_wall_s());
    t->uploads -= serve_sessions_count(r->sessions);
    while (serve_collect(r, chore->older_than))
        ;
    while (serve_collect_strays(r, &walk, chore->older_than))
        ;
    serve_blob_walk_end(&walk);
    t->blobs = serve_metrics_total(r->metrics, SERVE_METRIC_COLLECTED);
    t->bytes = serve_metrics_total(r->metrics, SERVE_METRIC_COLLECTED_BYTES);
}

/* Opening it for writing would make one. */
static int check_directory(const char *path, coras_error **err)
{
    struct stat st;

    return stat(path, &st) < 0 ? coras_fail_errno(err, errno, "open %s", path) : 0;
}

static int collect_root(const struct serve_chore *chore, struct tally *t, coras_error **err)
{
    coras_auto(serve_metrics) metrics = serve_metrics_new();
    struct serve_root root = SERVE_ROOT_INIT;
    struct serve_far_store far = {0};
    struct serve_registry registry = {.metrics = metrics};
    int rc;

    if (!metrics)
        return coras_fail_no_memory(err);
    CORAS_TRY(check_directory(chore->of.root, err));
    rc = serve_root_open(&(struct serve_root_options){chore->of.root, chore->of.metadata, false,
                                                      chore->of.blobs != NULL},
                         &root, err);
    if (rc == CORAS_ERR_TIMEOUT)
        coras_hint(err, "a server that runs there removes what nothing needs by itself, every "
                        "hour; --dry-run works beside it");
    if (rc < 0)
        return rc;
    rc = serve_far_store_open(&(struct serve_far_store_options){&chore->of, &root, false, NULL},
                              &far, err);
    if (rc == 0) {
        registry.store = root.store;
        registry.blobs = serve_far_store_blobs(&far, &root);
        registry.metadata = root.metadata;
        registry.sessions = serve_far_store_sessions(&far, &root);
        collect(&registry, chore, t);
        rc = serve_far_store_clear(&far, chore->older_than, err);
    }
    serve_far_store_close(&far);
    serve_root_close(&root);
    return rc;
}

int serve_gc(const struct serve_chore *chore, coras_error **err)
{
    struct tally tally = {0};

    if (chore->dry_run)
        CORAS_TRY(preview(chore, &tally, err));
    else
        CORAS_TRY(collect_root(chore, &tally, err));
    return report(chore, &tally, err);
}
