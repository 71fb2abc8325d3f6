/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node that is looked at: its files, below a prefix for tests and other roots; the mirrors that
 * they name, each asked once; and the report.
 */
#ifndef SERVE_DOCTOR_NODE_H
#define SERVE_DOCTOR_NODE_H

#include "base/str.h"
#include "serve/doctor/report.h"
#include "serve/doctor/toml.h"

/* A mirror that was asked. */
struct serve_mirror_asked {
    char *url;
    bool answers;
    char *how; /* "answers", or why not */
};

typedef struct serve_node {
    const char *root;            /* prefix of all files; "" = none */
    const char *mirror;          /* URL that advice names */
    bool is_mirror_set;          /* and nothing else will do */
    const char *home;            /* of the account that asks; NULL: not known */
    const char *registries_conf; /* that it names in place of the usual one, or NULL */
    serve_report report;
    struct {
        struct serve_mirror_asked *items;
        size_t len, cap;
    } asked;
    size_t files; /* read so far */
} serve_node;
void serve_node_clear(serve_node *n);

/* Paths are absolute, as the node sees them. */
bool serve_node_has(const serve_node *n, const char *path);
bool serve_node_has_directory(const serve_node *n, const char *path);
/* NOT_FOUND; TOO_LARGE; IO and others. */
CORAS_MUST_CHECK int serve_node_read(serve_node *n, const char *path, coras_buf *ret,
                                     coras_error **err);
/* The same, parsed. CONFIG: "PATH:LINE: …". */
CORAS_MUST_CHECK int serve_node_read_toml(serve_node *n, const char *path, serve_toml **ret,
                                          coras_error **err);
/* Names in a directory, sorted; none when it is not there. */
CORAS_MUST_CHECK int serve_node_list(const serve_node *n, const char *path, coras_strlist *ret,
                                     coras_error **err);

/* A running process of this name, as /proc tells it. */
struct serve_process {
    int64_t started_s;   /* wall clock */
    coras_strlist words; /* of its command line */
};
void serve_process_clear(struct serve_process *p);
/* NOT_FOUND, also when /proc does not tell. */
CORAS_MUST_CHECK int serve_node_find_process(const serve_node *n, const char *name,
                                             struct serve_process *ret, coras_error **err);
/* When a file was last changed (wall clock seconds); 0: it is not there. */
int64_t serve_node_changed_s(const serve_node *n, const char *path);

/* A mirror that a runtime uses for a registry (NULL: for all). */
struct serve_mirror {
    const char *runtime, *registry, *url, *where;
    const char *note;     /* added to what is said, or NULL */
    const char *api_path; /* where the runtime looks for the API; NULL: /v2/ of the host */
    bool any_certificate; /* the runtime knows how to check it, we do not */
};
/* Report it; asks it, once. */
CORAS_MUST_CHECK int serve_node_found_mirror(serve_node *n, const struct serve_mirror *mirror,
                                             coras_error **err);
/* Report anything else. */
static inline int serve_node_found(serve_node *n, const struct serve_found *found,
                                   coras_error **err)
{
    return serve_report_add(&n->report, found, err);
}
/* Report a file that could not be read; takes the error. Out of memory is not reported. */
CORAS_MUST_CHECK int serve_node_found_broken(serve_node *n, const char *runtime, const char *path,
                                             coras_error **why, coras_error **err);

/* Each looks at one kind of runtime. */
CORAS_MUST_CHECK int serve_doctor_containerd(serve_node *n, coras_error **err);
CORAS_MUST_CHECK int serve_doctor_docker(serve_node *n, coras_error **err);
CORAS_MUST_CHECK int serve_doctor_podman(serve_node *n, coras_error **err);
/* The directories of registries below certs.d, for containerd. */
CORAS_MUST_CHECK int serve_doctor_hosts(serve_node *n, const char *runtime, const char *directory,
                                        coras_error **err);

#endif
