/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The graph of a layout. Built with a list of nodes to read instead of recursion: how deep an index
 * nests is an outsider's choice.
 */
#include "layout/layout_graph.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/vec.h"
#include "oci/digest.h"
#include "oci/manifest.h"
#include "layout/layout.h"

struct node {
    coras_descriptor desc; /* media type, digest, size as first pointed at */
    struct node **children;
    size_t children_len;
    size_t parents; /* nodes that point at it, referrers not counted */
    struct node *subject;
    char *artifact_type; /* effective */
    coras_annotations annotations;
    bool doomed;
};

struct node_list {
    struct node **items;
    size_t len, cap;
};

struct coras_layout_graph {
    coras_map *by_digest;   /* borrowed nodes */
    struct node_list nodes; /* in the order of finding; also the list of what is to be read */
    bool has_unread;        /* a manifest that makes no sense: what it needs is not known */
    /* while building: where the first damage is told, instead of failing; or NULL */
    coras_error **damage;
};

static void node_free(struct node *n)
{
    coras_descriptor_clear(&n->desc);
    coras_annotations_clear(&n->annotations);
    free(n->artifact_type);
    free(n->children);
    free(n);
}

void coras_layout_graph_free(coras_layout_graph *g)
{
    if (!g)
        return;
    coras_vec_foreach (n, &g->nodes)
        node_free(*n);
    free(g->nodes.items);
    coras_map_free(g->by_digest);
    free(g);
}

static int push_node(struct node_list *list, struct node *n, coras_error **err)
{
    if (coras_vec_grow(list, 1) < 0)
        return coras_fail_no_memory(err);
    list->items[list->len++] = n;
    return 0;
}

/* ---- building ---- */

static struct node *find(const coras_layout_graph *g, const coras_digest *digest)
{
    char key[CORAS_DIGEST_TEXT_MAX];
    return coras_map_get(g->by_digest, coras_digest_format(digest, key));
}

/* The node of a digest, new or not. */
static int intern(coras_layout_graph *g, const coras_descriptor *desc, struct node **ret,
                  coras_error **err)
{
    char key[CORAS_DIGEST_TEXT_MAX];
    *ret = find(g, &desc->digest);
    if (*ret)
        return 0;
    struct node *n = coras_new(struct node);
    if (!n)
        return coras_fail_no_memory(err);
    int rc = coras_descriptor_set(&n->desc, desc->media_type, &desc->digest, desc->size, err);
    if (rc == 0)
        rc = push_node(&g->nodes, n, err);
    if (rc < 0) {
        node_free(n);
        return rc;
    }
    *ret = n; /* the list owns it from here on */
    return coras_map_set(g->by_digest, coras_digest_format(&desc->digest, key), n, err);
}

static int link_children(coras_layout_graph *g, struct node *n, const coras_manifest *m,
                         coras_error **err)
{
    coras_auto_free const coras_descriptor **successors = NULL;
    size_t len = 0;
    CORAS_TRY(coras_manifest_successors(m, &successors, &len, err));
    n->children = coras_calloc(len ? len : 1, sizeof(struct node *));
    if (!n->children)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < len; i++) {
        struct node *child;
        CORAS_TRY(intern(g, successors[i], &child, err));
        if (successors[i] == &m->subject) {
            n->subject = child;
            continue;
        }
        n->children[n->children_len++] = child;
        child->parents++;
    }
    return 0;
}

static int take_manifest(coras_layout_graph *g, struct node *n, const coras_buf *text,
                         coras_error **err)
{
    coras_auto_value(coras_manifest) m = {0};
    coras_auto(coras_error) why = NULL;
    int rc = coras_manifest_parse(text->ptr, text->len, n->desc.media_type, &m, &why);
    if (rc == CORAS_ERR_UNSUPPORTED)
        return 0; /* points at nothing that we know of */
    if (rc == CORAS_ERR_INVALID_MANIFEST && !g->damage) {
        g->has_unread = true;
        return 0;
    }
    if (rc < 0) {
        char digest[CORAS_DIGEST_TEXT_MAX];
        coras_error_propagate(err, &why);
        return coras_wrap(err, rc, "manifest %s", coras_digest_format(&n->desc.digest, digest));
    }
    const char *type = coras_manifest_effective_artifact_type(&m);
    n->artifact_type = type ? coras_strdup(type) : NULL;
    if (type && !n->artifact_type)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_annotations_copy(&n->annotations, &m.annotations, err));
    return link_children(g, n, &m, err);
}

/* Only what is wrong with the content can be passed over. */
static int pass_over(coras_layout_graph *g, int rc, coras_error **why, coras_error **err)
{
    if (!g->damage || rc == CORAS_ERR_NO_MEMORY || rc == CORAS_ERR_IO) {
        coras_error_propagate(err, why);
        return rc;
    }
    if (!*g->damage)
        coras_error_propagate(g->damage, why);
    return 0;
}

static int read_node(const struct coras_layout *l, coras_layout_graph *g, struct node *n,
                     coras_error **err)
{
    if (!coras_media_type_is_manifest(n->desc.media_type ? n->desc.media_type : ""))
        return 0;
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    coras_auto(coras_error) why = NULL;
    int rc = coras_layout_read_blob(l, &n->desc, CORAS_LIMIT_MANIFEST, &text, &why);
    if (rc == CORAS_ERR_NOT_FOUND && !g->damage)
        return 0; /* the specification allows layouts that lack content */
    if (rc == 0)
        rc = take_manifest(g, n, &text, &why);
    return rc < 0 ? pass_over(g, rc, &why, err) : 0;
}

static int build(const struct coras_layout *l, const struct coras_layout_index *index,
                 coras_error **damage, coras_layout_graph **ret, coras_error **err)
{
    coras_auto(coras_layout_graph) g = coras_new(struct coras_layout_graph);
    if (!g)
        return coras_fail_no_memory(err);
    g->damage = damage;
    g->by_digest = coras_map_new(NULL);
    if (!g->by_digest)
        return coras_fail_no_memory(err);
    coras_vec_foreach (entry, &index->entries) {
        struct node *n;
        if (entry->desc.digest.algorithm != CORAS_DIGEST_NONE)
            CORAS_TRY(intern(g, &entry->desc, &n, err));
    }
    for (size_t i = 0; i < g->nodes.len; i++) /* reading appends */
        CORAS_TRY(read_node(l, g, g->nodes.items[i], err));
    g->damage = NULL;
    *ret = coras_steal(&g);
    return 0;
}

int coras_layout_graph_new(const struct coras_layout *l, const struct coras_layout_index *index,
                           coras_layout_graph **ret, coras_error **err)
{
    return build(l, index, NULL, ret, err);
}

int coras_layout_graph_of_what_is_there(const struct coras_layout *l,
                                        const struct coras_layout_index *index,
                                        coras_layout_graph **ret, coras_error **ret_damage,
                                        coras_error **err)
{
    coras_auto(coras_error) damage = NULL;

    CORAS_TRY(build(l, index, &damage, ret, err));
    *ret_damage = coras_steal(&damage);
    return 0;
}

/* ---- asking ---- */

const coras_descriptor *coras_layout_graph_find(const coras_layout_graph *g,
                                                const coras_digest *digest)
{
    const struct node *n = find(g, digest);

    return n ? &n->desc : NULL;
}

int coras_layout_graph_referrers(const coras_layout_graph *g, const coras_digest *subject,
                                 coras_descriptors *ret, coras_error **err)
{
    coras_vec_foreach (at, &g->nodes) {
        const struct node *n = *at;
        if (!n->subject || !coras_digest_equal(&n->subject->desc.digest, subject))
            continue;
        coras_descriptor d = n->desc; /* borrowed members: coras_descriptors_add() copies */
        d.artifact_type = n->artifact_type;
        d.annotations = n->annotations;
        CORAS_TRY(coras_descriptors_add(ret, &d, err));
    }
    return 0;
}

static int doom(struct node_list *doomed, struct node *n, coras_error **err)
{
    if (n->doomed)
        return 0;
    n->doomed = true;
    return push_node(doomed, n, err);
}

/* The list grows while it is walked: what goes takes others with it. */
static int follow_doom(const coras_layout_graph *g, const struct coras_layout_index *index,
                       struct node_list *doomed, coras_error **err)
{
    for (size_t i = 0; i < doomed->len; i++) {
        struct node *n = doomed->items[i];
        coras_vec_foreach (other, &g->nodes) {
            if ((*other)->subject == n)
                CORAS_TRY(doom(doomed, *other, err));
        }
        for (size_t c = 0; c < n->children_len; c++) {
            struct node *child = n->children[c];
            if (--child->parents == 0 && !coras_layout_index_is_tagged(index, &child->desc.digest))
                CORAS_TRY(doom(doomed, child, err));
        }
    }
    return 0;
}

int coras_layout_graph_garbage(coras_layout_graph *g, const struct coras_layout_index *index,
                               const coras_digest *digest, coras_descriptors *ret,
                               coras_error **err)
{
    struct node_list doomed = {0};
    struct node *root = find(g, digest);
    int rc = root ? doom(&doomed, root, err) : 0;
    if (rc == 0 && !g->has_unread)
        rc = follow_doom(g, index, &doomed, err);
    for (size_t i = 0; rc == 0 && i < doomed.len; i++)
        rc = coras_descriptors_add(ret, &doomed.items[i]->desc, err);
    free(doomed.items);
    return rc;
}
