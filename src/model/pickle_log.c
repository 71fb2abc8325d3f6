/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reporting the imports of pickles.
 */
#include "model/pickle_log.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/vec.h"
#include "model/pickle_imports.h"

int coras_pickle_log_init(coras_pickle_log *log, const coras_pickle_visitor *visitor,
                          coras_error **err)
{
    *log = (coras_pickle_log){.visitor = *visitor, .seen = coras_map_new(NULL)};
    return log->seen ? 0 : coras_fail_no_memory(err);
}

void coras_pickle_log_drop(coras_pickle_log *log)
{
    coras_vec_foreach (d, &log->doubtful) {
        free(d->what);
    }
    log->doubtful.len = 0;
}

void coras_pickle_log_clear(coras_pickle_log *log)
{
    coras_pickle_log_drop(log);
    free(log->doubtful.items);
    coras_map_free(log->seen);
}

static int report(coras_pickle_log *log, int64_t offset, const char *what,
                  enum coras_severity severity, coras_error **err)
{
    coras_pickle_import import = {offset, what, severity};

    log->any_here = true;
    if (coras_map_has(log->seen, what) || coras_map_len(log->seen) > CORAS_LIMIT_PICKLE_IMPORTS)
        return 0;
    CORAS_TRY(coras_map_set(log->seen, what, log, err));
    if (coras_map_len(log->seen) > CORAS_LIMIT_PICKLE_IMPORTS) {
        import.what = "more imports than any model has";
        import.severity = CORAS_SEVERITY_HIGH;
    }
    return log->visitor.import(log->visitor.user, &import, err);
}

static int report_later(coras_pickle_log *log, int64_t offset, const char *what,
                        enum coras_severity severity, coras_error **err)
{
    if (log->doubtful.len >= CORAS_LIMIT_PICKLE_DOUBTFUL)
        return 0;
    char *copy = coras_strdup(what);
    if (!copy || coras_vec_grow(&log->doubtful, 1) < 0) {
        free(copy);
        return coras_fail_no_memory(err);
    }
    log->doubtful.items[log->doubtful.len++] =
        (struct coras_pickle_doubtful){offset, copy, severity};
    return 0;
}

int coras_pickle_log_import(coras_pickle_log *log, int64_t offset, const char *module,
                            const char *name, bool doubtful, coras_error **err)
{
    coras_auto_buf what = CORAS_BUF_INIT(16 * CORAS_LIMIT_PICKLE_NAME);
    enum coras_severity severity = coras_pickle_judge(module, name);

    coras_escape(&what, module, strlen(module), CORAS_LIMIT_PICKLE_NAME);
    coras_buf_putc(&what, '.');
    coras_escape(&what, name, strlen(name), CORAS_LIMIT_PICKLE_NAME);
    CORAS_TRY(coras_buf_done(&what, err));
    if (doubtful && severity != CORAS_SEVERITY_HIGH)
        return report_later(log, offset, what.ptr, severity, err);
    return report(log, offset, what.ptr, severity, err);
}

int coras_pickle_log_unknown(coras_pickle_log *log, int64_t offset, const char *why, bool doubtful,
                             coras_error **err)
{
    if (doubtful)
        return report_later(log, offset, why, CORAS_SEVERITY_HIGH, err);
    return report(log, offset, why, CORAS_SEVERITY_HIGH, err);
}

int coras_pickle_log_believe(coras_pickle_log *log, coras_error **err)
{
    coras_vec_foreach (d, &log->doubtful)
        CORAS_TRY(report(log, d->offset, d->what, d->severity, err));
    coras_pickle_log_drop(log);
    log->any_here = false;
    return 0;
}
