/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chores: what an operator has done to the directory of a registry by a program that then ends:
 * reading everything (verify), and removing what nothing needs (gc).
 *
 * What came of it goes to standard output, as text or as one JSON document.
 */
#ifndef SERVE_OPERATE_CHORES_H
#define SERVE_OPERATE_CHORES_H

#include "serve/options.h"
#include "serve/storage/collect.h"

struct serve_chore {
    /* The registry: where it is kept and, for verify, the registries from which damaged blobs are
     * fetched again (the proxy options). */
    struct serve_options of;
    const char *format; /* "json", or NULL or "text" for people */
    bool remove;        /* verify: damaged blobs go */
    bool dry_run;       /* gc: only say what would go */
    int64_t older_than; /* gc: seconds */
};
/* As `coras serve` waits before it removes something. */
#define SERVE_CHORE_INIT                                                                           \
    {                                                                                              \
        .of = SERVE_OPTIONS_INIT, .older_than = SERVE_COLLECT_GRACE_S                              \
    }

static inline bool serve_chore_is_json(const struct serve_chore *chore)
{
    return chore->format && coras_streq(chore->format, "json");
}

void serve_chore_clear(struct serve_chore *chore);
/* INVALID_ARGUMENT as serve_options_parse(). */
CORAS_MUST_CHECK int serve_chore_parse(struct serve_chore *chore, char **argv, coras_error **err);

/*
 * Read every blob and every manifest and compare them with their digests, on all processors. Works
 * beside a server. DIGEST_MISMATCH when something is missing, or damaged and still there.
 * INVALID_ARGUMENT and CONFIG as serve_upstreams_open().
 */
CORAS_MUST_CHECK int serve_verify(const struct serve_chore *chore, coras_error **err);
/*
 * Remove blobs that no manifest needs, files that nothing names, and uploads that nobody went on
 * with. CONFIG while a server has the directory, which does the same every hour; a dry run works
 * beside it.
 */
CORAS_MUST_CHECK int serve_gc(const struct serve_chore *chore, coras_error **err);

#endif
