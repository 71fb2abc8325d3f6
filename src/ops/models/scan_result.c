/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a scan has found, and on which files it says something.
 */
#include "ops/models/scan_impl.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/vec.h"

void coras_scan_result_clear(coras_scan_result *result)
{
    if (!result)
        return;
    coras_vec_foreach (f, &result->findings) {
        free(f->file);
        free(f->detail);
    }
    coras_vec_foreach (n, &result->looked) {
        free(n->file);
        free(n->why);
    }
    coras_vec_foreach (n, &result->not_looked) {
        free(n->file);
        free(n->why);
    }
    free(result->findings.items);
    free(result->looked.items);
    free(result->not_looked.items);
    free(result->reference);
    *result = (coras_scan_result)CORAS_SCAN_RESULT_INIT;
}

int coras_scan_worst(const coras_scan_result *result)
{
    int worst = 0;
    coras_vec_foreach (f, &result->findings) {
        if ((int)f->severity > worst)
            worst = (int)f->severity;
    }
    return worst;
}

const char *coras_severity_name(int severity)
{
    static const char *const names[] = {"none", "low", "medium", "high"};
    bool known = severity >= CORAS_SEVERITY_LOW && severity <= CORAS_SEVERITY_HIGH;
    return names[known ? severity : 0];
}

/* ---- findings ---- */

CORAS_PRINTF(3, 0)
static int put_detail(coras_buf *out, const coras_scan_part *part, const char *fmt, va_list ap,
                      coras_error **err)
{
    if (part->is_member) {
        coras_escape(out, part->name, strlen(part->name), CORAS_LIMIT_COMPONENT);
        coras_buf_puts(out, ": ");
    }
    coras_buf_vprintf(out, fmt, ap);
    return coras_buf_done(out, err);
}

static int add_finding(coras_scan *s, const char *file, coras_scan_finding finding,
                       coras_error **err)
{
    if (coras_vec_grow(&s->result.findings, 1) < 0 || !(finding.file = coras_strdup(file)))
        return coras_fail_no_memory(err);
    finding.detail = coras_strdup(finding.detail);
    if (!finding.detail) {
        free(finding.file);
        return coras_fail_no_memory(err);
    }
    s->result.findings.items[s->result.findings.len++] = finding;
    return 0;
}

int coras_scan_find_at(coras_scan *s, const char *file, const char *kind,
                       enum coras_severity severity, const char *detail, coras_error **err)
{
    const coras_scan_finding finding = {
        .kind = kind, .severity = severity, .detail = (char *)(uintptr_t)detail};

    return add_finding(s, file, finding, err);
}

int coras_scan_find(coras_scan *s, const coras_scan_part *part, int64_t offset, const char *kind,
                    enum coras_severity severity, coras_error **err, const char *fmt, ...)
{
    coras_auto_buf detail = CORAS_BUF_INIT(CORAS_LIMIT_SCAN_DETAIL);
    coras_scan_finding finding = {.kind = kind, .severity = severity};
    va_list ap;

    if (s->result.findings.len > CORAS_LIMIT_SCAN_FINDINGS)
        return 0;
    va_start(ap, fmt);
    int rc = put_detail(&detail, part, fmt, ap, err);
    va_end(ap);
    CORAS_TRY(rc);
    finding.offset = part->at + (part->is_deflated ? 0 : offset);
    finding.detail = detail.ptr;
    if (s->result.findings.len == CORAS_LIMIT_SCAN_FINDINGS) {
        finding.severity = CORAS_SEVERITY_HIGH;
        finding.detail = (char *)(uintptr_t) "more findings than are listed";
    }
    return add_finding(s, s->model->files.items[part->file].path, finding, err);
}

/* ---- notes ---- */

/* Files come one after the other, so that one which was noted before was noted last. */
#define IS_NOTED(list, path)                                                                       \
    ((list)->len > 0 && coras_streq((list)->items[(list)->len - 1].file, (path)))

static int make_note(const char *file, const char *why, coras_scan_note *ret, coras_error **err)
{
    ret->file = coras_strdup(file);
    ret->why = why ? coras_strdup(why) : NULL;
    if (ret->file && (ret->why || !why))
        return 0;
    free(ret->file);
    free(ret->why);
    return coras_fail_no_memory(err);
}

int coras_scan_looked(coras_scan *s, const coras_scan_part *part, coras_error **err)
{
    const char *path = s->model->files.items[part->file].path;
    coras_scan_note note = {0};

    if (IS_NOTED(&s->result.looked, path))
        return 0;
    if (coras_vec_grow(&s->result.looked, 1) < 0)
        return coras_fail_no_memory(err);
    CORAS_TRY(make_note(path, NULL, &note, err));
    s->result.looked.items[s->result.looked.len++] = note;
    return 0;
}

int coras_scan_not_looked_at(coras_scan *s, const char *file, const char *why, coras_error **err)
{
    coras_scan_note note = {0};

    if (IS_NOTED(&s->result.not_looked, file))
        return 0;
    if (coras_vec_grow(&s->result.not_looked, 1) < 0)
        return coras_fail_no_memory(err);
    CORAS_TRY(make_note(file, why, &note, err));
    s->result.not_looked.items[s->result.not_looked.len++] = note;
    return 0;
}

int coras_scan_not_looked(coras_scan *s, const coras_scan_part *part, const char *why,
                          coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_SCAN_DETAIL);

    if (part->is_member) {
        coras_escape(&text, part->name, strlen(part->name), CORAS_LIMIT_COMPONENT);
        coras_buf_puts(&text, ": ");
    }
    coras_buf_puts(&text, why);
    CORAS_TRY(coras_buf_done(&text, err));
    return coras_scan_not_looked_at(s, s->model->files.items[part->file].path, text.ptr, err);
}

static bool is_of_content(int rc)
{
    return rc == CORAS_ERR_INVALID_MODEL || rc == CORAS_ERR_UNSAFE_ARCHIVE ||
           rc == CORAS_ERR_TOO_LARGE || rc == CORAS_ERR_INVALID_JSON;
}

int coras_scan_forgive(coras_scan *s, const coras_scan_part *part, int rc, coras_error **failure,
                       coras_error **err)
{
    if (rc >= 0)
        return 0;
    if (!is_of_content(rc)) {
        coras_error_propagate(err, failure);
        return rc;
    }
    rc = coras_scan_not_looked(s, part, coras_error_message(*failure), err);
    coras_error_clear(failure);
    return rc;
}
