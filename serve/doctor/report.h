/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the doctor found: for each container runtime and registry whether it would use a mirror, and
 * what to write where when it would not.
 */
#ifndef SERVE_DOCTOR_REPORT_H
#define SERVE_DOCTOR_REPORT_H

#include "base/buf.h"

enum serve_verdict_of {
    SERVE_FOUND_USES,     /* a mirror, which answers */
    SERVE_FOUND_SILENT,   /* a mirror, which does not answer */
    SERVE_FOUND_OTHER,    /* a mirror, but not the one asked about */
    SERVE_FOUND_BYPASSED, /* no mirror */
    SERVE_FOUND_BROKEN,   /* a file that is not understood, or is not taken by the runtime */
    SERVE_FOUND_NOTE      /* something to know; nothing is wrong */
};

struct serve_finding {
    enum serve_verdict_of verdict;
    char *runtime;  /* "containerd" */
    char *registry; /* "docker.io"; NULL: of all */
    char *mirror;   /* its URL, or NULL */
    char *where;    /* "/etc/containerd/config.toml:12", or NULL */
    char *message;
    char *write_to; /* the file to write `lines` to; NULL: no advice */
    char *lines;    /* ends with a newline */
};

typedef struct serve_report {
    struct {
        struct serve_finding *items;
        size_t len, cap;
    } findings;
} serve_report;
void serve_report_clear(serve_report *r);

/* A finding to fill in; texts are copied, NULL stays NULL. The fields are those of above. */
struct serve_found {
    enum serve_verdict_of verdict;
    const char *runtime, *registry, *mirror, *where, *message, *write_to, *lines;
};
CORAS_MUST_CHECK int serve_report_add(serve_report *r, const struct serve_found *found,
                                      coras_error **err);

/* Whether a runtime was found at all; and whether nothing is wrong with any. */
bool serve_report_is_empty(const serve_report *r);
bool serve_report_is_good(const serve_report *r);
void serve_report_put_text(const serve_report *r, coras_buf *out);
void serve_report_put_json(const serve_report *r, coras_buf *out);

#endif
