/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk over a graph of content, children before parents, each node once, on a pool of workers.
 * Nothing recurses and no worker ever waits for another: a node whose children are all finished is
 * queued, so depth costs no stack and any number of workers makes progress.
 *
 * A node is a descriptor: media type, digest and size. One digest may have several, since the same
 * bytes can be a manifest here and somebody's layer there. What is true of the bytes is kept once,
 * in a coras_content, and the steps of its nodes never run at the same time: whoever comes later
 * sees what was done and moves nothing twice.
 */
#ifndef CORAS_TRANSFER_GRAPH_H
#define CORAS_TRANSFER_GRAPH_H

#include "transfer/run.h"

typedef struct coras_graph coras_graph;

typedef struct coras_node coras_node;

/* The bytes that one or several nodes describe. */
typedef struct coras_content {
    int64_t size;   /* const: descriptors that disagree about it are refused */
    unsigned marks; /* the operation's: what was done with the bytes; for the running step alone */
    /* graph lock */
    const coras_node *titled; /* whose title counts as that of the bytes: a manifest, else the last
                                 that was added */
    bool is_busy;             /* a step of one of its nodes is running */
    coras_node *first_waiting, *last_waiting; /* nodes whose step waits for that */
} coras_content;

struct coras_node {
    coras_descriptor desc;  /* const after creation */
    coras_content *content; /* const */
    char *key;              /* const */
    unsigned depth;         /* const: indexes above it */
    unsigned referrers;     /* const: manifests above it whose subject it is */
    void *data;             /* the operation's; see release_data */
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
    coras_node *next_waiting; /* for the content; which step: */
    bool waits_expanded;
};

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

/*
 * Add a node that nothing waits for (the root; a referrer that was discovered). With a `variant`
 * there is one node for each digest and variant, whatever the media type: for content that is the
 * same to the operation however it is described. *ret (may be NULL) is the new or known node;
 * returns 1 when it was known already, 0 when new.
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

/* The title ("" for none) under which the node's bytes are known, while its parent is expanded. */
const char *coras_graph_title_of_content(coras_graph *g, const coras_node *node);

/* Walk everything, delivering events meanwhile. The first failure is the result. */
CORAS_MUST_CHECK int coras_graph_walk(coras_graph *g, coras_error **err);

#endif
