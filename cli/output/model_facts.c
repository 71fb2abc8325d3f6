/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts of a model on their way to stdout. An absent fact is null in JSON and no line in text.
 */
#include "cli/output/model_facts.h"

#include <stdio.h>

#include "base/str.h"
#include "cli/output/text.h"

enum { SHOWN_BYTES = 255 }; /* of a stranger's text on one line */

/* ---- JSON ---- */

static void put_text_or_null(coras_json_writer *w, const char *key, const char *text)
{
    coras_jw_key(w, key);
    if (text)
        coras_jw_string(w, text);
    else
        coras_jw_null(w);
}

static void put_number_or_null(coras_json_writer *w, const char *key, int64_t n)
{
    coras_jw_key(w, key);
    if (n >= 0)
        coras_jw_int(w, n);
    else
        coras_jw_null(w);
}

static void put_digest_or_null(coras_json_writer *w, bool has, const coras_digest *digest)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    put_text_or_null(w, "digest", has ? coras_digest_format(digest, text) : NULL);
}

static void put_list(coras_json_writer *w, const char *key, char *const *list)
{
    coras_jw_key(w, key);
    coras_jw_array(w);
    for (; list && *list; list++)
        coras_jw_string(w, *list);
    coras_jw_end_array(w);
}

static void put_dtypes(coras_json_writer *w, const coras_model_facts *facts)
{
    coras_jw_key(w, "dtypes");
    coras_jw_object(w);
    for (size_t i = 0; i < facts->dtype_count; i++)
        coras_jw_member_int(w, facts->dtypes[i].name, facts->dtypes[i].elements);
    coras_jw_end_object(w);
}

static void put_files(coras_json_writer *w, const coras_model_facts *facts)
{
    coras_jw_key(w, "files");
    coras_jw_array(w);
    for (size_t i = 0; i < facts->file_count; i++) {
        const coras_fact_file *f = &facts->files[i];
        coras_jw_object(w);
        coras_jw_member(w, "path", f->path);
        put_digest_or_null(w, f->has_digest, &f->digest);
        coras_jw_member_int(w, "size", f->size);
        put_text_or_null(w, "mediaType", f->media_type);
        coras_jw_end_object(w);
    }
    coras_jw_end_array(w);
}

static void put_shards(coras_json_writer *w, const coras_model_facts *facts)
{
    coras_jw_key(w, "shards");
    coras_jw_object(w);
    put_number_or_null(w, "expected", facts->shards_expected ? facts->shards_expected : -1);
    coras_jw_member_int(w, "present", facts->shards_present);
    put_list(w, "missing", facts->shards_missing);
    coras_jw_end_object(w);
}

static void put_tensor(coras_json_writer *w, const coras_model_facts *facts,
                       const coras_fact_tensor *t)
{
    coras_jw_object(w);
    coras_jw_key(w, "name");
    coras_jw_stringn(w, t->name, t->name_len);
    coras_jw_member(w, "dtype", t->dtype);
    coras_jw_key(w, "shape");
    coras_jw_array(w);
    for (size_t i = 0; i < t->rank; i++)
        coras_jw_int(w, t->shape[i]);
    coras_jw_end_array(w);
    coras_jw_member(w, "file", facts->files[t->file].path);
    coras_jw_member_int(w, "offset", t->offset);
    coras_jw_member_int(w, "bytes", t->bytes);
    coras_jw_end_object(w);
}

static void put_tensors(coras_json_writer *w, const coras_model_facts *facts)
{
    coras_jw_key(w, "tensors");
    if (!facts->has_tensors) {
        coras_jw_null(w);
        return;
    }
    coras_jw_array(w);
    for (size_t i = 0; i < facts->tensors_len; i++)
        put_tensor(w, facts, &facts->tensors[i]);
    coras_jw_end_array(w);
}

void put_model_facts(coras_json_writer *w, const char *reference, const coras_model_facts *facts)
{
    coras_jw_object(w);
    coras_jw_member(w, "reference", reference);
    put_digest_or_null(w, facts->has_digest, &facts->digest);
    coras_jw_member(w, "package", facts->package);
    coras_jw_member(w, "format", facts->format);
    put_text_or_null(w, "architecture", facts->architecture);
    put_number_or_null(w, "parameters", facts->parameters);
    put_number_or_null(w, "tensorCount", facts->tensor_count);
    put_dtypes(w, facts);
    put_text_or_null(w, "quantization", facts->quantization);
    put_number_or_null(w, "contextLength", facts->context_length);
    put_files(w, facts);
    put_shards(w, facts);
    coras_jw_member_int(w, "totalSize", facts->total_size);
    coras_jw_key(w, "verified");
    coras_jw_bool(w, facts->verified);
    put_list(w, "warnings", facts->warnings);
    put_tensors(w, facts);
    coras_jw_end_object(w);
}

/* ---- text ---- */

static void put_line(coras_buf *out, const char *label, const char *text)
{
    if (!text)
        return;
    coras_buf_printf(out, "%-14s ", label);
    coras_escape(out, text, strlen(text), SHOWN_BYTES);
    coras_buf_putc(out, '\n');
}

static void put_number_line(coras_buf *out, const char *label, int64_t n)
{
    if (n >= 0)
        coras_buf_printf(out, "%-14s %lld\n", label, (long long)n);
}

/* "8030261248 (BF16 8030261248)" */
static void put_parameters(coras_buf *out, const coras_model_facts *facts)
{
    if (facts->parameters < 0)
        return;
    coras_buf_printf(out, "%-14s %lld in %lld tensors\n",
                     "Parameters:", (long long)facts->parameters, (long long)facts->tensor_count);
    for (size_t i = 0; i < facts->dtype_count; i++) {
        coras_buf_printf(out, "%-14s ", i ? "" : "Types:");
        coras_escape(out, facts->dtypes[i].name, strlen(facts->dtypes[i].name), SHOWN_BYTES);
        coras_buf_printf(out, " %lld\n", (long long)facts->dtypes[i].elements);
    }
}

static void put_shard_lines(coras_buf *out, const coras_model_facts *facts)
{
    if (!facts->shards_expected)
        return;
    coras_buf_printf(out, "%-14s %lld of %lld\n", "Shards:", (long long)facts->shards_present,
                     (long long)facts->shards_expected);
    for (char *const *s = facts->shards_missing; *s; s++)
        put_line(out, "  missing:", *s);
}

static void put_size_line(coras_buf *out, const coras_model_facts *facts)
{
    coras_buf_printf(out, "%-14s ", "Size:");
    put_size(out, facts->total_size);
    coras_buf_printf(out, " in %zu files\n", facts->file_count);
}

static void put_file_lines(coras_buf *out, const coras_model_facts *facts)
{
    coras_buf_puts(out, "Files:\n");
    for (size_t i = 0; i < facts->file_count; i++) {
        coras_auto_buf size = CORAS_BUF_UNLIMITED;
        put_size(&size, facts->files[i].size);
        coras_buf_printf(out, "  %9s  ", size.ptr);
        coras_escape(out, facts->files[i].path, strlen(facts->files[i].path), SHOWN_BYTES);
        coras_buf_putc(out, '\n');
    }
}

static void put_tensor_line(coras_buf *out, const coras_model_facts *facts,
                            const coras_fact_tensor *t)
{
    const char *path = facts->files[t->file].path;

    coras_buf_puts(out, "  ");
    coras_escape(out, t->name, t->name_len, SHOWN_BYTES);
    coras_buf_putc(out, ' ');
    coras_escape(out, t->dtype, strlen(t->dtype), SHOWN_BYTES);
    coras_buf_puts(out, " [");
    for (size_t i = 0; i < t->rank; i++)
        coras_buf_printf(out, "%s%lld", i ? ", " : "", (long long)t->shape[i]);
    coras_buf_puts(out, "] ");
    coras_escape(out, path, strlen(path), SHOWN_BYTES);
    coras_buf_printf(out, " at %lld, %lld bytes\n", (long long)t->offset, (long long)t->bytes);
}

void put_model_summary(coras_buf *out, const char *reference, const coras_model_facts *facts)
{
    char digest[CORAS_DIGEST_TEXT_MAX];

    put_line(out, "Reference:", reference);
    if (facts->has_digest)
        put_line(out, "Digest:", coras_digest_format(&facts->digest, digest));
    put_line(out, "Package:", facts->package);
    put_line(out, "Format:", facts->format);
    put_line(out, "Architecture:", facts->architecture);
    put_parameters(out, facts);
    put_line(out, "Quantization:", facts->quantization);
    put_number_line(out, "Context:", facts->context_length);
    put_line(out, "Chat template:", facts->has_chat_template ? "yes" : NULL);
    put_line(out, "Licence:", facts->license);
    put_shard_lines(out, facts);
    put_size_line(out, facts);
    put_line(out, "Verified:", facts->verified ? "yes" : "no, headers were read in part");
    put_file_lines(out, facts);
    if (facts->has_tensors)
        coras_buf_puts(out, "Tensors:\n");
    for (size_t i = 0; i < facts->tensors_len; i++)
        put_tensor_line(out, facts, &facts->tensors[i]);
}
