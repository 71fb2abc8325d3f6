/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gotemplate: the template language of Go's text/template, over JSON. A JSON value goes in, text
 * comes out:
 *
 *     coras_auto(gotmpl_template) t = NULL;
 *     CORAS_TRY(gotmpl_template_parse("format output", "{{.digest}}\n", &t, err));
 *     CORAS_TRY(gotmpl_template_execute(t, data, &out, err));
 *
 * It has the language itself and the part of the sprig functions that format strings use: text,
 * lists, dictionaries, numbers, defaults, dates, encodings, checksums, versions, paths and regular
 * expressions. Numbers of the document are float64, objects print sorted by key, a missing member
 * prints as <no value>, and messages are those of Go's engine. What sprig has beyond that (keys,
 * passwords, encryption, random values, the environment, the network, URLs) is left out.
 *
 * A library of its own: it knows nothing of registries, and `cli/output/render.c` alone calls it. A
 * template may be anybody's, so what it costs is bounded (bounds.h). Parsing and running are
 * independent of other threads, except that a template which names a time zone sets TZ for a moment
 * (zone.c).
 */
#ifndef GOTMPL_GOTEMPLATE_H
#define GOTMPL_GOTEMPLATE_H

#include "base/buf.h"
#include "codec/json.h"

typedef struct gotmpl_template gotmpl_template;

/*
 * Read a template. `name` appears in messages; name and text are copied. Fails with
 * CORAS_ERR_INVALID_ARGUMENT for mistakes, with CORAS_ERR_UNSUPPORTED for a function that Go's
 * program has and this library leaves out.
 */
CORAS_MUST_CHECK int gotmpl_template_parse(const char *name, const char *text,
                                           gotmpl_template **ret, coras_error **err);
/*
 * Append the rendering of `data` (NULL: null) to `out`. After a run-time error `out` keeps what was
 * written before it. Fails with CORAS_ERR_TOO_LARGE when `out` reaches its own limit, or the
 * template one of the bounds on memory and work; with CORAS_ERR_UNSUPPORTED when a regular
 * expression is used and PCRE2 is not installed. Values from `data` that get into a message are
 * escaped.
 */
CORAS_MUST_CHECK int gotmpl_template_execute(const gotmpl_template *t, const coras_json *data,
                                             coras_buf *out, coras_error **err);
/* Let a run take other amounts of memory and steps than GOTMPL_LIMIT_RUN_BYTES and
 * GOTMPL_LIMIT_STEPS; a step is a node that is walked, or work like it. */
void gotmpl_template_limit(gotmpl_template *t, size_t bytes, uint64_t steps);
void gotmpl_template_free(gotmpl_template *t);
CORAS_DEFINE_AUTO(gotmpl_template, gotmpl_template_free)

#endif
