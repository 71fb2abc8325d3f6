/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk of graph.h: finding nodes, queueing their steps, and letting one step at a time at the
 * bytes of one digest.
 */
#include "transfer/graph.h"

#include "base/error.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/vec.h"
#include "oci/digest.h"
#include "oci/mediatype.h"
#include "transfer/stint.h"

struct coras_graph {
    coras_run *run;             /* const */
    struct coras_graph_ops ops; /* const */
    coras_pool *pool;           /* const while walking */
    pthread_mutex_t lock;
    /* under lock */
    coras_map *nodes;    /* by descriptor, or digest and variant; borrowed from `all` */
    coras_map *contents; /* by digest; coras_content */
    struct {
        coras_node **items;
        size_t len, cap;
    } all, unqueued; /* unqueued: added before the walk began */
    size_t open;     /* nodes that are not finished */
    pthread_mutex_t large_lock;
    /* under large_lock */
    unsigned large;                       /* steps of large content that are queued or running */
    coras_node *first_large, *last_large; /* nodes whose step waits until there are less */
};

/* One queued step for one node. */
struct step {
    coras_graph *graph;
    coras_node *node;
    bool expanded;
};

static void node_free(const coras_graph *g, coras_node *node)
{
    if (node->data && g->ops.release_data)
        g->ops.release_data(node->data);
    coras_descriptor_clear(&node->desc);
    free(node->key);
    free(node->children.items);
    free(node->parents.items);
    free(node->fresh.items);
    free(node);
}

int coras_graph_new(coras_run *run, const struct coras_graph_ops *ops, coras_graph **ret,
                    coras_error **err)
{
    coras_graph *g = coras_new(coras_graph);
    if (!g)
        return coras_fail_no_memory(err);
    g->run = run;
    g->ops = *ops;
    pthread_mutex_init(&g->lock, NULL);
    pthread_mutex_init(&g->large_lock, NULL);
    g->nodes = coras_map_new(NULL);
    g->contents = coras_map_new(free);
    if (!g->nodes || !g->contents) {
        coras_graph_free(g);
        return coras_fail_no_memory(err);
    }
    *ret = g;
    return 0;
}

void coras_graph_free(coras_graph *g)
{
    if (!g)
        return;
    coras_run_deliver(g->run); /* queued events point at our nodes */
    coras_map_free(g->nodes);
    for (size_t i = 0; i < g->all.len; i++)
        node_free(g, g->all.items[i]);
    coras_map_free(g->contents);
    free(g->all.items);
    free(g->unqueued.items);
    pthread_mutex_destroy(&g->lock);
    pthread_mutex_destroy(&g->large_lock);
    free(g);
}

static void run_step(void *job, void *worker_state);

/* ---- steps ---- */

static int submit(coras_graph *g, coras_node *node, bool expanded, coras_error **err)
{
    struct step *step = coras_new(struct step);
    if (!step)
        return coras_fail_no_memory(err);
    *step = (struct step){g, node, expanded};
    int rc = coras_pool_add(g->pool, run_step, step, err);
    if (rc < 0)
        free(step);
    return rc;
}

/* What moves many bytes; there are more workers than such steps at a time. */
static bool is_large(const coras_node *node)
{
    return node->desc.size > CORAS_STINT_BYTES &&
           !coras_media_type_is_manifest(node->desc.media_type);
}

/* Lists of nodes whose step waits: a node waits for one thing at a time. */
static void put_waiting(coras_node **first, coras_node **last, coras_node *node, bool expanded)
{
    node->waits_expanded = expanded;
    node->next_waiting = NULL;
    if (*first)
        (*last)->next_waiting = node;
    else
        *first = node;
    *last = node;
}

static coras_node *take_waiting(coras_node **first)
{
    coras_node *node = *first;

    if (node)
        *first = node->next_waiting;
    return node;
}

static int queue_step(coras_graph *g, coras_node *node, bool expanded, coras_error **err)
{
    if (!is_large(node))
        return submit(g, node, expanded, err);
    pthread_mutex_lock(&g->large_lock);
    bool may = g->large < g->run->concurrency;
    g->large += may;
    if (!may)
        put_waiting(&g->first_large, &g->last_large, node, expanded);
    pthread_mutex_unlock(&g->large_lock);
    return may ? submit(g, node, expanded, err) : 0;
}

/* The step of a large node is over, or waits for its bytes: the next one may begin. */
static int leave_large(coras_graph *g, const coras_node *node, coras_error **err)
{
    if (!is_large(node))
        return 0;
    pthread_mutex_lock(&g->large_lock);
    coras_node *next = take_waiting(&g->first_large);
    g->large -= next == NULL;
    pthread_mutex_unlock(&g->large_lock);
    return next ? submit(g, next, next->waits_expanded, err) : 0;
}

static char *node_key(const coras_descriptor *desc, const char *variant)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    coras_digest_format(&desc->digest, text);
    if (variant)
        return coras_asprintf("%s%s", text, variant);
    return coras_asprintf("%s %s", text, desc->media_type ? desc->media_type : "");
}

/* How a node was come to. */
struct edge {
    coras_node *parent; /* NULL: nothing waits for it */
    bool is_subject;
};

static const char *title_of(const coras_descriptor *desc)
{
    const char *title = coras_descriptor_title(desc);

    return title ? title : "";
}

static int check_same_size(const coras_content *content, const coras_descriptor *desc,
                           coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];

    if (content->size == desc->size)
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_MANIFEST,
                      "%s is said to have %lld and %lld bytes: invalid descriptor size",
                      coras_digest_format(&desc->digest, digest), (long long)content->size,
                      (long long)desc->size);
}

/* lock held */
static int find_content(coras_graph *g, const coras_descriptor *desc, coras_content **ret,
                        coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_content *content = coras_map_get(g->contents, coras_digest_format(&desc->digest, digest));

    if (content) {
        *ret = content;
        return check_same_size(content, desc, err);
    }
    content = coras_new(coras_content);
    if (!content)
        return coras_fail_no_memory(err);
    content->size = desc->size;
    int rc = coras_map_set(g->contents, digest, content, err);
    if (rc < 0)
        free(content);
    else
        *ret = content;
    return rc;
}

/* lock held: a manifest is finished after its children, so what it is called is heard last */
static void give_title(coras_content *content, const coras_node *node)
{
    if (!content->titled || !coras_media_type_is_manifest(content->titled->desc.media_type) ||
        coras_media_type_is_manifest(node->desc.media_type))
        content->titled = node;
}

static void place_node(coras_node *node, const struct edge *edge)
{
    if (!edge->parent)
        return;
    node->depth = edge->parent->depth + !edge->is_subject;
    node->referrers = edge->parent->referrers + edge->is_subject;
}

/* lock held */
static int make_node(coras_graph *g, const struct edge *edge, const coras_descriptor *desc,
                     char **take_key, coras_node **ret, coras_error **err)
{
    coras_content *content = NULL;

    if (g->all.len >= CORAS_LIMIT_NODES)
        return coras_fail(err, CORAS_ERR_INVALID_MANIFEST, "more than %d descriptors: too many",
                          CORAS_LIMIT_NODES);
    CORAS_TRY(find_content(g, desc, &content, err));
    if (coras_vec_grow(&g->all, 1) < 0)
        return coras_fail_no_memory(err);
    coras_node *node = coras_new(coras_node);
    if (!node)
        return coras_fail_no_memory(err);
    node->key = coras_steal(take_key);
    node->content = content;
    node->waiting = 1;
    place_node(node, edge);
    int rc = coras_descriptor_copy(&node->desc, desc, err);
    if (rc == 0)
        rc = coras_map_set(g->nodes, node->key, node, err);
    if (rc < 0) {
        node_free(g, node);
        return rc;
    }
    give_title(content, node);
    g->all.items[g->all.len++] = node;
    g->open++;
    *ret = node;
    return 0;
}

/* lock held: the node waits for the child unless that is finished */
static int connect_nodes(coras_node *parent, coras_node *child, coras_error **err)
{
    if (coras_vec_grow(&parent->children, 1) < 0 || coras_vec_grow(&child->parents, 1) < 0)
        return coras_fail_no_memory(err);
    parent->children.items[parent->children.len++] = child;
    if (child->finished)
        return 0;
    child->parents.items[child->parents.len++] = parent;
    parent->waiting++;
    return 0;
}

/* lock held */
static int find_or_make(coras_graph *g, const struct edge *edge, const coras_descriptor *desc,
                        const char *variant, coras_node **ret, coras_error **err)
{
    coras_auto_free char *key = node_key(desc, variant);
    if (!key)
        return coras_fail_no_memory(err);
    coras_node *node = coras_map_get(g->nodes, key);
    bool known = node != NULL;
    if (known)
        CORAS_TRY(check_same_size(node->content, desc, err));
    else
        CORAS_TRY(make_node(g, edge, desc, &key, &node, err));
    if (edge->parent)
        CORAS_TRY(connect_nodes(edge->parent, node, err));
    *ret = node;
    return known;
}

/* lock held: remember a new node that must not start yet */
static int hold_back(coras_graph *g, coras_node *parent, coras_node *node, coras_error **err)
{
    if (parent) {
        if (coras_vec_grow(&parent->fresh, 1) < 0)
            return coras_fail_no_memory(err);
        parent->fresh.items[parent->fresh.len++] = node;
    } else {
        if (coras_vec_grow(&g->unqueued, 1) < 0)
            return coras_fail_no_memory(err);
        g->unqueued.items[g->unqueued.len++] = node;
    }
    return 0;
}

static int check_depth(const struct edge *edge, coras_error **err)
{
    const coras_node *parent = edge->parent;
    char digest[CORAS_DIGEST_TEXT_MAX];

    if (!parent)
        return 0;
    if (edge->is_subject ? parent->referrers < CORAS_LIMIT_REFERRER_DEPTH
                         : parent->depth < CORAS_LIMIT_INDEX_DEPTH)
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_MANIFEST, "%s: nested too deep",
                      coras_digest_format(&parent->desc.digest, digest));
}

static int add_node(coras_graph *g, const struct edge *edge, const coras_descriptor *desc,
                    const char *variant, coras_node **ret, coras_error **err)
{
    coras_node *node = NULL;

    CORAS_TRY(check_depth(edge, err));
    pthread_mutex_lock(&g->lock);
    int known = find_or_make(g, edge, desc, variant, &node, err);
    bool start_now = known == 0 && !edge->parent && g->pool;
    if (known == 0 && !start_now && hold_back(g, edge->parent, node, err) < 0)
        known = CORAS_ERR_NO_MEMORY;
    pthread_mutex_unlock(&g->lock);
    if (known == 0)
        coras_run_post(g->run, CORAS_EVENT_EXPECTED, &node->desc, 0, NULL);
    if (start_now)
        CORAS_TRY(queue_step(g, node, false, err));
    if (known >= 0 && ret)
        *ret = node;
    return known;
}

int coras_graph_add_root(coras_graph *g, const coras_descriptor *desc, const char *variant,
                         coras_node **ret, coras_error **err)
{
    return add_node(g, &(struct edge){0}, desc, variant, ret, err);
}

int coras_graph_add_child(coras_graph *g, coras_node *parent, const coras_descriptor *desc,
                          const char *variant, coras_node **ret, coras_error **err)
{
    return add_node(g, &(struct edge){.parent = parent}, desc, variant, ret, err);
}

int coras_graph_add_subject(coras_graph *g, coras_node *parent, const coras_descriptor *desc,
                            coras_node **ret, coras_error **err)
{
    return add_node(g, &(struct edge){.parent = parent, .is_subject = true}, desc, NULL, ret, err);
}

const char *coras_graph_title_of_content(coras_graph *g, const coras_node *node)
{
    pthread_mutex_lock(&g->lock);
    const coras_node *titled = node->content->titled;
    pthread_mutex_unlock(&g->lock);
    return title_of(&titled->desc);
}

/* lock held: one thing less to wait for; true when the node may be finished */
static bool wait_less(coras_node *node)
{
    return --node->waiting == 0;
}

/* The node is done: queue the parents that waited for it last. */
static void node_finished(coras_graph *g, coras_node *node)
{
    coras_auto(coras_error) failure = NULL;

    pthread_mutex_lock(&g->lock);
    node->finished = true;
    for (size_t i = 0; i < node->parents.len; i++) {
        coras_node *parent = node->parents.items[i];
        if (wait_less(parent) && !failure)
            (void)queue_step(g, parent, true, &failure); /* the failure is looked at below */
    }
    bool last = --g->open == 0;
    pthread_mutex_unlock(&g->lock);
    bool failed = failure != NULL;
    if (failed)
        coras_run_fail(g->run, &failure);
    if (failed || last)
        coras_run_set_idle(g->run);
}

static int take_step(coras_graph *g, coras_node *node, bool expanded, bool *ret_finished,
                     coras_error **err)
{
    CORAS_TRY(coras_run_check(g->run, err));
    if (!expanded) {
        int rc = g->ops.expand ? g->ops.expand(g, node, g->ops.user, err) : CORAS_GRAPH_GO_ON;
        if (rc != CORAS_GRAPH_GO_ON) {
            *ret_finished = rc == CORAS_GRAPH_PRUNE;
            return rc < 0 ? rc : 0;
        }
        /* Only now: whoever expands a node may still have something to note about its children. */
        for (size_t i = 0; i < node->fresh.len; i++)
            CORAS_TRY(queue_step(g, node->fresh.items[i], false, err));
        pthread_mutex_lock(&g->lock);
        bool ready = wait_less(node);
        pthread_mutex_unlock(&g->lock);
        if (!ready)
            return 0;
    }
    *ret_finished = true;
    return g->ops.finish(g, node, g->ops.user, err);
}

/* Whether the step may run; else it is queued when the content is free. */
static bool enter_content(coras_graph *g, const struct step *step)
{
    coras_node *node = step->node;
    coras_content *content = node->content;

    pthread_mutex_lock(&g->lock);
    bool free_now = !content->is_busy;
    content->is_busy = true;
    if (!free_now)
        put_waiting(&content->first_waiting, &content->last_waiting, node, step->expanded);
    pthread_mutex_unlock(&g->lock);
    return free_now;
}

static int leave_content(coras_graph *g, coras_content *content, coras_error **err)
{
    pthread_mutex_lock(&g->lock);
    coras_node *next = take_waiting(&content->first_waiting);
    content->is_busy = false;
    pthread_mutex_unlock(&g->lock);
    return next ? queue_step(g, next, next->waits_expanded, err) : 0;
}

/* 1: the node is finished. */
static int run_entered(struct step *step, coras_error **err)
{
    coras_pace *pace = &step->graph->run->pace;
    coras_stint stint = coras_stint_begin(pace);
    bool finished = false;

    int rc = take_step(step->graph, step->node, step->expanded, &finished, err);
    if (rc >= 0)
        rc = leave_content(step->graph, step->node->content, err);
    if (rc >= 0 && !is_large(step->node) && coras_stint_waited(&stint, pace))
        for (int more = 0; more < CORAS_STINT_GROWTH; more++)
            coras_pool_grow(step->graph->pool);
    return rc < 0 ? rc : finished;
}

static void run_step(void *job, void *worker_state CORAS_UNUSED)
{
    struct step step = *(struct step *)job;
    coras_auto(coras_error) failure = NULL;

    free(job);
    int rc = enter_content(step.graph, &step) ? run_entered(&step, &failure) : 0;
    bool finished = rc == 1;
    if (rc >= 0)
        rc = leave_large(step.graph, step.node, &failure);
    if (rc < 0) {
        coras_run_fail(step.graph->run, &failure);
        coras_run_set_idle(step.graph->run);
    } else if (finished) {
        node_finished(step.graph, step.node);
    }
}

int coras_graph_walk(coras_graph *g, coras_error **err)
{
    struct coras_pool_options options = {.threads = g->run->concurrency,
                                         .threads_max = g->run->workers_max};
    coras_pool *pool = NULL;

    if (!g->open)
        return 0;
    CORAS_TRY(coras_pool_new(&options, &pool, err));
    g->pool = pool;
    coras_auto(coras_error) failure = NULL;
    for (size_t i = 0; i < g->unqueued.len && !failure; i++)
        (void)queue_step(g, g->unqueued.items[i], false, &failure); /* looked at below */
    if (failure)
        coras_run_fail(g->run, &failure);
    else
        coras_run_wait_idle(g->run);
    coras_pool_free(pool); /* drains: after a failure each queued step returns at once */
    g->pool = NULL;
    return coras_run_result(g->run, err);
}
