/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scanning a model, file by file.
 */
#include "coras/model_scan.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "base/vec.h"
#include "ops/models/scan.h"
#include "ops/models/scan_impl.h"
#include "transfer/parallel.h"

static void coras_scan_clear(coras_scan *s)
{
    coras_scan_result_clear(&s->result);
    coras_strlist_clear(&s->loaded_code);
}
CORAS_DEFINE_AUTO_VALUE(coras_scan, coras_scan_clear)

static int begin(coras_scan *s, coras_model *model, coras_error **err)
{
    s->model = model;
    s->result.reference = coras_strdup(model->reference);
    if (!s->result.reference)
        return coras_fail_no_memory(err);
    s->result.has_digest = model->target != NULL;
    s->result.digest = model->desc.digest;
    return 0;
}

static int scan_file(coras_scan *s, size_t i, coras_error **err)
{
    const coras_scan_part part = coras_scan_whole(s, i);
    coras_auto(coras_error) failure = NULL;

    CORAS_TRY(coras_cancel_check(s->model->run.cancel, err));
    int rc = coras_scan_content(s, &part, &failure);
    return coras_scan_forgive(s, &part, rc, &failure, err);
}

/* ---- all files ---- */

struct file_scans {
    coras_model *model;
    coras_scan *items; /* one for each file */
};

static int scan_nth(void *user, size_t i, coras_error **err)
{
    struct file_scans *all = user;

    all->items[i].model = all->model;
    return scan_file(&all->items[i], i, err);
}

/* Append what one file has shown; its own lists are empty afterwards. */
static int take_over(coras_scan *s, coras_scan *from, coras_error **err)
{
    coras_scan_result *to = &s->result, *r = &from->result;

    if (coras_vec_grow(&to->findings, r->findings.len) < 0 ||
        coras_vec_grow(&to->looked, r->looked.len) < 0 ||
        coras_vec_grow(&to->not_looked, r->not_looked.len) < 0)
        return coras_fail_no_memory(err);
    coras_vec_foreach (f, &r->findings) {
        to->findings.items[to->findings.len++] = *f;
    }
    coras_vec_foreach (n, &r->looked) {
        to->looked.items[to->looked.len++] = *n;
    }
    coras_vec_foreach (n, &r->not_looked) {
        to->not_looked.items[to->not_looked.len++] = *n;
    }
    r->findings.len = r->looked.len = r->not_looked.len = 0;
    for (size_t i = 0; i < from->loaded_code.len; i++)
        CORAS_TRY(coras_strlist_add(&s->loaded_code, from->loaded_code.items[i], err));
    return 0;
}

static int run_scans(coras_scan *s, struct file_scans *all, coras_error **err)
{
    coras_auto_value(coras_run) run;
    coras_run_options quiet = s->model->run;
    size_t count = s->model->files.len;

    quiet.on_event = NULL; /* nothing is transferred */
    coras_run_init(&run, &quiet);
    CORAS_TRY(coras_run_parallel(&run, count, scan_nth, all, err));
    for (size_t i = 0; i < count; i++)
        CORAS_TRY(take_over(s, &all->items[i], err));
    return 0;
}

static int scan_files(coras_scan *s, coras_error **err)
{
    size_t count = s->model->files.len;
    struct file_scans all = {s->model, coras_calloc(count ? count : 1, sizeof(*all.items))};

    if (!all.items)
        return coras_fail_no_memory(err);
    int rc = run_scans(s, &all, err);
    for (size_t i = 0; i < count; i++)
        coras_scan_clear(&all.items[i]);
    free(all.items);
    return rc;
}

/* ---- what is no file ---- */

static int find_stray(coras_scan *s, const coras_model_stray *stray, coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_INIT(CORAS_LIMIT_SCAN_DETAIL);

    if (!stray->link)
        return coras_scan_find_at(s, stray->path, "path", CORAS_SEVERITY_HIGH,
                                  "a name that leaves the model", err);
    coras_buf_puts(&shown, "a link that leaves the model, to ");
    coras_escape(&shown, stray->link, strlen(stray->link), CORAS_LIMIT_COMPONENT);
    CORAS_TRY(coras_buf_done(&shown, err));
    return coras_scan_find_at(s, stray->path, "link", CORAS_SEVERITY_HIGH, shown.ptr, err);
}

static int find_strays(coras_scan *s, coras_error **err)
{
    coras_vec_foreach (stray, &s->model->files.strays)
        CORAS_TRY(find_stray(s, stray, err));
    return 0;
}

/* Source that a configuration names is run by the loader. */
static int raise_loaded_code(coras_scan *s, coras_error **err)
{
    for (size_t i = 0; i < s->result.findings.len; i++) {
        coras_scan_finding *f = &s->result.findings.items[i];
        if (f->severity != CORAS_SEVERITY_LOW || !coras_streq(f->kind, "code") ||
            !coras_strlist_has(&s->loaded_code, coras_scan_base_name(f->file)))
            continue;
        char *detail = coras_strdup("source code that a configuration has loaders run");
        if (!detail)
            return coras_fail_no_memory(err);
        free(f->detail);
        f->detail = detail;
        f->severity = CORAS_SEVERITY_MEDIUM;
    }
    return 0;
}

/* Layers that no rule makes a file of. */
static int note_unplaced(coras_scan *s, coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_vec_foreach (d, &s->model->package.unplaced)
        CORAS_TRY(coras_scan_not_looked_at(s, coras_digest_format(&(*d)->digest, digest),
                                           "a layer that becomes no file", err));
    if (s->model->package.elsewhere)
        return coras_scan_not_looked_at(s, s->model->reference, "its weights are on another host",
                                        err);
    return 0;
}

int coras_model_scan(coras_model *model, coras_scan_result *ret, coras_error **err)
{
    coras_auto_value(coras_scan) s = {0};

    if (!model || !ret)
        return coras_missing_argument(err);
    CORAS_TRY(begin(&s, model, err));
    CORAS_TRY(scan_files(&s, err));
    CORAS_TRY(find_strays(&s, err));
    CORAS_TRY(note_unplaced(&s, err));
    CORAS_TRY(raise_loaded_code(&s, err));
    *ret = s.result;
    s.result = (coras_scan_result)CORAS_SCAN_RESULT_INIT;
    return 0;
}

/* ---- what cannot even be opened ---- */

static bool is_about_names(int rc)
{
    return rc == CORAS_ERR_UNSAFE_PATH || rc == CORAS_ERR_UNSAFE_ARCHIVE || rc == CORAS_ERR_EXISTS;
}

/* The whole of it is one finding. */
static int report_unopened(const char *reference, const coras_error *failure,
                           coras_scan_result *ret, coras_error **err)
{
    coras_auto_value(coras_scan) s = {0};

    s.result.reference = coras_strdup(reference);
    if (!s.result.reference)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_scan_find_at(&s, reference, "path", CORAS_SEVERITY_HIGH,
                                 coras_error_message(failure), err));
    CORAS_TRY(coras_scan_not_looked_at(&s, reference, "it cannot be laid down", err));
    *ret = s.result;
    s.result = (coras_scan_result)CORAS_SCAN_RESULT_INIT;
    return 0;
}

int coras_model_scan_at(coras_target *target, const char *reference, const coras_platform *platform,
                        const coras_run_options *run, coras_scan_result *ret, coras_error **err)
{
    coras_auto(coras_model) model = NULL;
    coras_auto(coras_error) failure = NULL;

    if (!reference || !ret)
        return coras_missing_argument(err);
    int rc = target ? coras_model_open(target, reference, platform, run, &model, &failure)
                    : coras_model_open_path(reference, run, &model, &failure);
    if (is_about_names(rc))
        return report_unopened(reference, failure, ret, err);
    if (rc < 0) {
        coras_error_propagate(err, &failure);
        return rc;
    }
    return coras_model_scan(model, ret, err);
}

/* ---- before a pull ---- */

static int refuse(const coras_scan_finding *f, coras_error **err)
{
    coras_auto_free char *shown = coras_escape_dup(f->file);

    return coras_fail(err, CORAS_ERR_UNSAFE_MODEL, "nothing was pulled, because of %s (%s): %s",
                      shown ? shown : "", coras_severity_name((int)f->severity), f->detail);
}

/* Takes the result. */
static int judge(coras_scan_result *result, coras_error **err)
{
    int rc = 0;

    for (size_t i = 0; i < result->findings.len && rc == 0; i++)
        if (result->findings.items[i].severity >= CORAS_SEVERITY_MEDIUM)
            rc = refuse(&result->findings.items[i], err);
    coras_scan_result_clear(result);
    return rc;
}

int coras_model_scan_before(coras_target *source, const coras_descriptor *root,
                            const coras_run_options *run, coras_error **err)
{
    coras_scan_result result = CORAS_SCAN_RESULT_INIT;
    char digest[CORAS_DIGEST_TEXT_MAX];

    CORAS_TRY(coras_model_scan_at(source, coras_digest_format(&root->digest, digest), NULL, run,
                                  &result, err));
    return judge(&result, err);
}

int coras_model_refuse_code(coras_model *model, coras_error **err)
{
    coras_scan_result result = CORAS_SCAN_RESULT_INIT;

    CORAS_TRY(coras_model_scan(model, &result, err));
    return judge(&result, err);
}
