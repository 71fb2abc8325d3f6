#include "cli/output/render.h"

#include <stdio.h>

#include "codec/json.h"
#include "gotemplate/template.h"

int render_template(const char *source, const coras_buf *result, coras_error **err)
{
    coras_auto(coras_json) data = NULL;
    coras_auto(coras_template) template = NULL;
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    CORAS_TRY(coras_json_parse_any(result->ptr, result->len, &data, err));
    CORAS_TRY(coras_template_parse("format output", source, &template, err));
    int rc = coras_template_execute(template, data, &out, err);
    fwrite(out.ptr, 1, out.len, stdout); /* what was made before a failure is shown */
    return rc;
}
