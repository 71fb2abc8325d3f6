/*
 * For builds without the template engine.
 */
#include "base/error.h"
#include "cli/output/render.h"

int render_template(const char *source, const coras_buf *result, coras_error **err)
{
    (void)source;
    (void)result;
    return coras_fail(err, CORAS_ERR_UNSUPPORTED, "this build has no Go templates");
}
