/* SPDX-License-Identifier: Apache-2.0 */
/* Which files an artifact stands for: what each of its manifests names, and where that goes. */
#include "ops/pull_impl.h"

#include "base/error.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/vec.h"

#define NAMED_VARIANT                                                                              \
    "+" /* content that becomes a file, as opposed to the same digest without a name */

static struct coras_pull_node_files *files_of(coras_node *node)
{
    if (!node->data)
        node->data = coras_new(struct coras_pull_node_files);
    return node->data;
}

static int fetch_manifest(struct coras_pull_work *p, const coras_descriptor *desc, coras_buf *ret,
                          coras_error **err)
{
    if (coras_digest_equal(&desc->digest, &p->root.digest) && p->root_bytes.len) {
        coras_buf_put(ret, p->root_bytes.ptr, p->root_bytes.len);
        return coras_buf_done(ret, err);
    }
    return coras_target_fetch_verified(p->source, desc, CORAS_LIMIT_MANIFEST, ret, err);
}

static void note_skipped(struct coras_pull_work *p)
{
    pthread_mutex_lock(&p->lock);
    p->skipped_unnamed = true;
    pthread_mutex_unlock(&p->lock);
}

static int remember_file(coras_node *parent, coras_place *place, coras_error **err)
{
    struct coras_pull_node_files *f = files_of(parent);
    if (!f || coras_vec_grow(&f->files, 1) < 0)
        return coras_fail_no_memory(err);
    f->files.items[f->files.len++] = place;
    return 0;
}

static int plan_content(struct coras_pull_work *p, const char *path, const coras_descriptor *desc,
                        enum coras_plan_action action, int64_t bytes, coras_error **err)
{
    if (!coras_pull_is_dry(p))
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

static int plan_place(struct coras_pull_work *p, coras_place *place, coras_error **err)
{
    if (!coras_pull_is_dry(p))
        return 0;
    CORAS_TRY(coras_workdir_look(&p->workdir, place, err));
    bool moves = !place->right && !place->same_as;
    return plan_content(p, path_of(place), &place->desc,
                        place->right ? CORAS_PLAN_PRESENT : CORAS_PLAN_DOWNLOAD,
                        moves ? place->desc.size : 0, err);
}

/* Content with a name becomes a file. */
static int add_named(struct coras_pull_work *p, coras_graph *g, coras_node *parent,
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
static int choose(struct coras_pull_work *p, const coras_descriptor *desc, const char *title,
                  bool *ret, coras_error **err)
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

static int add_content(struct coras_pull_work *p, coras_graph *g, coras_node *parent,
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
static bool takes_config(struct coras_pull_work *p, const coras_descriptor *config)
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

static int add_config(struct coras_pull_work *p, coras_graph *g, coras_node *parent,
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
static bool choose_entry(struct coras_pull_work *p, const coras_package_entry *entry,
                         const char *path)
{
    if (entry->form == CORAS_LAYER_TAR && !entry->has_prefix)
        return coras_choose_archive(&p->choosing, entry->desc);
    return coras_choose(&p->choosing, path, entry->desc);
}

/* Named by its path, for whoever shows what happens. */
static int add_entry(struct coras_pull_work *p, coras_graph *g, coras_node *parent,
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

static int add_package(struct coras_pull_work *p, coras_graph *g, coras_node *node,
                       coras_error **err)
{
    for (size_t i = 0; i < p->package->entries.len; i++)
        CORAS_TRY(add_entry(p, g, node, &p->package->entries.items[i], err));
    return 0;
}

/* Any image may hold a model, and most do not: nothing is said of those. */
static void note_package(struct coras_pull_work *p, const coras_manifest *m)
{
    enum coras_package_kind kind =
        coras_kind_is_image(m->kind) ? coras_package_kind_of(m) : CORAS_PACKAGE_ORAS;

    if (kind == CORAS_PACKAGE_ORAS || kind == CORAS_PACKAGE_MODELCAR)
        return;
    pthread_mutex_lock(&p->lock);
    p->model_package = coras_package_name(kind);
    pthread_mutex_unlock(&p->lock);
}

static int add_children(struct coras_pull_work *p, coras_graph *g, coras_node *node,
                        const coras_manifest *m, coras_error **err)
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

int coras_pull_expand(coras_graph *g, coras_node *node, void *user, coras_error **err)
{
    struct coras_pull_work *p = user;
    coras_auto_buf bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    coras_auto_value(coras_manifest) m = {0};

    if (!coras_media_type_is_manifest(node->desc.media_type))
        return CORAS_GRAPH_GO_ON;
    coras_run_post(&p->run, CORAS_EVENT_START, &node->desc, 0, NULL);
    CORAS_TRY(fetch_manifest(p, &node->desc, &bytes, err));
    coras_run_post(&p->run, CORAS_EVENT_PROCESSING, &node->desc, 0, NULL);
    CORAS_TRY(coras_manifest_parse(bytes.ptr, bytes.len, node->desc.media_type, &m, err));
    CORAS_TRY(add_children(p, g, node, &m, err));
    if (!coras_pull_is_dry(p))
        CORAS_TRY(coras_workdir_check_room(&p->workdir, err));
    return CORAS_GRAPH_GO_ON;
}
