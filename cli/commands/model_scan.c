/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model scan: what in a model runs code, or may.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/app/commands.h"
#include "cli/app/run_options.h"
#include "cli/options/modelref.h"
#include "cli/output/metadata.h"
#include "coras/model_scan.h"

enum { EXIT_FOUND = 2 };

struct model_scan_state {
    struct common_options common;
    struct model_options model;
    struct format_options format;
    struct opt_string fail_on;
    /* after prepare */
    int fail_level; /* a severity; 0: none */
};

static const struct opt model_scan_options[] = {
    {"fail-on", 0, OPT_STRING, 0, OPT_AT(struct model_scan_state, fail_on), NULL,
     "exit with code 2 when something of this severity or worse is found (low, medium or high)",
     NULL},
    OPT_END,
};
static const struct opt_use model_scan_groups[] = {
    {debug_options, offsetof(struct model_scan_state, common), NULL, NULL},
    MODEL_GROUPS(struct model_scan_state, model),
    {format_options, offsetof(struct model_scan_state, format), NULL, NULL},
    {model_scan_options, 0, NULL, NULL},
    {0},
};

static int parse_level(struct model_scan_state *s, coras_error **err)
{
    if (!s->fail_on.set)
        return 0;
    for (int level = CORAS_SEVERITY_LOW; level <= CORAS_SEVERITY_HIGH; level++)
        if (coras_streq(s->fail_on.value, coras_severity_name(level)))
            s->fail_level = level;
    if (s->fail_level)
        return 0;
    coras_auto_free char *shown = coras_escape_dup(s->fail_on.value);
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                      "--fail-on takes low, medium or high, not \"%s\"", shown ? shown : "");
}

static int model_scan_prepare(struct call *call, coras_error **err)
{
    struct model_scan_state *s = call->state;

    CORAS_TRY(parse_level(s, err));
    CORAS_TRY(format_check(&s->format, false, err));
    return model_parse(call, &s->model, call->args[0], err);
}

/* Not by model_open(): what cannot be opened because of its names is a finding here. */
static int scan(struct call *call, coras_scan_result *ret, coras_error **err)
{
    struct model_scan_state *s = call->state;
    struct target_options *t = &s->model.target;
    coras_run_options run = run_options(call, NULL, NULL);

    run.on_event = NULL;
    if (s->model.is_local)
        return coras_model_scan_at(NULL, call->args[0], NULL, &run, ret, err);
    CORAS_TRY(target_open(call, t, CORAS_LAYOUT_READ, NULL, err));
    CORAS_TRY(target_require_reference(call, t, err));
    return coras_model_scan_at(t->target, t->reference, platform_wanted(&s->model.platform), &run,
                               ret, err);
}

/* ---- output ---- */

static void put_finding(coras_json_writer *w, const coras_scan_finding *f)
{
    coras_jw_object(w);
    coras_jw_member(w, "file", f->file);
    coras_jw_member_int(w, "offset", f->offset);
    coras_jw_member(w, "kind", f->kind);
    coras_jw_member(w, "severity", coras_severity_name((int)f->severity));
    coras_jw_member(w, "detail", f->detail);
    coras_jw_end_object(w);
}

static void put_files(coras_json_writer *w, const char *key, const coras_scan_note *items,
                      size_t len)
{
    coras_jw_key(w, key);
    coras_jw_array(w);
    for (size_t i = 0; i < len; i++)
        coras_jw_string(w, items[i].file);
    coras_jw_end_array(w);
}

static void put_result(coras_json_writer *w, const char *reference, const coras_scan_result *r)
{
    char digest[CORAS_DIGEST_TEXT_MAX];

    coras_jw_object(w);
    coras_jw_member(w, "reference", reference);
    coras_jw_key(w, "digest");
    if (r->has_digest)
        coras_jw_string(w, coras_digest_format(&r->digest, digest));
    else
        coras_jw_null(w);
    coras_jw_key(w, "findings");
    coras_jw_array(w);
    for (size_t i = 0; i < r->findings.len; i++)
        put_finding(w, &r->findings.items[i]);
    coras_jw_end_array(w);
    put_files(w, "looked", r->looked.items, r->looked.len);
    put_files(w, "notLooked", r->not_looked.items, r->not_looked.len);
    coras_jw_end_object(w);
}

static void put_notes(coras_buf *out, const char *what, const coras_scan_note *items, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        coras_buf_printf(out, "%s ", what);
        coras_escape(out, items[i].file, strlen(items[i].file), SIZE_MAX);
        coras_buf_printf(out, "%s%s\n", items[i].why ? ": " : "", items[i].why ? items[i].why : "");
    }
}

static void put_text(coras_buf *out, const coras_scan_result *r)
{
    for (size_t i = 0; i < r->findings.len; i++) {
        const coras_scan_finding *f = &r->findings.items[i];
        coras_buf_printf(out, "%-6s ", coras_severity_name((int)f->severity));
        coras_escape(out, f->file, strlen(f->file), SIZE_MAX);
        if (f->offset > 0)
            coras_buf_printf(out, " (byte %lld)", (long long)f->offset);
        coras_buf_printf(out, ": %s\n", f->detail);
    }
    put_notes(out, "looked at", r->looked.items, r->looked.len);
    put_notes(out, "not looked at to its end:", r->not_looked.items, r->not_looked.len);
    coras_buf_printf(out, "%zu findings. That nothing is found proves nothing.\n", r->findings.len);
}

static int print_result(const struct call *call, const coras_scan_result *r, coras_error **err)
{
    const struct model_scan_state *s = call->state;
    coras_auto_buf out = CORAS_BUF_UNLIMITED;

    if (s->format.kind != FORMAT_TEXT) {
        coras_json_writer w = CORAS_JSON_WRITER(&out, METADATA_INDENT);
        put_result(&w, call->args[0], r);
        return metadata_print(&s->format, &out, err);
    }
    put_text(&out, r);
    CORAS_TRY(coras_buf_done(&out, err));
    fwrite(out.ptr, 1, out.len, stdout);
    return 0;
}

static int model_scan_run(struct call *call, coras_error **err)
{
    const struct model_scan_state *s = call->state;
    coras_scan_result result = CORAS_SCAN_RESULT_INIT;

    common_apply(&s->common);
    CORAS_TRY(scan(call, &result, err));
    int rc = print_result(call, &result, err);
    if (s->fail_level && coras_scan_worst(&result) >= s->fail_level)
        call->exit_code = EXIT_FOUND;
    coras_scan_result_clear(&result);
    return rc;
}

static void model_scan_clear(void *state)
{
    struct model_scan_state *s = state;
    model_clear(&s->model);
}

static const struct example model_scan_examples[] = {
    {"Look for what runs code in a model, by reading little of it",
     "model scan localhost:5000/hello:v1"},
    {"Fail a pipeline when something of medium severity or worse is found",
     "model scan --fail-on medium localhost:5000/hello:v1"},
    {"Look at local files before they are pushed", "model scan ./model"},
    {"Print what was found, what was looked at and what was not, as JSON",
     "model scan --format json localhost:5000/hello:v1"},
    {NULL, NULL},
};

const struct cmd cmd_model_scan = {
    .name = "scan",
    .use = "[flags] <name>{:<tag>|@<digest>} | <path>",
    .summary = "Look for what runs code in a model",
    .about = "Look for what runs code in a model: imports in pickles, source files, executables, "
             "chat templates that reach out, names and links that leave it. Nothing is loaded. "
             "That nothing was found does not make a model harmless.",
    .examples = model_scan_examples,
    .options = model_scan_groups,
    .state_size = sizeof(struct model_scan_state),
    .min_args = 1,
    .max_args = 1,
    .role = "the model to look at",
    .prepare = model_scan_prepare,
    .run = model_scan_run,
    .clear = model_scan_clear,
};
