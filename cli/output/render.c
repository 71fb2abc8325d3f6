/* SPDX-License-Identifier: Apache-2.0 */
/* Results through a Go template. */
#include "cli/output/render.h"

#include <stdio.h>

#include "base/error.h"
#include "codec/json.h"
#include "gotemplate/gotemplate.h"

int render_template(const char *source, const coras_buf *result, coras_error **err)
{
    coras_auto(coras_json) data = NULL;
    coras_auto(gotmpl_template) template = NULL;
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    CORAS_TRY(coras_json_parse_any(result->ptr, result->len, &data, err));
    int rc = gotmpl_template_parse("format output", source, &template, err);
    if (rc == 0)
        rc = gotmpl_template_execute(template, data, &out, err);
    fwrite(out.ptr, 1, out.len, stdout); /* what was made before a failure is shown */
    if (rc == CORAS_ERR_UNSUPPORTED)
        coras_hint(err, "use --format json and compute the rest with another program");
    return rc;
}
