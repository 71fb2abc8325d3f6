/* SPDX-License-Identifier: Apache-2.0 */
/* Templates, read only: what is refused is refused in Go's form, with the place. */
#include "fuzz.h"

#include "gotemplate/gotemplate.h"

bool fuzz_one(const char *data, size_t len)
{
    coras_auto(gotmpl_template) template = NULL;
    coras_auto(coras_error) err = NULL;
    int rc;

    if (!fuzz_is_text(data, len))
        return false;
    rc = gotmpl_template_parse("fuzz", data, &template, &err);
    FUZZ_CHECK((rc == 0) == (template != NULL) && (rc == 0) == (err == NULL));
    FUZZ_CHECK(rc == 0 || strncmp(coras_error_message(err), "template: fuzz:", 15) == 0);
    return rc == 0;
}
