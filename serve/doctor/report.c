/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor's findings as text and as JSON. */
#include "serve/doctor/report.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "base/vec.h"
#include "codec/json.h"

static void finding_clear(struct serve_finding *f)
{
    free(f->runtime);
    free(f->registry);
    free(f->mirror);
    free(f->where);
    free(f->message);
    free(f->write_to);
    free(f->lines);
}

void serve_report_clear(serve_report *r)
{
    coras_vec_foreach (f, &r->findings)
        finding_clear(f);
    free(r->findings.items);
    *r = (serve_report){{0}};
}

static bool copy(const char *from, char **to)
{
    *to = from ? coras_strdup(from) : NULL;
    return !from || *to;
}

int serve_report_add(serve_report *r, const struct serve_found *found, coras_error **err)
{
    struct serve_finding f = {.verdict = found->verdict};
    bool ok = coras_vec_grow(&r->findings, 1) == 0 && copy(found->runtime, &f.runtime) &&
              copy(found->registry, &f.registry) && copy(found->mirror, &f.mirror) &&
              copy(found->where, &f.where) && copy(found->message, &f.message) &&
              copy(found->write_to, &f.write_to) && copy(found->lines, &f.lines);

    if (!ok) {
        finding_clear(&f);
        return coras_fail_no_memory(err);
    }
    r->findings.items[r->findings.len++] = f;
    return 0;
}

bool serve_report_is_empty(const serve_report *r)
{
    coras_vec_foreach (f, &r->findings) {
        if (f->verdict != SERVE_FOUND_NOTE)
            return false;
    }
    return true;
}

bool serve_report_is_good(const serve_report *r)
{
    coras_vec_foreach (f, &r->findings) {
        if (f->verdict != SERVE_FOUND_USES && f->verdict != SERVE_FOUND_NOTE)
            return false;
    }
    return true;
}

/* ---- text ---- */

static void put(coras_buf *out, const char *before, const char *text)
{
    coras_buf_puts(out, before);
    if (text)
        coras_escape(out, text, strlen(text), strlen(text));
}

static void put_lines(coras_buf *out, const struct serve_finding *f)
{
    const char *at = f->lines;

    put(out, "    write to ", f->write_to);
    coras_buf_puts(out, ":\n");
    while (*at) {
        size_t len = strcspn(at, "\n");
        coras_buf_puts(out, len ? "        " : "");
        coras_escape(out, at, len, len);
        coras_buf_putc(out, '\n');
        at += len + (at[len] == '\n');
    }
}

static const char *word_of(enum serve_verdict_of verdict)
{
    static const char *const words[] = {
        [SERVE_FOUND_USES] = "uses ",       [SERVE_FOUND_SILENT] = "uses ",
        [SERVE_FOUND_OTHER] = "bypassed: ", [SERVE_FOUND_BYPASSED] = "bypassed: ",
        [SERVE_FOUND_BROKEN] = "broken: ",  [SERVE_FOUND_NOTE] = "note: ",
    };

    return words[verdict];
}

static void put_finding(coras_buf *out, const struct serve_finding *f)
{
    bool uses = f->verdict == SERVE_FOUND_USES || f->verdict == SERVE_FOUND_SILENT;

    put(out, "", f->runtime);
    if (f->registry)
        put(out, " ", f->registry);
    put(out, ": ", word_of(f->verdict));
    if (uses)
        put(out, "", f->mirror);
    put(out, uses ? ", " : "", f->message);
    if (f->where && !coras_str_starts(f->message, f->where)) {
        put(out, " (", f->where);
        coras_buf_putc(out, ')');
    }
    coras_buf_putc(out, '\n');
    if (f->lines)
        put_lines(out, f);
}

void serve_report_put_text(const serve_report *r, coras_buf *out)
{
    coras_vec_foreach (f, &r->findings)
        put_finding(out, f);
    if (serve_report_is_empty(r))
        coras_buf_puts(out, "no container runtime is configured on this node\n");
}

/* ---- JSON ---- */

static const char *name_of(enum serve_verdict_of verdict)
{
    static const char *const names[] = {
        [SERVE_FOUND_USES] = "uses",     [SERVE_FOUND_SILENT] = "silent",
        [SERVE_FOUND_OTHER] = "other",   [SERVE_FOUND_BYPASSED] = "bypassed",
        [SERVE_FOUND_BROKEN] = "broken", [SERVE_FOUND_NOTE] = "note",
    };

    return names[verdict];
}

static void put_object(coras_json_writer *w, const struct serve_finding *f)
{
    coras_jw_object(w);
    coras_jw_member(w, "runtime", f->runtime);
    coras_jw_member_opt(w, "registry", f->registry);
    coras_jw_member(w, "verdict", name_of(f->verdict));
    coras_jw_member_opt(w, "mirror", f->mirror);
    coras_jw_member(w, "message", f->message);
    coras_jw_member_opt(w, "where", f->where);
    if (f->lines) {
        coras_jw_key(w, "write");
        coras_jw_object(w);
        coras_jw_member(w, "file", f->write_to);
        coras_jw_member(w, "lines", f->lines);
        coras_jw_end_object(w);
    }
    coras_jw_end_object(w);
}

void serve_report_put_json(const serve_report *r, coras_buf *out)
{
    coras_json_writer w = CORAS_JSON_WRITER(out, 2);

    coras_jw_object(&w);
    coras_jw_key(&w, "good");
    coras_jw_bool(&w, serve_report_is_good(r));
    coras_jw_key(&w, "findings");
    coras_jw_array(&w);
    coras_vec_foreach (f, &r->findings)
        put_object(&w, f);
    coras_jw_end_array(&w);
    coras_jw_end_object(&w);
    coras_buf_putc(out, '\n');
}
