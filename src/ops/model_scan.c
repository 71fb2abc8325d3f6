/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scanning a model, file by file.
 */
#include "coras/model_scan.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "base/vec.h"
#include "ops/model_scan.h"
#include "ops/model_scan_impl.h"

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
    return 0;
}

int coras_model_scan(coras_model *model, coras_scan_result *ret, coras_error **err)
{
    coras_auto_value(coras_scan) s = {0};

    if (!model || !ret)
        return coras_missing_argument(err);
    CORAS_TRY(begin(&s, model, err));
    for (size_t i = 0; i < model->files.len; i++)
        CORAS_TRY(scan_file(&s, i, err));
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

static int add_texts(coras_scan_result *ret, const char *reference, const char *message,
                     coras_error **err)
{
    coras_scan_finding finding = {
        .kind = "path",
        .severity = CORAS_SEVERITY_HIGH,
        .file = coras_strdup(reference),
        .detail = coras_strdup(message),
    };
    coras_scan_note note = {coras_strdup(reference), coras_strdup("it cannot be laid down")};

    ret->reference = coras_strdup(reference);
    if (!finding.file || !finding.detail || !note.file || !note.why || !ret->reference ||
        coras_vec_grow(&ret->findings, 1) < 0 || coras_vec_grow(&ret->not_looked, 1) < 0) {
        free(finding.file);
        free(finding.detail);
        free(note.file);
        free(note.why);
        return coras_fail_no_memory(err);
    }
    ret->findings.items[ret->findings.len++] = finding;
    ret->not_looked.items[ret->not_looked.len++] = note;
    return 0;
}

static int report_unopened(const char *reference, const coras_error *failure,
                           coras_scan_result *ret, coras_error **err)
{
    coras_scan_result result = CORAS_SCAN_RESULT_INIT;
    int rc = add_texts(&result, reference, coras_error_message(failure), err);

    if (rc < 0)
        coras_scan_result_clear(&result);
    else
        *ret = result;
    return rc;
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

int coras_model_scan_before(coras_model *model, coras_error **err)
{
    coras_scan_result result = CORAS_SCAN_RESULT_INIT;
    int rc = 0;

    CORAS_TRY(coras_model_scan(model, &result, err));
    for (size_t i = 0; i < result.findings.len && rc == 0; i++) {
        const coras_scan_finding *f = &result.findings.items[i];
        coras_auto_free char *shown = coras_escape_dup(f->file);
        if (f->severity >= CORAS_SEVERITY_MEDIUM)
            rc = coras_fail(err, CORAS_ERR_DENIED, "nothing was pulled, because of %s (%s): %s",
                            shown ? shown : "", coras_severity_name((int)f->severity), f->detail);
    }
    coras_scan_result_clear(&result);
    return rc;
}
