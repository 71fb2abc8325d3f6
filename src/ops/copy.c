/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A graph of content from one target to another.
 *
 * Each descriptor has its line of status, and the bytes of a digest move once: into a registry once
 * as a blob and once as a manifest when they are both, into a layout once altogether.
 */
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/vec.h"
#include "transfer/graph.h"
#include "transfer/parallel.h"
#include "transfer/transfer.h"
#include "oci/manifest.h"
#include "ops/choosing.h"
#include "ops/copy_dry.h"
#include "ops/copy_select.h"
#include "ops/referrer_walk.h"

struct copy {
    coras_target *from, *to;
    const char *to_reference;
    const coras_copy_options *opts;
    coras_run run;
    coras_descriptor root;
    coras_buf root_bytes;                 /* of the selected root, as it is to be pushed */
    struct coras_referrer_walk referrers; /* when they are copied */
    coras_choosing choosing;
    struct coras_copy_dry dry; /* of a dry run */
    atomic_bool met_root;      /* the walk came to it */
    bool named;                /* the root was pushed by its name */
};

/* A manifest's bytes wait in its node until everything below it is there. */
struct node_bytes {
    coras_buf bytes;
    struct {
        coras_descriptor *items;
        size_t len, cap;
    } twins; /* further names of content that goes once */
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

/* The root's bytes may also be somebody's layer. */
static bool is_root(const struct copy *c, const coras_descriptor *desc)
{
    return coras_digest_equal(&c->root.digest, &desc->digest) &&
           coras_media_type_is_manifest(desc->media_type) ==
               coras_media_type_is_manifest(c->root.media_type);
}

/* ---- whose failure it is ---- */

static int at_source(int rc, coras_error **err)
{
    return coras_at_side(CORAS_SIDE_SOURCE, rc, err);
}

static int at_destination(int rc, coras_error **err)
{
    return coras_at_side(CORAS_SIDE_DESTINATION, rc, err);
}

static bool is_dry(const struct copy *c)
{
    return c->opts->plan != NULL;
}

/* A selection that takes nothing is a mistake; nothing to choose from is none. */
static int check_chosen(struct copy *c, coras_error **err)
{
    return coras_choosing_has_left(&c->choosing) ? coras_choosing_check(&c->choosing, err) : 0;
}

static int put_manifest(struct copy *c, const coras_descriptor *desc, const void *bytes,
                        const char *reference, coras_error **err)
{
    return at_destination(c->to->ops->push_manifest(c->to, desc, bytes, reference, err), err);
}

/* ---- what is known of a digest's bytes at the destination ---- */

enum {
    ASKED = 1,
    THERE = 2, /* before anything was moved */
    MOVED = 4,
    MOUNTED = 8,
    AS_MANIFEST_SHIFT = 4, /* the same of the manifest, where that is another place */
};

static unsigned shift_of(const struct copy *c, const coras_node *node)
{
    return !c->to->ops->one_store && coras_media_type_is_manifest(node->desc.media_type)
               ? AS_MANIFEST_SHIFT
               : 0;
}

static bool is_marked(const struct copy *c, const coras_node *node, unsigned mark)
{
    return node->content->marks & mark << shift_of(c, node);
}

static void set_mark(const struct copy *c, coras_node *node, unsigned mark)
{
    node->content->marks |= mark << shift_of(c, node);
}

/* A registry may call a manifest its own because the same bytes are a blob there: what was moved
 * just now as a layer is no manifest yet. */
static bool is_only_a_blob(const struct copy *c, const coras_node *node)
{
    return shift_of(c, node) && (node->content->marks & (MOVED | MOUNTED));
}

/* A dry run begins nothing. */
static int ask(struct copy *c, const coras_descriptor *desc, bool *ret, coras_error **err)
{
    return is_dry(c) ? c->to->ops->exists(c->to, desc, ret, err)
                     : coras_target_claim(c->to, desc, coras_target_origin(c->from), ret, err);
}

/* Asked once, so that the answer does not depend on which of several descriptors came first. */
static int was_there(struct copy *c, coras_node *node, bool *ret, coras_error **err)
{
    bool exists = false;

    if (!is_marked(c, node, ASKED)) {
        if (!is_only_a_blob(c, node))
            CORAS_TRY(at_destination(ask(c, &node->desc, &exists, err), err));
        set_mark(c, node, exists ? ASKED | THERE : ASKED);
    }
    *ret = is_marked(c, node, THERE);
    return 0;
}

/* ---- looking at a node ---- */

static const char *title_of(const coras_descriptor *desc)
{
    const char *title = coras_descriptor_title(desc);
    return title ? title : "";
}

/* A title beside the one under which the bytes are known is told when its manifest is done; having
 * none counts as a title. */
static int note_twin(coras_graph *g, struct node_bytes *parent, const coras_node *child,
                     const coras_descriptor *desc, coras_error **err)
{
    if (coras_streq(title_of(desc), coras_graph_title_of_content(g, child)))
        return 0;
    if (coras_vec_grow(&parent->twins, 1) < 0)
        return coras_fail_no_memory(err);
    coras_descriptor copy = CORAS_DESCRIPTOR_INIT;
    CORAS_TRY(coras_descriptor_copy(&copy, desc, err));
    parent->twins.items[parent->twins.len++] = copy;
    return 0;
}

/* A subject is no part of what refers to it: it does not nest like the manifests of an index. */
static int add_successor(coras_graph *g, coras_node *node, const coras_manifest *m,
                         const coras_descriptor *desc, coras_node **ret, coras_error **err)
{
    int known = m->has_subject && desc == &m->subject
                    ? coras_graph_add_subject(g, node, desc, ret, err)
                    : coras_graph_add_child(g, node, desc, NULL, ret, err);

    return known < 0 ? known : 0;
}

static int add_successors(struct copy *c, coras_graph *g, coras_node *node, const coras_manifest *m,
                          coras_error **err)
{
    coras_auto_free const coras_descriptor **next = NULL;
    coras_auto_free coras_node **children = NULL;
    size_t count = 0;

    CORAS_TRY(coras_manifest_successors(m, &next, &count, err));
    children = coras_calloc(count + 1, sizeof(coras_node *));
    if (!children)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        bool wanted;
        CORAS_TRY(
            coras_copy_wants(&c->choosing, is_dry(c) ? &c->dry : NULL, m, next[i], &wanted, err));
        if (wanted)
            CORAS_TRY(add_successor(g, node, m, next[i], &children[i], err));
    }
    /* Only now: a later one may have the better title. */
    for (size_t i = 0; i < count; i++)
        if (children[i])
            CORAS_TRY(note_twin(g, node->data, children[i], next[i], err));
    return 0;
}

static int read_manifest(struct copy *c, coras_node *node, coras_error **err)
{
    struct node_bytes *n = coras_new(struct node_bytes);
    if (!n)
        return coras_fail_no_memory(err);
    n->bytes = (coras_buf)CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    node->data = n;
    if (!is_root(c, &node->desc) || !c->root_bytes.len)
        return at_source(
            coras_target_fetch_verified(c->from, &node->desc, CORAS_LIMIT_MANIFEST, &n->bytes, err),
            err);
    coras_buf_put(&n->bytes, c->root_bytes.ptr, c->root_bytes.len);
    return coras_buf_done(&n->bytes, err);
}

static int expand(coras_graph *g, coras_node *node, void *user, coras_error **err)
{
    struct copy *c = user;
    coras_auto_value(coras_manifest) m = {0};
    bool exists = false;

    if (is_root(c, &node->desc))
        atomic_store(&c->met_root, true);
    if (!coras_media_type_is_manifest(node->desc.media_type))
        return CORAS_GRAPH_GO_ON;
    if (!c->opts->force) {
        /* What the destination has, it has with everything below it. */
        CORAS_TRY(was_there(c, node, &exists, err));
        /* Upstream says nothing where giving the name, at the end, is a push of the manifest. */
        bool silent = is_root(c, &node->desc) && c->to_reference && c->to->ops->names_by_push &&
                      !c->opts->recursive;
        if (exists && is_dry(c))
            CORAS_TRY(coras_copy_plan(&c->dry, &node->desc, CORAS_PLAN_PRESENT, 0, err));
        if (exists && !silent)
            coras_run_post(&c->run, CORAS_EVENT_EXISTS, &node->desc, 0, NULL);
        if (exists)
            return CORAS_GRAPH_PRUNE;
    }
    CORAS_TRY(read_manifest(c, node, err));
    const struct node_bytes *n = node->data;
    CORAS_TRY(coras_manifest_parse(n->bytes.ptr, n->bytes.len, node->desc.media_type, &m, err));
    CORAS_TRY(add_successors(c, g, node, &m, err));
    /* Of an index it is known at the end. */
    bool is_whole = is_root(c, &node->desc) && !coras_kind_is_index(m.kind);
    return is_whole ? check_chosen(c, err) : CORAS_GRAPH_GO_ON;
}

/* ---- moving a node ---- */

static int move_blob(struct copy *c, coras_node *node, coras_error **err)
{
    int rc = coras_transfer_blob(&c->run, c->from, c->to, &node->desc, err);

    if (rc < 0)
        return rc;
    set_mark(c, node, MOVED);
    return 0;
}

static int mount_blob(struct copy *c, coras_node *node, bool *ret, coras_error **err)
{
    *ret = is_marked(c, node, MOUNTED);
    if (!*ret && c->to->ops->mount && !c->opts->force)
        CORAS_TRY(at_destination(
            c->to->ops->mount(c->to, &node->desc, coras_target_origin(c->from), ret, err), err));
    if (*ret)
        set_mark(c, node, MOUNTED);
    return 0;
}

static int copy_blob(struct copy *c, coras_node *node, coras_error **err)
{
    bool moved = is_marked(c, node, MOVED), exists = false, mounted = false;

    if (c->run.concurrency == 1) /* upstream asks one after the other, and for each */
        exists = is_marked(c, node, MOVED | MOUNTED);
    if (!moved && !exists)
        CORAS_TRY(was_there(c, node, &exists, err));
    if (!moved && !exists)
        CORAS_TRY(mount_blob(c, node, &mounted, err));
    if (exists || mounted) {
        coras_run_post(&c->run, exists ? CORAS_EVENT_EXISTS : CORAS_EVENT_MOUNTED, &node->desc, 0,
                       NULL);
        return 0;
    }
    coras_run_post(&c->run, CORAS_EVENT_START, &node->desc, 0, NULL);
    if (!moved)
        CORAS_TRY(move_blob(c, node, err));
    coras_run_post(&c->run, CORAS_EVENT_DONE, &node->desc, node->desc.size, NULL);
    return 0;
}

static int make_bare(coras_descriptor *ret, const coras_descriptor *desc, coras_error **err)
{
    return coras_descriptor_set(ret, desc->media_type, &desc->digest, desc->size, err);
}

/* The subject of a referrer names it without annotations. */
static bool is_referred(const struct copy *c, const coras_descriptor *desc)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    return c->referrers.referred &&
           coras_map_has(c->referrers.referred, coras_digest_format(&desc->digest, digest));
}

static int set_part(struct copy *c, const coras_node *node, bool is_part, coras_error **err)
{
    if (!c->to->ops->set_part)
        return 0;
    return at_destination(c->to->ops->set_part(c->to, &node->desc, is_part, err), err);
}

static int push_manifest(struct copy *c, coras_node *node, coras_error **err)
{
    const struct node_bytes *n = node->data;
    bool named = is_root(c, &node->desc) && c->to_reference && !c->opts->recursive;

    coras_run_post(&c->run, CORAS_EVENT_START, &node->desc, 0, NULL);
    coras_auto_value(coras_descriptor) bare = CORAS_DESCRIPTOR_INIT;
    CORAS_TRY(make_bare(&bare, &node->desc, err));
    bool is_part = coras_choosing_has_left(&c->choosing);
    if (is_root(c, &node->desc))
        CORAS_TRY(check_chosen(c, err));
    if (is_part)
        CORAS_TRY(set_part(c, node, true, err));
    CORAS_TRY(put_manifest(c, is_referred(c, &node->desc) ? &bare : &node->desc, n->bytes.ptr,
                           named ? c->to_reference : NULL, err));
    if (!is_part)
        CORAS_TRY(set_part(c, node, false, err));
    set_mark(c, node, MOVED);
    if (named)
        c->named = true; /* read when the walk is over */
    for (size_t i = 0; i < n->twins.len; i++)
        coras_run_post(&c->run, CORAS_EVENT_SKIPPED, &n->twins.items[i], 0, NULL);
    coras_run_post(&c->run, CORAS_EVENT_DONE, &node->desc, node->desc.size, NULL);
    return 0;
}

/* What comes to its end in a dry run: a manifest is not there, of a blob it is asked. */
static int plan_node(struct copy *c, coras_node *node, coras_error **err)
{
    bool exists = false;

    if (!coras_media_type_is_manifest(node->desc.media_type))
        CORAS_TRY(was_there(c, node, &exists, err));
    int64_t bytes = exists || is_marked(c, node, MOVED) ? 0 : node->desc.size;
    set_mark(c, node, MOVED);
    return coras_copy_plan(&c->dry, &node->desc, exists ? CORAS_PLAN_PRESENT : CORAS_PLAN_DOWNLOAD,
                           bytes, err);
}

static int finish(coras_graph *g CORAS_UNUSED, coras_node *node, void *user, coras_error **err)
{
    struct copy *c = user;
    if (is_dry(c))
        return plan_node(c, node, err);
    if (coras_media_type_is_manifest(node->desc.media_type))
        return push_manifest(c, node, err);
    return copy_blob(c, node, err);
}

/* ---- names ---- */

static int put_extra_tag_on(struct copy *c, const char *tag, coras_error **err)
{
    coras_auto_value(coras_descriptor) bare = CORAS_DESCRIPTOR_INIT;
    CORAS_TRY(make_bare(&bare, &c->root, err));
    return put_manifest(c, &bare, c->root_bytes.ptr, tag, err);
}

/* The destination's name for the root: a layout keeps what an index said of it, such as its
 * platform. */
static int put_name(struct copy *c, coras_error **err)
{
    coras_auto_value(coras_descriptor) named = CORAS_DESCRIPTOR_INIT;
    if (!c->opts->recursive || c->opts->platform_count)
        CORAS_TRY(coras_descriptor_copy(&named, &c->root, err));
    else
        CORAS_TRY(make_bare(&named, &c->root, err));
    return put_manifest(c, &named, c->root_bytes.ptr, c->to_reference, err);
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
    if (c->to_reference && !c->named)
        CORAS_TRY(put_name(c, err));
    while (c->opts->extra_tags && c->opts->extra_tags[count])
        count++;
    if (count)
        coras_run_post(&c->run, CORAS_EVENT_TAGGING, &c->root, 0, NULL);
    return coras_run_parallel(&c->run, count, put_extra_tag, c, err);
}

/* ---- the walk ---- */

static int walk_from(struct copy *c, const coras_descriptor *tops, size_t count, coras_error **err)
{
    const struct coras_graph_ops ops = {expand, finish, release_node_bytes, c};
    coras_auto(coras_graph) g = NULL;

    CORAS_TRY(coras_graph_new(&c->run, &ops, &g, err));
    for (size_t i = 0; i < count; i++) {
        int known = coras_graph_add_root(g, &tops[i], NULL, NULL, err);
        if (known < 0)
            return known;
    }
    return coras_graph_walk(g, err);
}

/*
 * From what nothing refers to, down through the subjects, so that what the destination has is left
 * alone with everything below it. A registry may list what does not lead back to the root.
 */
static int copy_with_referrers(struct copy *c, coras_error **err)
{
    const struct coras_referrer_walk *r = &c->referrers;
    CORAS_TRY(at_source(
        coras_walk_referrers(&c->run, c->from, &c->root, &c->root_bytes, &c->referrers, err), err));
    bool loops = r->tops.len == 0;
    const coras_descriptors *tops = loops ? &r->found : &r->tops;
    CORAS_TRY(walk_from(c, tops->items, tops->len, err));
    if (atomic_load(&c->met_root))
        return 0;
    bool exists = false;
    CORAS_TRY(at_destination(c->to->ops->exists(c->to, &c->root, &exists, err), err));
    return exists ? 0 : walk_from(c, &c->root, 1, err);
}

static int copy(struct copy *c, const char *from_reference, coras_error **err)
{
    CORAS_TRY(at_source(
        coras_select_root(c->from, from_reference, c->opts, &c->root, &c->root_bytes, err), err));
    coras_run_post(&c->run, CORAS_EVENT_RESOLVED, &c->root, 0, NULL);
    if (c->opts->recursive)
        CORAS_TRY(copy_with_referrers(c, err));
    else
        CORAS_TRY(walk_from(c, &c->root, 1, err));
    CORAS_TRY(check_chosen(c, err));
    if (is_dry(c))
        return 0;
    CORAS_TRY(name_root(c, err));
    if (coras_choosing_has_left(&c->choosing))
        coras_run_post_amount(&c->run, CORAS_EVENT_LEFT, NULL, c->choosing.left_bytes,
                              c->choosing.left_bytes + c->choosing.taken_bytes);
    return 0;
}

static int run_copy(struct copy *c, const char *from_reference, coras_error **err)
{
    CORAS_TRY(coras_copy_check_destination(&c->choosing, c->to, err));
    int rc = copy(c, from_reference, err);
    if (rc == 0 && is_dry(c))
        coras_copy_dry_take(&c->dry, c->opts->plan);
    return rc;
}

int coras_copy(coras_target *from, const char *from_reference, coras_target *to,
               const char *to_reference, const coras_copy_options *opts,
               const coras_run_options *run, coras_descriptor *ret, coras_error **err)
{
    coras_copy_options known = CORAS_COPY_OPTIONS_INIT;
    struct copy c = {.from = from,
                     .to = to,
                     .to_reference = to_reference,
                     .opts = &known,
                     .root_bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST)};

    CORAS_TRY(coras_options_read(&known, sizeof(known), opts, err));
    if (known.plan && !to)
        c.to = coras_nothing_target();
    if (!from || !from_reference || !c.to || !ret)
        return coras_missing_argument(err);
    CORAS_TRY(coras_choosing_init(&c.choosing, known.selection, err));
    if (!known.plan)
        coras_target_will_write(to);
    coras_run_init(&c.run, run);
    coras_copy_dry_init(&c.dry);
    int rc = run_copy(&c, from_reference, err);
    coras_run_deliver(&c.run);
    coras_run_clear(&c.run);
    coras_buf_clear(&c.root_bytes);
    coras_referrer_walk_clear(&c.referrers);
    coras_choosing_clear(&c.choosing);
    coras_copy_dry_clear(&c.dry);
    if (rc == 0)
        *ret = c.root;
    else
        coras_descriptor_clear(&c.root);
    return rc;
}
