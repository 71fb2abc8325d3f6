/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of an artifact, from any target into a directory.
 */
#include "ops/pull.h"

#include "base/error.h"
#include "base/options.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/vec.h"
#include "oci/platform.h"
#include "ops/platform_select.h"
#include "ops/pull_impl.h"
#include "ops/pull_share.h"
#include "transfer/download.h"

static void release_node_files(void *data)
{
    struct coras_pull_node_files *f = data;
    free(f->files.items);
    free(f);
}

/* ---- blobs ---- */

static int land(struct coras_pull_work *p, const coras_descriptor *desc, coras_error **err)
{
    coras_auto_free char *name = NULL;
    struct coras_run_transfer report;
    int dirfd = -1;

    CORAS_TRY(coras_workdir_stage(&p->workdir, desc, &dirfd, &name, err));
    coras_run_transfer_init(&report, &p->run, desc);
    if (p->workdir.shares) {
        bool shared = false;
        CORAS_TRY(coras_share_content(&p->run, p->source, desc, &report.transfer, dirfd, name,
                                      &shared, err));
        if (shared)
            return 0;
    }
    struct coras_download download = {.run = &p->run,
                                      .from = p->source,
                                      .desc = desc,
                                      .transfer = &report.transfer,
                                      .dirfd = dirfd,
                                      .partial = name,
                                      .mode = p->workdir.file_mode};
    return coras_download(&download, err);
}

static int finish_named(struct coras_pull_work *p, coras_node *node, coras_place *place,
                        coras_error **err)
{
    int rc = coras_workdir_check(&p->workdir, place, err);
    if (rc == 0 && place->right) {
        coras_run_post(&p->run, CORAS_EVENT_SKIPPED, &node->desc, 0, NULL);
        return 0;
    }
    coras_run_post(&p->run, CORAS_EVENT_START, &node->desc, 0, NULL);
    if (rc < 0)
        return rc;
    rc = land(p, &node->desc, err);
    if (rc < 0) {
        coras_run_post(&p->run, CORAS_EVENT_FAILED, &node->desc, 0, NULL);
        if (rc == CORAS_ERR_NOT_FOUND) /* no content that could have been copied */
            return rc;
        return coras_wrap(err, rc, "failed to copy content to %s", place->absolute);
    }
    coras_run_post(&p->run, CORAS_EVENT_DONE, &node->desc, node->desc.size, NULL);
    return 0;
}

static int finish_manifest(struct coras_pull_work *p, coras_node *node, coras_error **err)
{
    struct coras_pull_node_files *f = node->data;
    for (size_t i = 0; f && i < f->files.len; i++) {
        coras_place *place = f->files.items[i];
        if (place->same_as) {
            CORAS_TRY(coras_workdir_check(&p->workdir, place, err));
            coras_run_post(&p->run, place->right ? CORAS_EVENT_SKIPPED : CORAS_EVENT_RESTORED,
                           &place->desc, 0, NULL);
        }
        if (!place->listed)
            continue;
        pthread_mutex_lock(&p->lock);
        int rc = coras_vec_grow(&p->listed, 1);
        if (rc == 0)
            p->listed.items[p->listed.len++] = place;
        pthread_mutex_unlock(&p->lock);
        if (rc < 0)
            return coras_fail_no_memory(err);
    }
    coras_run_post(&p->run, CORAS_EVENT_DONE, &node->desc, node->desc.size, NULL);
    return 0;
}

static int finish(coras_graph *g CORAS_UNUSED, coras_node *node, void *user, coras_error **err)
{
    struct coras_pull_work *p = user;
    if (coras_pull_is_dry(p))
        return 0;
    if (coras_media_type_is_manifest(node->desc.media_type))
        return finish_manifest(p, node, err);
    /* Places are complete once the manifest that names them was expanded. */
    coras_place *place = coras_workdir_first(&p->workdir, &node->desc);
    if (place)
        return finish_named(p, node, place, err);
    coras_run_post(&p->run, CORAS_EVENT_SKIPPED, &node->desc, 0, NULL);
    return 0;
}

/* ---- the whole ---- */

/* ret->files, from places that live until the workdir is closed */
static int fill_result(struct coras_pull_work *p, coras_pull_result *ret, coras_error **err)
{
    size_t count = p->listed.len;
    ret->files = coras_calloc(count ? count : 1, sizeof(*ret->files));
    if (!ret->files)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        const coras_place *place = p->listed.items[i];
        coras_pulled_file *file = &ret->files[ret->file_count++];
        file->path =
            coras_asprintf("%s%s", place->absolute, place->unpack || place->in_tree ? "/" : "");
        if (!file->path)
            return coras_fail_no_memory(err);
        CORAS_TRY(coras_descriptor_copy(&file->desc, &place->desc, err));
        CORAS_TRY(
            coras_annotations_set(&file->desc.annotations, CORAS_ANN_TITLE, place->title, err));
    }
    ret->skipped_unnamed = p->skipped_unnamed;
    bool nothing = count == 0 && p->skipped_unnamed && !coras_pull_is_dry(p);
    ret->model_package = nothing ? p->model_package : NULL;
    return coras_descriptor_copy(&ret->root, &p->root, err);
}

/* The result is made before files get their names: nothing can fail after that. */
static int walk(struct coras_pull_work *p, coras_graph *g, coras_pull_result *ret,
                coras_error **err)
{
    int known = coras_graph_add_root(g, &p->root, NULL, NULL, err);
    if (known < 0)
        return known;
    int rc = coras_graph_walk(g, err);
    if (rc == 0 && !p->workdir.has_archives)
        rc = coras_choosing_check(&p->choosing, err);
    if (rc == 0)
        rc = fill_result(p, ret, err);
    if (rc == 0 && !coras_pull_is_dry(p))
        rc = coras_workdir_commit(&p->workdir, err);
    p->workdir.keep_partials =
        rc < 0 && coras_download_can_resume(rc) && !p->workdir.partials_spoilt;
    return rc;
}

/* A layout may give a name to anything; a registry's answer of another type is a mistake. */
static int check_root(const struct coras_pull_work *p, coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    if (p->source->ops->one_store || coras_media_type_is_manifest(p->root.media_type))
        return 0;
    coras_auto_free char *type = coras_escape_dup(p->root.media_type);
    return coras_fail(err, CORAS_ERR_INVALID_MANIFEST, "%s: %s: not a manifest",
                      coras_digest_format(&p->root.digest, digest), type ? type : "");
}

/* The root and its bytes are known. */
static int pull(struct coras_pull_work *p, coras_pull_result *ret, coras_error **err)
{
    const struct coras_graph_ops ops = {coras_pull_expand, finish, release_node_files, p};
    coras_auto(coras_graph) g = NULL;
    coras_pull_result result = {0};

    CORAS_TRY(check_root(p, err));
    CORAS_TRY(coras_workdir_open(&p->workdir, &p->run, p->opts, err));
    p->workdir.choosing = &p->choosing;
    if (p->package) {
        p->workdir.dir_mode = 0755;
        p->workdir.file_mode = 0644;
        p->workdir.shares = p->shares;
    }
    int rc = coras_graph_new(&p->run, &ops, &g, err);
    if (rc == 0)
        rc = walk(p, g, &result, err);
    coras_workdir_close(&p->workdir);
    coras_run_deliver(&p->run); /* what it kept */
    if (rc < 0) {
        coras_pull_result_clear(&result);
        return rc;
    }
    *ret = result;
    if (coras_pull_is_dry(p)) {
        *p->opts->plan = p->plan;
        p->plan = (coras_plan)CORAS_PLAN_INIT;
    }
    return 0;
}

static int pull_init(struct coras_pull_work *p, const coras_run_options *run, coras_error **err)
{
    CORAS_TRY(coras_choosing_init(&p->choosing, p->opts->selection, err));
    pthread_mutex_init(&p->lock, NULL);
    coras_run_init(&p->run, run);
    return 0;
}

static void pull_clear(struct coras_pull_work *p)
{
    coras_run_clear(&p->run);
    pthread_mutex_destroy(&p->lock);
    coras_descriptor_clear(&p->root);
    coras_buf_clear(&p->root_bytes);
    free(p->listed.items);
    coras_plan_clear(&p->plan);
    coras_choosing_clear(&p->choosing);
}

int coras_pull(coras_target *source, const char *reference, const coras_pull_options *opts,
               const coras_run_options *run, coras_pull_result *ret, coras_error **err)
{
    coras_pull_options known = CORAS_PULL_OPTIONS_INIT;
    struct coras_pull_work p = {
        .source = source, .opts = &known, .root_bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST)};

    if (!source || !reference || !ret)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing argument");
    CORAS_TRY(coras_options_read(&known, sizeof(known), opts, err));
    CORAS_TRY(pull_init(&p, run, err));
    int rc = coras_select_manifest(source, reference, known.platform, &p.root, &p.root_bytes, err);
    if (rc == 0)
        rc = pull(&p, ret, err);
    pull_clear(&p);
    return rc;
}

int coras_pull_package(coras_target *source, const struct coras_packaged *packaged,
                       const coras_pull_options *opts, const coras_run_options *run,
                       coras_pull_result *ret, coras_error **err)
{
    struct coras_pull_work p = {.source = source,
                                .opts = opts,
                                .package = packaged->package,
                                .shares = packaged->shares,
                                .root_bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST)};

    CORAS_TRY(pull_init(&p, run, err));
    coras_buf_put(&p.root_bytes, packaged->bytes->ptr, packaged->bytes->len);
    int rc = coras_buf_done(&p.root_bytes, err);
    if (rc == 0)
        rc = coras_descriptor_copy(&p.root, packaged->root, err);
    if (rc == 0)
        rc = pull(&p, ret, err);
    pull_clear(&p);
    return rc;
}

void coras_pull_result_clear(coras_pull_result *result)
{
    for (size_t i = 0; i < result->file_count; i++) {
        free(result->files[i].path);
        coras_descriptor_clear(&result->files[i].desc);
    }
    free(result->files);
    coras_descriptor_clear(&result->root);
    *result = (coras_pull_result){0};
}
