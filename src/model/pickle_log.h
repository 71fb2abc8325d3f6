/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was found in a pickle, each import once, and at most so many. Findings in something that may
 * be no pickle wait until its end has shown that it is one; dangerous ones do not wait.
 */
#ifndef CORAS_MODEL_PICKLE_LOG_H
#define CORAS_MODEL_PICKLE_LOG_H

#include "base/map.h"
#include "model/pickle.h"

struct coras_pickle_doubtful {
    int64_t offset;
    char *what;
    enum coras_severity severity;
};

typedef struct coras_pickle_log {
    coras_pickle_visitor visitor;
    coras_map *seen; /* "module.name" of what was reported */
    bool any_here;   /* something was, of the present pickle */
    struct {
        struct coras_pickle_doubtful *items;
        size_t len, cap;
    } doubtful;
} coras_pickle_log;

CORAS_MUST_CHECK int coras_pickle_log_init(coras_pickle_log *log,
                                           const coras_pickle_visitor *visitor, coras_error **err);
void coras_pickle_log_clear(coras_pickle_log *log);
CORAS_MUST_CHECK int coras_pickle_log_import(coras_pickle_log *log, int64_t offset,
                                             const char *module, const char *name, bool doubtful,
                                             coras_error **err);
/* An import that nobody can name. */
CORAS_MUST_CHECK int coras_pickle_log_unknown(coras_pickle_log *log, int64_t offset,
                                              const char *why, bool doubtful, coras_error **err);
/* It was a pickle: report what waits. The next one begins. */
CORAS_MUST_CHECK int coras_pickle_log_believe(coras_pickle_log *log, coras_error **err);
/* It was none. */
void coras_pickle_log_drop(coras_pickle_log *log);

#endif
