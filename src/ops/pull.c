/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of an artifact, from any target into a directory.
 */
#include "base/error.h"
#include "base/options.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/vec.h"
#include "transfer/download.h"
#include "transfer/graph.h"
#include "oci/manifest.h"
#include "oci/platform.h"
#include "ops/choosing.h"
#include "ops/plan.h"
#include "ops/platform_select.h"
#include "ops/pull.h"
#include "ops/pull_files.h"
#include "ops/pull_share.h"

#define NAMED_VARIANT                                                                              \
    "+" /* content that becomes a file, as opposed to the same digest without a name */

struct pull {
    coras_target *source;
    const coras_pull_options *opts;
    const coras_package *package; /* what becomes of the root's layers; NULL: their titles say it */
    bool shares;
    coras_run run;
    coras_workdir workdir;
    coras_descriptor root;
    coras_buf root_bytes;
    coras_choosing choosing;
    pthread_mutex_t lock;
    /* under lock */
    coras_plan plan; /* of a dry run */
    bool config_taken;
    bool skipped_unnamed;
    const char *model_package; /* kind of the last that was met; NULL: none */
    struct {
        coras_place **items;
        size_t len, cap;
    } listed; /* files in the order of their finished manifests */
};

/* What a node of the graph stands for beside its descriptor. */
struct node_files {
    coras_place *place; /* blob: where it goes; NULL: it only counts as skipped */
    struct {
        coras_place **items;
        size_t len, cap;
    } files; /* manifest: the files it names, in its order */
};

static void release_node_files(void *data)
{
    struct node_files *f = data;
    free(f->files.items);
    free(f);
}

static struct node_files *files_of(coras_node *node)
{
    if (!node->data)
        node->data = coras_new(struct node_files);
    return node->data;
}

/* ---- manifests ---- */

static int fetch_manifest(struct pull *p, const coras_descriptor *desc, coras_buf *ret,
                          coras_error **err)
{
    if (coras_digest_equal(&desc->digest, &p->root.digest) && p->root_bytes.len) {
        coras_buf_put(ret, p->root_bytes.ptr, p->root_bytes.len);
        return coras_buf_done(ret, err);
    }
    return coras_target_fetch_verified(p->source, desc, CORAS_LIMIT_MANIFEST, ret, err);
}

static void note_skipped(struct pull *p)
{
    pthread_mutex_lock(&p->lock);
    p->skipped_unnamed = true;
    pthread_mutex_unlock(&p->lock);
}

static int remember_file(coras_node *parent, coras_place *place, coras_error **err)
{
    struct node_files *f = files_of(parent);
    if (!f || coras_vec_grow(&f->files, 1) < 0)
        return coras_fail_no_memory(err);
    f->files.items[f->files.len++] = place;
    return 0;
}

static bool is_dry(const struct pull *p)
{
    return p->opts->plan != NULL;
}

static int plan_content(struct pull *p, const char *path, const coras_descriptor *desc,
                        enum coras_plan_action action, int64_t bytes, coras_error **err)
{
    if (!is_dry(p))
        return 0;
    pthread_mutex_lock(&p->lock);
    int rc = coras_plan_add(&p->plan, path, desc, action, err);
    if (rc == 0)
        coras_plan_count(&p->plan, bytes);
    pthread_mutex_unlock(&p->lock);
    return rc;
}

static const char *path_of(const coras_place *place)
{
    if (place->in_tree)
        return NULL;
    return place->relative ? place->relative : place->absolute;
}

static int plan_place(struct pull *p, coras_place *place, coras_error **err)
{
    if (!is_dry(p))
        return 0;
    CORAS_TRY(coras_workdir_look(&p->workdir, place, err));
    bool moves = !place->right && !place->same_as;
    return plan_content(p, path_of(place), &place->desc,
                        place->right ? CORAS_PLAN_PRESENT : CORAS_PLAN_DOWNLOAD,
                        moves ? place->desc.size : 0, err);
}

/* Content with a name becomes a file. */
static int add_named(struct pull *p, coras_graph *g, coras_node *parent,
                     const coras_descriptor *desc, const char *title,
                     const coras_package_entry *entry, bool listed, coras_error **err)
{
    coras_place *place = NULL;
    coras_node *node = NULL;

    int known = coras_graph_add_child(g, parent, desc, NAMED_VARIANT, &node, err);
    if (known < 0)
        return known;
    CORAS_TRY(coras_workdir_add(&p->workdir, &node->desc, desc, title, entry, &place, err));
    if (!place)
        return 0;
    place->listed = listed;
    CORAS_TRY(plan_place(p, place, err));
    return remember_file(parent, place, err);
}

/* Manifests are read in any case: what the selection is about may be below them. */
static int choose(struct pull *p, const coras_descriptor *desc, const char *title, bool *ret,
                  coras_error **err)
{
    coras_auto_free char *path = NULL;

    *ret = true;
    if (coras_media_type_is_manifest(desc->media_type) ||
        (!title && coras_descriptor_is_empty(desc, true)))
        return 0;
    if (title) /* nothing else becomes a file */
        CORAS_TRY(coras_content_path(desc, &path, err));
    *ret = coras_choose(&p->choosing, path, desc);
    return *ret ? 0 : plan_content(p, path, desc, CORAS_PLAN_SKIP, 0, err);
}

static int add_content(struct pull *p, coras_graph *g, coras_node *parent,
                       const coras_descriptor *desc, coras_error **err)
{
    const char *title = coras_descriptor_title(desc);
    bool taken = true;

    if (title && !*title)
        title = NULL;
    CORAS_TRY(choose(p, desc, title, &taken, err));
    if (!taken)
        return 0;
    if (title)
        return add_named(p, g, parent, desc, title, NULL, true, err);
    if (coras_descriptor_is_empty(desc, true))
        return 0;
    if (!coras_media_type_is_manifest(desc->media_type))
        CORAS_TRY(plan_content(p, NULL, desc, CORAS_PLAN_SKIP, 0, err));
    note_skipped(p);
    int known = coras_graph_add_child(g, parent, desc, NULL, NULL, err);
    return known < 0 ? known : 0;
}

/* Whether this config is the one that the user wants as a file. */
static bool takes_config(struct pull *p, const coras_descriptor *config)
{
    const char *type = p->opts->config_media_type;
    if (!p->opts->config_path || (type && *type && !coras_streq(type, config->media_type)))
        return false;
    pthread_mutex_lock(&p->lock);
    bool first = !p->config_taken;
    p->config_taken = true;
    pthread_mutex_unlock(&p->lock);
    return first;
}

static int add_config(struct pull *p, coras_graph *g, coras_node *parent,
                      const coras_descriptor *config, coras_error **err)
{
    const char *title = coras_descriptor_title(config);
    if (takes_config(p, config)) {
        coras_auto_value(coras_descriptor) named = CORAS_DESCRIPTOR_INIT;
        CORAS_TRY(coras_descriptor_copy(&named, config, err));
        CORAS_TRY(
            coras_annotations_set(&named.annotations, CORAS_ANN_TITLE, p->opts->config_path, err));
        return add_named(p, g, parent, &named, p->opts->config_path, NULL, false, err);
    }
    if (coras_descriptor_is_empty(config, false) && !(title && *title))
        return 0;
    return add_content(p, g, parent, config, err);
}

/* Nobody knows the members of an archive before it is here. */
static bool choose_entry(struct pull *p, const coras_package_entry *entry, const char *path)
{
    if (entry->form == CORAS_LAYER_TAR && !entry->has_prefix)
        return coras_choose_archive(&p->choosing, entry->desc);
    return coras_choose(&p->choosing, path, entry->desc);
}

/* Named by its path, for whoever shows what happens. */
static int add_entry(struct pull *p, coras_graph *g, coras_node *parent,
                     const coras_package_entry *entry, coras_error **err)
{
    coras_auto_value(coras_descriptor) named = CORAS_DESCRIPTOR_INIT;
    const char *path = *entry->path ? entry->path : ".";

    if (!choose_entry(p, entry, path))
        return plan_content(p, path, entry->desc, CORAS_PLAN_SKIP, 0, err);
    CORAS_TRY(coras_descriptor_copy(&named, entry->desc, err));
    if (entry->form == CORAS_LAYER_RAW)
        CORAS_TRY(coras_annotations_set(&named.annotations, CORAS_ANN_TITLE, path, err));
    return add_named(p, g, parent, &named, path, entry, true, err);
}

static int add_package(struct pull *p, coras_graph *g, coras_node *node, coras_error **err)
{
    for (size_t i = 0; i < p->package->entries.len; i++)
        CORAS_TRY(add_entry(p, g, node, &p->package->entries.items[i], err));
    return 0;
}

/* Any image may hold a model, and most do not: nothing is said of those. */
static void note_package(struct pull *p, const coras_manifest *m)
{
    enum coras_package_kind kind =
        coras_kind_is_image(m->kind) ? coras_package_kind_of(m) : CORAS_PACKAGE_ORAS;

    if (kind == CORAS_PACKAGE_ORAS || kind == CORAS_PACKAGE_MODELCAR)
        return;
    pthread_mutex_lock(&p->lock);
    p->model_package = coras_package_name(kind);
    pthread_mutex_unlock(&p->lock);
}

static int add_children(struct pull *p, coras_graph *g, coras_node *node, const coras_manifest *m,
                        coras_error **err)
{
    if (p->package)
        return add_package(p, g, node, err);
    for (size_t i = 0; i < m->layers.len; i++)
        CORAS_TRY(add_content(p, g, node, &m->layers.items[i], err));
    if (m->has_subject && p->opts->include_subject)
        CORAS_TRY(add_content(p, g, node, &m->subject, err));
    if (m->has_config)
        CORAS_TRY(add_config(p, g, node, &m->config, err));
    note_package(p, m);
    return 0;
}

static int expand(coras_graph *g, coras_node *node, void *user, coras_error **err)
{
    struct pull *p = user;
    coras_auto_buf bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    coras_auto_value(coras_manifest) m = {0};

    if (!coras_media_type_is_manifest(node->desc.media_type))
        return CORAS_GRAPH_GO_ON;
    coras_run_post(&p->run, CORAS_EVENT_START, &node->desc, 0, NULL);
    CORAS_TRY(fetch_manifest(p, &node->desc, &bytes, err));
    coras_run_post(&p->run, CORAS_EVENT_PROCESSING, &node->desc, 0, NULL);
    CORAS_TRY(coras_manifest_parse(bytes.ptr, bytes.len, node->desc.media_type, &m, err));
    CORAS_TRY(add_children(p, g, node, &m, err));
    if (!is_dry(p))
        CORAS_TRY(coras_workdir_check_room(&p->workdir, err));
    return CORAS_GRAPH_GO_ON;
}

/* ---- blobs ---- */

static int land(struct pull *p, const coras_descriptor *desc, coras_error **err)
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

static int finish_named(struct pull *p, coras_node *node, coras_place *place, coras_error **err)
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

static int finish_manifest(struct pull *p, coras_node *node, coras_error **err)
{
    struct node_files *f = node->data;
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
    struct pull *p = user;
    if (is_dry(p))
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
static int fill_result(struct pull *p, coras_pull_result *ret, coras_error **err)
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
    bool nothing = count == 0 && p->skipped_unnamed && !is_dry(p);
    ret->model_package = nothing ? p->model_package : NULL;
    return coras_descriptor_copy(&ret->root, &p->root, err);
}

/* The result is made before files get their names: nothing can fail after that. */
static int walk(struct pull *p, coras_graph *g, coras_pull_result *ret, coras_error **err)
{
    int known = coras_graph_add_root(g, &p->root, NULL, NULL, err);
    if (known < 0)
        return known;
    int rc = coras_graph_walk(g, err);
    if (rc == 0 && !p->workdir.has_archives)
        rc = coras_choosing_check(&p->choosing, err);
    if (rc == 0)
        rc = fill_result(p, ret, err);
    if (rc == 0 && !is_dry(p))
        rc = coras_workdir_commit(&p->workdir, err);
    p->workdir.keep_partials =
        rc < 0 && coras_download_can_resume(rc) && !p->workdir.partials_spoilt;
    return rc;
}

/* A layout may give a name to anything; a registry's answer of another type is a mistake. */
static int check_root(const struct pull *p, coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    if (p->source->ops->one_store || coras_media_type_is_manifest(p->root.media_type))
        return 0;
    coras_auto_free char *type = coras_escape_dup(p->root.media_type);
    return coras_fail(err, CORAS_ERR_INVALID_MANIFEST, "%s: %s: not a manifest",
                      coras_digest_format(&p->root.digest, digest), type ? type : "");
}

/* The root and its bytes are known. */
static int pull(struct pull *p, coras_pull_result *ret, coras_error **err)
{
    const struct coras_graph_ops ops = {expand, finish, release_node_files, p};
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
    if (is_dry(p)) {
        *p->opts->plan = p->plan;
        p->plan = (coras_plan)CORAS_PLAN_INIT;
    }
    return 0;
}

static int pull_init(struct pull *p, const coras_run_options *run, coras_error **err)
{
    CORAS_TRY(coras_choosing_init(&p->choosing, p->opts->selection, err));
    pthread_mutex_init(&p->lock, NULL);
    coras_run_init(&p->run, run);
    return 0;
}

static void pull_clear(struct pull *p)
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
    struct pull p = {
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
    struct pull p = {.source = source,
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
