/*
 * Go templates (`--format go-template=…`): Go's text/template with the sprig functions, over one
 * JSON document. Numbers of the document are float64, objects print sorted by key, a missing
 * member prints as <no value>; messages are the ones Go's engine gives.
 */
#ifndef CORAS_GOTEMPLATE_TEMPLATE_H
#define CORAS_GOTEMPLATE_TEMPLATE_H

#include "base/buf.h"
#include "codec/json.h"

typedef struct coras_template coras_template;

/* `name` appears in messages ("format output"); name and text are copied. */
CORAS_MUST_CHECK int coras_template_parse(const char *name, const char *text, coras_template **ret,
                                          coras_error **err);
/* Append the rendering of `data` to `out`. After a run-time error `out` keeps what was written
 * before it; it also fails when `out` reaches its limit. Values from `data` that get into a
 * message are escaped. */
CORAS_MUST_CHECK int coras_template_execute(const coras_template *t, const coras_json *data,
                                            coras_buf *out, coras_error **err);
void coras_template_free(coras_template *t);
CORAS_DEFINE_AUTO(coras_template, coras_template_free)

#endif
