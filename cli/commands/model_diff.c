/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model diff: what distinguishes two models.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/app/commands.h"
#include "cli/options/modelref.h"
#include "cli/output/metadata.h"
#include "coras/model_diff.h"

enum { SHOWN_BYTES = 255 }; /* of a stranger's text on one line */

struct diff_state {
    struct common_options common;
    struct model_options a, b; /* the options are those of `a` */
    struct format_options format;
    struct opt_bool deep;
};

static const struct opt diff_options[] = {
    {"deep", 0, OPT_BOOL, 0, OPT_AT(struct diff_state, deep), NULL,
     "compare the bytes of tensors whose type and shape are equal", NULL},
    OPT_END,
};
static const struct opt_use diff_groups[] = {
    {debug_options, offsetof(struct diff_state, common), NULL, NULL},
    MODEL_GROUPS(struct diff_state, a),
    {format_options, offsetof(struct diff_state, format), NULL, NULL},
    {diff_options, 0, NULL, NULL},
    {0},
};

static int diff_prepare(struct call *call, coras_error **err)
{
    struct diff_state *s = call->state;

    CORAS_TRY(format_check(&s->format, false, err));
    return model_parse_two(call, &s->a, &s->b, err);
}

/* ---- JSON ---- */

static void put_list(coras_json_writer *w, const char *key, char *const *list)
{
    coras_jw_key(w, key);
    coras_jw_array(w);
    for (; *list; list++)
        coras_jw_string(w, *list);
    coras_jw_end_array(w);
}

static void put_files(coras_json_writer *w, const coras_model_difference *d)
{
    coras_jw_key(w, "files");
    coras_jw_object(w);
    put_list(w, "added", d->files_added);
    put_list(w, "removed", d->files_removed);
    put_list(w, "changed", d->files_changed);
    coras_jw_end_object(w);
}

static void put_changed_tensor(coras_json_writer *w, const coras_changed_tensor *t)
{
    coras_jw_object(w);
    coras_jw_member(w, "name", t->name);
    coras_jw_key(w, "what");
    coras_jw_array(w);
    if (t->dtype)
        coras_jw_string(w, "dtype");
    if (t->shape)
        coras_jw_string(w, "shape");
    if (t->bytes)
        coras_jw_string(w, "bytes");
    coras_jw_end_array(w);
    coras_jw_end_object(w);
}

static void put_tensors(coras_json_writer *w, const coras_model_difference *d)
{
    coras_jw_key(w, "tensors");
    coras_jw_object(w);
    put_list(w, "added", d->tensors_added);
    put_list(w, "removed", d->tensors_removed);
    coras_jw_key(w, "changed");
    coras_jw_array(w);
    for (size_t i = 0; i < d->tensors_changed_len; i++)
        put_changed_tensor(w, &d->tensors_changed[i]);
    coras_jw_end_array(w);
    coras_jw_end_object(w);
}

static int put_value(coras_json_writer *w, const char *key, const char *text, coras_error **err)
{
    coras_auto(coras_json) value = NULL;

    coras_jw_key(w, key);
    if (text)
        CORAS_TRY(coras_json_parse(text, strlen(text), &value, err));
    coras_jw_value(w, value, false);
    return 0;
}

static int put_config(coras_json_writer *w, const coras_model_difference *d, coras_error **err)
{
    coras_jw_key(w, "config");
    coras_jw_array(w);
    for (size_t i = 0; i < d->config_len; i++) {
        coras_jw_object(w);
        coras_jw_member(w, "path", d->config[i].path);
        CORAS_TRY(put_value(w, "a", d->config[i].a, err));
        CORAS_TRY(put_value(w, "b", d->config[i].b, err));
        coras_jw_end_object(w);
    }
    coras_jw_end_array(w);
    return 0;
}

static int put_difference(coras_json_writer *w, const struct diff_state *s,
                          const coras_model_difference *d, coras_error **err)
{
    coras_jw_object(w);
    coras_jw_member(w, "a", s->a.raw);
    coras_jw_member(w, "b", s->b.raw);
    put_files(w, d);
    put_tensors(w, d);
    CORAS_TRY(put_config(w, d, err));
    coras_jw_end_object(w);
    return 0;
}

/* ---- text ---- */

static void put_lines(coras_buf *out, const char *sign, const char *what, char *const *list)
{
    for (; *list; list++) {
        coras_buf_printf(out, "%s %s ", sign, what);
        coras_escape(out, *list, strlen(*list), SHOWN_BYTES);
        coras_buf_putc(out, '\n');
    }
}

static void put_tensor_lines(coras_buf *out, const coras_model_difference *d)
{
    put_lines(out, "+", "tensor", d->tensors_added);
    put_lines(out, "-", "tensor", d->tensors_removed);
    for (size_t i = 0; i < d->tensors_changed_len; i++) {
        const coras_changed_tensor *t = &d->tensors_changed[i];
        coras_buf_puts(out, "~ tensor ");
        coras_escape(out, t->name, strlen(t->name), SHOWN_BYTES);
        coras_buf_printf(out, ":%s%s%s\n", t->dtype ? " dtype" : "", t->shape ? " shape" : "",
                         t->bytes ? " bytes" : "");
    }
}

static void put_side(coras_buf *out, const char *text)
{
    if (text)
        coras_escape(out, text, strlen(text), SHOWN_BYTES);
    else
        coras_buf_puts(out, "(absent)");
}

static void put_text(coras_buf *out, const coras_model_difference *d)
{
    put_lines(out, "+", "file", d->files_added);
    put_lines(out, "-", "file", d->files_removed);
    put_lines(out, "~", "file", d->files_changed);
    put_tensor_lines(out, d);
    for (size_t i = 0; i < d->config_len; i++) {
        coras_buf_puts(out, "~ config ");
        coras_escape(out, d->config[i].path, strlen(d->config[i].path), SHOWN_BYTES);
        coras_buf_puts(out, ": ");
        put_side(out, d->config[i].a);
        coras_buf_puts(out, " -> ");
        put_side(out, d->config[i].b);
        coras_buf_putc(out, '\n');
    }
    if (out->len == 0)
        coras_buf_puts(out, "No differences\n");
}

/* ---- the command ---- */

static int print_difference(const struct diff_state *s, const coras_model_difference *d,
                            coras_error **err)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;

    if (s->format.kind != FORMAT_TEXT) {
        coras_json_writer w = CORAS_JSON_WRITER(&out, METADATA_INDENT);
        CORAS_TRY(put_difference(&w, s, d, err));
        return metadata_print(&s->format, &out, err);
    }
    put_text(&out, d);
    CORAS_TRY(coras_buf_done(&out, err));
    fwrite(out.ptr, 1, out.len, stdout);
    return 0;
}

static int diff_run(struct call *call, coras_error **err)
{
    struct diff_state *s = call->state;
    coras_diff_options options = CORAS_DIFF_OPTIONS_INIT;
    coras_model_difference *difference = NULL;

    common_apply(&s->common);
    options.deep = s->deep.value;
    CORAS_TRY(model_open(call, &s->a, err));
    CORAS_TRY(model_open(call, &s->b, err));
    CORAS_TRY(coras_model_diff(s->a.model, s->b.model, &options, &difference, err));
    int rc = print_difference(s, difference, err);
    coras_model_difference_free(difference);
    return rc;
}

static void diff_clear(void *state)
{
    struct diff_state *s = state;

    model_clear(&s->a);
    model_clear(&s->b);
}

static const struct example diff_examples[] = {
    {"Show what distinguishes two versions of a model, by their headers",
     "model diff localhost:5000/tiny:v1 localhost:5000/tiny:v2"},
    {"Compare the bytes of the tensors too",
     "model diff --deep localhost:5000/tiny:v1 localhost:5000/tiny:v2"},
    {"Compare a local directory with what was pushed, as JSON",
     "model diff --format json ./tiny localhost:5000/tiny:v1"},
    {NULL, NULL},
};

const struct cmd cmd_model_diff = {
    .name = "diff",
    .use = "[flags] <name>{:<tag>|@<digest>}|<path> <name>{:<tag>|@<digest>}|<path>",
    .summary = "Show what distinguishes two models: files, tensors, configuration",
    .about =
        "Show what distinguishes two models: files, tensors, configuration\n\n"
        "Either is a package in a registry, one in an OCI image layout, or local files: a path "
        "that begins\nwith a dot or a slash.",
    .examples = diff_examples,
    .options = diff_groups,
    .state_size = sizeof(struct diff_state),
    .min_args = 2,
    .max_args = 2,
    .role = "the two models to compare",
    .prepare = diff_prepare,
    .run = diff_run,
    .clear = diff_clear,
};
