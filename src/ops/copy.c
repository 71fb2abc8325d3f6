/*
 * A graph of content from one target to another.
 */
#include "base/error.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/vec.h"
#include "engine/graph.h"
#include "engine/parallel.h"
#include "engine/transfer.h"
#include "oci/manifest.h"
#include "ops/copy_select.h"

struct copy {
    coras_target *from, *to;
    const char *to_reference;
    const coras_copy_options *opts;
    coras_run run;
    coras_descriptor root;
    coras_buf root_bytes; /* of the selected root, as it is to be pushed */
};

/* A manifest's bytes wait in its node until everything below it is there. */
struct node_bytes {
    coras_buf bytes;
    struct {
        coras_descriptor *items;
        size_t len, cap;
    } twins;       /* further names of content that goes once */
    bool referred; /* it has referrers, whose subject names it without annotations */
};

static void release_node_bytes(void *data)
{
    struct node_bytes *n = data;
    for (size_t i = 0; i < n->twins.len; i++)
        coras_descriptor_clear(&n->twins.items[i]);
    free(n->twins.items);
    coras_buf_clear(&n->bytes);
    free(n);
}

static bool is_registry(const coras_target *target)
{
    return coras_streq(target->ops->kind, "registry");
}

static bool is_root(const struct copy *c, const coras_descriptor *desc)
{
    return coras_digest_equal(&c->root.digest, &desc->digest);
}

/* ---- looking at a node ---- */

/* A second title of known content is told apart from the first when its manifest is done. */
static int note_twin(struct node_bytes *parent, const coras_node *known,
                     const coras_descriptor *desc, coras_error **err)
{
    const char *title = coras_descriptor_title(desc), *first = coras_descriptor_title(&known->desc);
    if (!title || (first && coras_streq(title, first)))
        return 0;
    if (coras_vec_grow(&parent->twins, 1) < 0)
        return coras_fail_no_memory(err);
    coras_descriptor copy = CORAS_DESCRIPTOR_INIT;
    CORAS_TRY(coras_descriptor_copy(&copy, desc, err));
    parent->twins.items[parent->twins.len++] = copy;
    return 0;
}

static int add_successors(coras_graph *g, coras_node *node, const coras_manifest *m,
                          coras_error **err)
{
    coras_auto_free const coras_descriptor **next = NULL;
    size_t count = 0;

    CORAS_TRY(coras_manifest_successors(m, &next, &count, err));
    for (size_t i = 0; i < count; i++) {
        coras_node *child = NULL;
        int known = coras_graph_add_child(g, node, next[i], NULL, &child, err);
        if (known < 0)
            return known;
        if (known)
            CORAS_TRY(note_twin(node->data, child, next[i], err));
    }
    return 0;
}

struct referrers {
    coras_graph *graph;
    bool any;
    coras_error *failure;
};

static bool add_referrer(const coras_descriptor *desc, void *user)
{
    struct referrers *r = user;
    r->any = true;
    return coras_graph_add_root(r->graph, desc, NULL, NULL, &r->failure) >= 0;
}

/* Referrers have their subject as a successor, so they follow it by themselves. */
static int add_referrers(struct copy *c, coras_graph *g, const coras_node *subject,
                         coras_error **err)
{
    struct referrers r = {.graph = g};
    coras_auto(coras_error) failure = NULL;
    int rc = c->from->ops->referrers(c->from, &subject->desc, NULL, add_referrer, &r, &failure);
    if (r.failure) {
        rc = coras_error_code(r.failure);
        coras_error_propagate(err, &r.failure);
        return rc;
    }
    ((struct node_bytes *)subject->data)->referred = r.any;
    coras_error_propagate(err, &failure);
    return rc;
}

static int read_manifest(struct copy *c, coras_node *node, coras_error **err)
{
    struct node_bytes *n = coras_new(struct node_bytes);
    if (!n)
        return coras_fail_no_memory(err);
    n->bytes = (coras_buf)CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    node->data = n;
    if (!is_root(c, &node->desc) || !c->root_bytes.len)
        return coras_target_fetch_verified(c->from, &node->desc, CORAS_LIMIT_MANIFEST, &n->bytes,
                                           err);
    coras_buf_put(&n->bytes, c->root_bytes.ptr, c->root_bytes.len);
    return coras_buf_done(&n->bytes, err);
}

/* 1: the destination has it, so it has everything below it. */
static int destination_has(struct copy *c, const coras_descriptor *desc, coras_error **err)
{
    bool exists = false;
    CORAS_TRY(c->to->ops->exists(c->to, desc, &exists, err));
    return exists;
}

static int expand(coras_graph *g, coras_node *node, void *user, coras_error **err)
{
    struct copy *c = user;
    coras_auto_value(coras_manifest) m = {0};

    if (!coras_media_type_is_manifest(node->desc.media_type))
        return CORAS_GRAPH_GO_ON;
    if (!c->opts->recursive && !c->opts->force) {
        int exists = destination_has(c, &node->desc, err);
        if (exists < 0)
            return exists;
        /* Upstream says nothing where giving the name, at the end, is a push of the manifest. */
        bool silent = is_root(c, &node->desc) && c->to_reference && is_registry(c->to);
        if (exists && !silent)
            coras_run_post(&c->run, CORAS_EVENT_EXISTS, &node->desc, 0, NULL);
        if (exists)
            return CORAS_GRAPH_PRUNE;
    }
    CORAS_TRY(read_manifest(c, node, err));
    const struct node_bytes *n = node->data;
    CORAS_TRY(coras_manifest_parse(n->bytes.ptr, n->bytes.len, node->desc.media_type, &m, err));
    CORAS_TRY(add_successors(g, node, &m, err));
    if (c->opts->recursive)
        CORAS_TRY(add_referrers(c, g, node, err));
    return CORAS_GRAPH_GO_ON;
}

/* ---- moving a node ---- */

static int copy_blob(struct copy *c, coras_node *node, coras_error **err)
{
    bool mounted = false;
    int exists = destination_has(c, &node->desc, err);

    if (exists < 0)
        return exists;
    if (exists) {
        coras_run_post(&c->run, CORAS_EVENT_EXISTS, &node->desc, 0, NULL);
        return 0;
    }
    if (c->to->ops->mount && !c->opts->force)
        CORAS_TRY(c->to->ops->mount(c->to, &node->desc, c->from, &mounted, err));
    if (mounted) {
        coras_run_post(&c->run, CORAS_EVENT_MOUNTED, &node->desc, 0, NULL);
        return 0;
    }
    coras_run_post(&c->run, CORAS_EVENT_START, &node->desc, 0, NULL);
    int rc = coras_transfer_blob(&c->run, c->from, c->to, &node->desc, err);
    if (rc < 0)
        return rc;
    coras_run_post(&c->run, CORAS_EVENT_DONE, &node->desc, node->desc.size, NULL);
    return 0;
}

static int make_bare(coras_descriptor *ret, const coras_descriptor *desc, coras_error **err)
{
    return coras_descriptor_set(ret, desc->media_type, &desc->digest, desc->size, err);
}

static int push_manifest(struct copy *c, coras_node *node, coras_error **err)
{
    const struct node_bytes *n = node->data;
    bool named = is_root(c, &node->desc) && c->to_reference && !c->opts->recursive;
    int exists = c->opts->recursive || c->opts->force ? destination_has(c, &node->desc, err) : 0;

    if (exists < 0)
        return exists;
    if (exists && !c->opts->force) {
        coras_run_post(&c->run, CORAS_EVENT_EXISTS, &node->desc, 0, NULL);
        return 0;
    }
    coras_run_post(&c->run, CORAS_EVENT_START, &node->desc, 0, NULL);
    coras_auto_value(coras_descriptor) bare = CORAS_DESCRIPTOR_INIT;
    CORAS_TRY(make_bare(&bare, &node->desc, err));
    CORAS_TRY(c->to->ops->push_manifest(c->to, n->referred ? &bare : &node->desc, n->bytes.ptr,
                                        named ? c->to_reference : NULL, err));
    for (size_t i = 0; i < n->twins.len; i++)
        coras_run_post(&c->run, CORAS_EVENT_SKIPPED, &n->twins.items[i], 0, NULL);
    coras_run_post(&c->run, CORAS_EVENT_DONE, &node->desc, node->desc.size, NULL);
    return 0;
}

static int finish(coras_graph *g CORAS_UNUSED, coras_node *node, void *user, coras_error **err)
{
    struct copy *c = user;
    if (coras_media_type_is_manifest(node->desc.media_type))
        return push_manifest(c, node, err);
    return copy_blob(c, node, err);
}

/* ---- names ---- */

static int put_extra_tag_on(struct copy *c, const char *tag, coras_error **err)
{
    coras_auto_value(coras_descriptor) bare = CORAS_DESCRIPTOR_INIT;
    CORAS_TRY(make_bare(&bare, &c->root, err));
    return c->to->ops->push_manifest(c->to, &bare, c->root_bytes.ptr, tag, err);
}

/* The destination's name for the root: a layout keeps what an index said of it, such as its
 * platform. */
static int put_name(struct copy *c, coras_error **err)
{
    coras_auto_value(coras_descriptor) named = CORAS_DESCRIPTOR_INIT;
    if (!c->opts->recursive)
        CORAS_TRY(coras_descriptor_copy(&named, &c->root, err));
    else
        CORAS_TRY(make_bare(&named, &c->root, err));
    return c->to->ops->push_manifest(c->to, &named, c->root_bytes.ptr, c->to_reference, err);
}

static int put_extra_tag(void *user, size_t i, coras_error **err)
{
    struct copy *c = user;
    CORAS_TRY(put_extra_tag_on(c, c->opts->extra_tags[i], err));
    coras_run_post(&c->run, CORAS_EVENT_TAGGED, NULL, 0, c->opts->extra_tags[i]);
    return 0;
}

static int name_root(struct copy *c, coras_error **err)
{
    size_t count = 0;
    if (c->to_reference)
        CORAS_TRY(put_name(c, err));
    while (c->opts->extra_tags && c->opts->extra_tags[count])
        count++;
    if (count)
        coras_run_post(&c->run, CORAS_EVENT_TAGGING, &c->root, 0, NULL);
    return coras_run_parallel(&c->run, count, put_extra_tag, c, err);
}

static int copy(struct copy *c, const char *from_reference, coras_error **err)
{
    const struct coras_graph_ops ops = {expand, finish, release_node_bytes, c};
    coras_auto(coras_graph) g = NULL;

    CORAS_TRY(coras_select_root(c->from, from_reference, c->opts, &c->root, &c->root_bytes, err));
    CORAS_TRY(coras_graph_new(&c->run, &ops, &g, err));
    int known = coras_graph_add_root(g, &c->root, NULL, NULL, err);
    if (known < 0)
        return known;
    CORAS_TRY(coras_graph_walk(g, err));
    return name_root(c, err);
}

int coras_copy(coras_target *from, const char *from_reference, coras_target *to,
               const char *to_reference, const coras_copy_options *opts,
               const coras_run_options *run, coras_descriptor *ret, coras_error **err)
{
    static const coras_copy_options defaults = CORAS_COPY_OPTIONS_INIT;
    struct copy c = {.from = from,
                     .to = to,
                     .to_reference = to_reference,
                     .opts = opts ? opts : &defaults,
                     .root_bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST)};

    if (!from || !from_reference || !to || !ret)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "missing argument");
    coras_run_init(&c.run, run);
    int rc = copy(&c, from_reference, err);
    coras_run_deliver(&c.run);
    coras_run_clear(&c.run);
    coras_buf_clear(&c.root_bytes);
    if (rc == 0)
        *ret = c.root;
    else
        coras_descriptor_clear(&c.root);
    return rc;
}
