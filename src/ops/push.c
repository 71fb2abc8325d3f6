/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A prepared artifact goes to its target: content first, then the manifest, the tag with it or
 * last.
 */
#include "base/error.h"
#include "base/limits.h"
#include "base/options.h"
#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "transfer/parallel.h"
#include "ops/artifact.h"
#include "ops/likely.h"

enum {
    /* From this size on a file is hashed while it is sent, unless it is probably there already. */
    HASH_BESIDE_BYTES = 16 * CORAS_MIB,
    LOOKS_MAX = 4, /* at further names, to find out */
};

struct push {
    coras_artifact *artifact;
    coras_target *target;
    const coras_push_options *opts;
    coras_run run;
    struct {
        struct coras_artifact_item **items;
        size_t len, cap;
    } blobs, twins; /* twins: further names of content that is among the blobs */
    coras_buf bytes;
    coras_descriptor manifest;
    coras_likely likely;
};

static void push_clear(struct push *p)
{
    coras_run_clear(&p->run);
    free(p->blobs.items);
    free(p->twins.items);
    coras_buf_clear(&p->bytes);
    coras_descriptor_clear(&p->manifest);
    coras_likely_clear(&p->likely);
}

/* ---- blobs ---- */

static bool digest_is_known(const struct coras_artifact_item *item)
{
    return item->desc.digest.algorithm != CORAS_DIGEST_NONE;
}

static void announce(struct push *p, struct coras_artifact_item *item)
{
    if (!item->announced)
        coras_run_post(&p->run, CORAS_EVENT_START, &item->desc, 0, NULL);
    item->announced = true;
}

/* A blob whose digest is in the making: it gets its name in the display when that is known. */
struct unnamed_upload {
    struct push *push;
    struct coras_artifact_item *item;
    struct coras_run_transfer report;
    struct coras_run_hashing hashing;
};

static const char *name_of(const struct coras_artifact_item *item)
{
    const char *title = coras_descriptor_title(&item->desc);

    return title ? title : item->desc.media_type;
}

static void report_unnamed(void *user, int64_t offset)
{
    struct unnamed_upload *u = user;
    if (!u->item->announced) {
        coras_digest_promise promise = coras_local_file_promise(&u->item->file);
        coras_digest digest;
        if (promise.get(promise.user, false, &digest, NULL) != 0) {
            coras_run_report_hashing(&u->hashing, offset);
            return;
        }
        u->item->desc.digest = digest;
        announce(u->push, u->item);
    }
    u->report.transfer.progress(u->report.transfer.user, offset);
}

static void retry_unnamed(void *user, int64_t offset, const char *why)
{
    struct unnamed_upload *u = user;
    if (u->item->announced)
        u->report.transfer.retrying(u->report.transfer.user, offset, why);
}

static void keep_unnamed(void *user, int64_t bytes)
{
    struct unnamed_upload *u = user;
    u->report.transfer.kept(u->report.transfer.user, bytes);
}

static int push_while_hashing(struct push *p, struct coras_artifact_item *item, coras_error **err)
{
    struct unnamed_upload u = {.push = p, .item = item};
    coras_transfer transfer = {.progress = report_unnamed,
                               .retrying = retry_unnamed,
                               .user = &u,
                               .cancel = &p->run.stop,
                               .kept = keep_unnamed};
    coras_run_transfer_init(&u.report, &p->run, &item->desc);
    coras_run_hashing_init(&u.hashing, &p->run, name_of(item), item->desc.size);
    CORAS_TRY(coras_local_file_wake(&item->file, err));
    CORAS_TRY(coras_local_file_start_hashing(&item->file, &p->run.stop, err));
    coras_digest_promise promise = coras_local_file_promise(&item->file);
    coras_source source = coras_local_file_source(&item->file);
    coras_blob_push push = {.desc = &item->desc,
                            .promise = &promise,
                            .source = &source,
                            .unchanged = coras_local_file_unchanged,
                            .unchanged_user = &item->file,
                            .transfer = &transfer};
    int rc = p->target->ops->push_blob(p->target, &push, err);
    if (rc < 0)
        return rc;
    CORAS_TRY(coras_local_file_settle(&item->file, err));
    if (!item->announced) /* else events that are being delivered read it */
        item->desc.digest = item->file.digest;
    if (rc == CORAS_PUSH_EXISTED && !item->announced) {
        coras_run_post(&p->run, CORAS_EVENT_EXISTS, &item->desc, 0, NULL);
        return 0;
    }
    announce(p, item);
    coras_run_post(&p->run, CORAS_EVENT_DONE, &item->desc, item->desc.size, NULL);
    return 0;
}

/* A digest that somebody else has found is compared while the bytes pass: here beside the upload,
 * in a target that hashes what it takes by that. */
static int start_comparing(struct push *p, struct coras_artifact_item *item, coras_error **err)
{
    if (!item->file.has_expected || item->file.known || !p->target->ops->takes_unhashed)
        return 0;
    return coras_local_file_start_hashing(&item->file, &p->run.stop, err);
}

/* Which file a digest that somebody else has found belongs to. */
static int wrap_known(const struct coras_artifact_item *item, int rc, coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];

    if (!item->file.has_expected)
        return rc;
    if (item->file.hashing || rc != CORAS_ERR_DIGEST_MISMATCH)
        return coras_wrap(err, rc, "%s", name_of(item));
    return coras_wrap(err, rc, "%s, expected as %s", name_of(item),
                      coras_digest_format(&item->desc.digest, digest));
}

static int push_known(struct push *p, struct coras_artifact_item *item, coras_error **err)
{
    bool from_file = item->file.name != NULL;
    coras_memory memory = {item->memory.ptr, item->memory.len};
    struct coras_run_transfer report;
    bool exists = false;

    CORAS_TRY(coras_target_claim(p->target, &item->desc, NULL, &exists, err));
    if (exists) {
        coras_run_post(&p->run, CORAS_EVENT_EXISTS, &item->desc, 0, NULL);
        return 0;
    }
    announce(p, item);
    CORAS_TRY(coras_local_file_wake(&item->file, err));
    CORAS_TRY(start_comparing(p, item, err));
    coras_run_transfer_init(&report, &p->run, &item->desc);
    coras_source source =
        from_file ? coras_local_file_source(&item->file) : coras_source_memory(&memory);
    coras_blob_push push = {.desc = &item->desc,
                            .source = &source,
                            .known_missing = true,
                            .unchanged = item->file.hashing ? coras_local_file_as_expected
                                         : from_file        ? coras_local_file_unchanged
                                                            : NULL,
                            .unchanged_user = &item->file,
                            .transfer = &report.transfer};
    int rc = p->target->ops->push_blob(p->target, &push, err);
    if (rc < 0)
        return wrap_known(item, rc, err);
    coras_run_post(&p->run, CORAS_EVENT_DONE, &item->desc, item->desc.size, NULL);
    return 0;
}

static int push_item(void *user, size_t i, coras_error **err)
{
    struct push *p = user;
    struct coras_artifact_item *item = p->blobs.items[i];
    int rc = digest_is_known(item) ? push_known(p, item, err) : push_while_hashing(p, item, err);

    if (rc == 0)
        coras_local_file_rest(&item->file, NULL);
    return rc;
}

static int64_t size_of_item(void *user, size_t i)
{
    const struct push *p = user;

    return p->blobs.items[i]->desc.size;
}

/* ---- which blobs ---- */

/* It names what is not known yet. */
static bool config_is_to_be_written(const coras_artifact *a)
{
    return a->config_writer.write && !digest_is_known(&a->config);
}

static int add_blob(struct push *p, coras_map *seen, struct coras_artifact_item *item,
                    coras_error **err)
{
    char text[CORAS_DIGEST_TEXT_MAX];
    bool twin = false;

    if (digest_is_known(item)) {
        twin = coras_map_has(seen, coras_digest_format(&item->desc.digest, text));
        if (!twin)
            CORAS_TRY(coras_map_set(seen, text, item, err));
    }
    if (coras_vec_grow(&p->blobs, 1) < 0 || coras_vec_grow(&p->twins, 1) < 0)
        return coras_fail_no_memory(err);
    if (!twin)
        p->blobs.items[p->blobs.len++] = item;
    else if (coras_descriptor_title(&item->desc))
        p->twins.items[p->twins.len++] = item;
    return 0;
}

static int collect_blobs(struct push *p, coras_error **err)
{
    coras_auto(coras_map) seen = coras_map_new(NULL);
    if (!seen)
        return coras_fail_no_memory(err);
    if (!config_is_to_be_written(p->artifact))
        CORAS_TRY(add_blob(p, seen, &p->artifact->config, err));
    coras_vec_foreach (item, &p->artifact->layers)
        CORAS_TRY(add_blob(p, seen, item, err));
    return 0;
}

/* ---- digests that are wanted before anything is sent ---- */

static int hash_file(struct push *p, struct coras_artifact_item *item, coras_error **err)
{
    struct coras_run_hashing hashing;

    coras_run_hashing_init(&hashing, &p->run, name_of(item), item->desc.size);
    item->file.hashed = coras_run_report_hashing;
    item->file.hashed_user = &hashing;
    int rc = coras_local_file_hash(&item->file, &p->run.stop, err);
    item->file.hashed = NULL;
    if (rc == 0)
        item->desc.digest = item->file.digest;
    return rc;
}

/* Small files, whose digests are soon known, and what would be sent in vain. */
static bool is_hashed_first(struct push *p, const struct coras_artifact_item *item)
{
    return item->desc.size < HASH_BESIDE_BYTES || !p->target->ops->takes_unhashed ||
           coras_likely_has(&p->likely, coras_descriptor_title(&item->desc), &item->file);
}

static int hash_layer(void *user, size_t i, coras_error **err)
{
    struct push *p = user;
    struct coras_artifact_item *item = &p->artifact->layers.items[i];

    if (digest_is_known(item))
        return 0;
    CORAS_TRY(coras_local_file_wake(&item->file, err));
    int rc = is_hashed_first(p, item) ? hash_file(p, item, err) : 0;
    coras_local_file_rest(&item->file, NULL);
    return rc;
}

/* Whether some file may be hashed while it is sent. */
static bool has_large_unknown(const struct push *p)
{
    coras_vec_foreach (item, &p->artifact->layers)
        if (!digest_is_known(item) && item->desc.size >= HASH_BESIDE_BYTES)
            return p->target->ops->takes_unhashed;
    return false;
}

/* The first of the names that will be given which stands for something. */
static int look_for_likely(struct push *p, coras_error **err)
{
    const char *const *more = p->opts->extra_tags;

    CORAS_TRY(coras_likely_look(p->target, p->opts->reference, &p->likely, err));
    for (int i = 0; more && more[i] && i < LOOKS_MAX && !p->likely.target; i++)
        CORAS_TRY(coras_likely_look(p->target, more[i], &p->likely, err));
    return 0;
}

static int hash_layers(struct push *p, coras_error **err)
{
    if (has_large_unknown(p))
        CORAS_TRY(look_for_likely(p, err));
    return coras_run_parallel(&p->run, p->artifact->layers.len, hash_layer, p, err);
}

static int hash_config(struct push *p, coras_error **err)
{
    struct coras_artifact_item *config = &p->artifact->config;
    if (digest_is_known(config) || p->artifact->config_writer.write)
        return 0;
    CORAS_TRY(coras_local_file_wake(&config->file, err));
    CORAS_TRY(coras_local_file_hash(&config->file, &p->run.stop, err));
    config->desc.digest = config->file.digest;
    return 0;
}

static bool all_digests_known(const coras_artifact *a)
{
    coras_vec_foreach (item, &a->layers)
        if (!digest_is_known(item))
            return false;
    return true;
}

/* Every digest but that of a config which names the others. */
static int make_manifest(struct push *p, coras_error **err)
{
    CORAS_TRY(coras_artifact_finish_config(p->artifact, err));
    return coras_artifact_manifest(p->artifact, &p->bytes, &p->manifest, err);
}

/* ---- manifest and tags ---- */

static int put_manifest(struct push *p, const char *reference, coras_error **err)
{
    return p->target->ops->push_manifest(p->target, &p->manifest, p->bytes.ptr, reference, err);
}

/* Whether the subject's bytes were pushed under a title too. */
static bool subject_is_a_file(const struct push *p)
{
    coras_vec_foreach (item, &p->artifact->layers)
        if (p->artifact->has_subject && coras_descriptor_title(&item->desc) &&
            coras_digest_equal(&item->desc.digest, &p->artifact->subject.digest))
            return true;
    return false;
}

static void tell_further_names(struct push *p)
{
    coras_vec_foreach (twin, &p->twins)
        coras_run_post(&p->run, CORAS_EVENT_EXISTS, &(*twin)->desc, 0, NULL);
    if (subject_is_a_file(p))
        coras_run_post(&p->run, CORAS_EVENT_EXISTS, &p->artifact->subject, 0, NULL);
}

static int push_manifest(struct push *p, coras_error **err)
{
    coras_run_post(&p->run, CORAS_EVENT_START, &p->manifest, 0, NULL);
    tell_further_names(p);
    if (p->opts->force) {
        CORAS_TRY(put_manifest(p, NULL, err));
        if (p->opts->reference)
            CORAS_TRY(put_manifest(p, p->opts->reference, err));
    } else {
        CORAS_TRY(put_manifest(p, p->opts->reference, err));
    }
    coras_run_post(&p->run, CORAS_EVENT_DONE, &p->manifest, p->manifest.size, NULL);
    return 0;
}

/* 1 when the target has the manifest, which then needs a name at most. */
static int push_existing(struct push *p, coras_error **err)
{
    bool exists = false;
    CORAS_TRY(p->target->ops->exists(p->target, &p->manifest, &exists, err));
    if (!exists)
        return 0;
    /* Upstream says nothing where giving the name is a push of the manifest. */
    if (!p->opts->reference || !p->target->ops->names_by_push)
        coras_run_post(&p->run, CORAS_EVENT_EXISTS, &p->manifest, 0, NULL);
    if (p->opts->reference)
        CORAS_TRY(put_manifest(p, p->opts->reference, err));
    return 1;
}

static int push_tag(void *user, size_t i, coras_error **err)
{
    struct push *p = user;
    const char *tag = p->opts->extra_tags[i];
    coras_auto_value(coras_descriptor) bare = CORAS_DESCRIPTOR_INIT;
    CORAS_TRY(coras_descriptor_set(&bare, p->manifest.media_type, &p->manifest.digest,
                                   p->manifest.size, err));
    CORAS_TRY(p->target->ops->push_manifest(p->target, &bare, p->bytes.ptr, tag, err));
    coras_run_post(&p->run, CORAS_EVENT_TAGGED, NULL, 0, tag);
    return 0;
}

static int push_tags(struct push *p, coras_error **err)
{
    size_t count = 0;
    while (p->opts->extra_tags && p->opts->extra_tags[count])
        count++;
    if (count)
        coras_run_post(&p->run, CORAS_EVENT_TAGGING, &p->manifest, 0, NULL);
    return coras_run_parallel(&p->run, count, push_tag, p, err);
}

/* A digest that is in the making is nobody's to read yet. */
static void tell_expected(struct push *p)
{
    coras_vec_foreach (blob, &p->blobs) {
        const struct coras_artifact_item *item = *blob;
        if (digest_is_known(item))
            coras_run_post(&p->run, CORAS_EVENT_EXPECTED, &item->desc, 0, NULL);
        else
            coras_run_post_amount(&p->run, CORAS_EVENT_EXPECTED, name_of(item), 0, item->desc.size);
    }
}

static int push_content(struct push *p, coras_error **err)
{
    CORAS_TRY(collect_blobs(p, err));
    tell_expected(p);
    CORAS_TRY(coras_run_parallel_sized(&p->run, p->blobs.len, push_item, size_of_item, p, err));
    if (!p->bytes.len) {
        bool late_config = config_is_to_be_written(p->artifact);
        CORAS_TRY(make_manifest(p, err));
        if (late_config)
            CORAS_TRY(push_known(p, &p->artifact->config, err));
    }
    return push_manifest(p, err);
}

static int push_all(struct push *p, coras_error **err)
{
    int existed = 0;
    CORAS_TRY(coras_artifact_check(p->artifact, err));
    CORAS_TRY(hash_config(p, err));
    if (!all_digests_known(p->artifact))
        CORAS_TRY(hash_layers(p, err));
    if (all_digests_known(p->artifact)) {
        CORAS_TRY(make_manifest(p, err));
        if (!p->opts->force)
            existed = push_existing(p, err);
    }
    if (existed < 0)
        return existed;
    if (!existed)
        CORAS_TRY(push_content(p, err));
    CORAS_TRY(push_tags(p, err));
    coras_run_deliver(&p->run);
    return 0;
}

int coras_artifact_push(coras_artifact *artifact, coras_target *target,
                        const coras_push_options *opts, const coras_run_options *run,
                        coras_descriptor *ret, char **ret_bytes, coras_error **err)
{
    coras_push_options known = CORAS_PUSH_OPTIONS_INIT;
    struct push p = {
        .artifact = artifact, .target = target, .opts = &known, .bytes = CORAS_BUF_UNLIMITED};

    if (!artifact || !target || !ret)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing argument");
    CORAS_TRY(coras_options_read(&known, sizeof(known), opts, err));
    coras_target_will_write(target);
    coras_run_init(&p.run, run);
    int rc = push_all(&p, err);
    coras_run_deliver(&p.run);
    if (rc == 0 && ret_bytes)
        rc = coras_buf_take(&p.bytes, ret_bytes, err);
    if (rc == 0) {
        *ret = p.manifest;
        p.manifest = (coras_descriptor)CORAS_DESCRIPTOR_INIT;
    }
    push_clear(&p);
    return rc;
}
