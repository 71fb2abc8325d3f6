/*
 * A walk over a graph of content, children before parents, each node once, on a pool of workers.
 * Nothing recurses and no worker ever waits for another: a node whose children are all finished is
 * queued, so depth costs no stack and any number of workers makes progress.
 */
#ifndef CORAS_TRANSFER_GRAPH_H
#define CORAS_TRANSFER_GRAPH_H

#include "transfer/run.h"

typedef struct coras_graph coras_graph;

typedef struct coras_node {
    coras_descriptor desc; /* const after creation */
    char *key;             /* const */
    unsigned depth;        /* const: indexes above it */
    unsigned referrers;    /* const: manifests above it whose subject it is */
    void *data;            /* the operation's; see release_data */
    /* graph lock */
    struct {
        struct coras_node **items;
        size_t len, cap;
    } children, parents;
    struct {
        struct coras_node **items;
        size_t len, cap;
    } fresh;        /* children that it made and that start when its expansion is complete */
    size_t waiting; /* children that are not finished, and 1 until it was expanded */
    bool finished;
} coras_node;

/* Results of expand. */
enum { CORAS_GRAPH_GO_ON = 0, CORAS_GRAPH_PRUNE = 1 };

struct coras_graph_ops {
    /*
     * Look at a node and add its children with coras_graph_add_child(). CORAS_GRAPH_PRUNE: the node
     * counts as finished with everything below it. May be NULL (no children).
     */
    int (*expand)(coras_graph *g, coras_node *node, void *user, coras_error **err);
    /* All children are finished. */
    int (*finish)(coras_graph *g, coras_node *node, void *user, coras_error **err);
    void (*release_data)(void *data); /* may be NULL */
    void *user;
};

/* Nodes live until coras_graph_free(), so that events may point at their descriptors. */
CORAS_MUST_CHECK int coras_graph_new(coras_run *run, const struct coras_graph_ops *ops,
                                     coras_graph **ret, coras_error **err);
void coras_graph_free(coras_graph *g);
CORAS_DEFINE_AUTO(coras_graph, coras_graph_free)
coras_run *coras_graph_run_of(coras_graph *g);

/*
 * Add a node that nothing waits for (the root; a referrer that was discovered). `variant` tells
 * apart nodes of one digest that are treated differently (NULL: ""). *ret (may be NULL) is the new
 * or known node; returns 1 when it was known already, 0 when new.
 */
int coras_graph_add_root(coras_graph *g, const coras_descriptor *desc, const char *variant,
                         coras_node **ret, coras_error **err);
/* Add a child of the node that is being expanded. Same results. INVALID_MANIFEST when nested too
 * deep, or when two descriptors of one digest disagree about the size. */
int coras_graph_add_child(coras_graph *g, coras_node *parent, const coras_descriptor *desc,
                          const char *variant, coras_node **ret, coras_error **err);
/* The same for the subject of the node, which may be as deep below as referrers may be above. */
int coras_graph_add_subject(coras_graph *g, coras_node *parent, const coras_descriptor *desc,
                            coras_node **ret, coras_error **err);

/* Walk everything, delivering events meanwhile. The first failure is the result. */
CORAS_MUST_CHECK int coras_graph_walk(coras_graph *g, coras_error **err);

#endif
