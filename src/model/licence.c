/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identifiers of SPDX's licence list that models come under, in their own case (licence.h).
 */
#include "model/licence.h"

#include "base/common.h"
#include "base/str.h"

static const char *const identifiers[] = {
    "0BSD",
    "AFL-3.0",
    "AGPL-3.0",
    "AGPL-3.0-only",
    "AGPL-3.0-or-later",
    "Apache-1.1",
    "Apache-2.0",
    "Artistic-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSD-3-Clause-Clear",
    "BSD-4-Clause",
    "BSL-1.0",
    "C-UDA-1.0",
    "CC-BY-1.0",
    "CC-BY-2.0",
    "CC-BY-2.5",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC-BY-NC-1.0",
    "CC-BY-NC-2.0",
    "CC-BY-NC-2.5",
    "CC-BY-NC-3.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-ND-3.0",
    "CC-BY-NC-ND-4.0",
    "CC-BY-NC-SA-2.0",
    "CC-BY-NC-SA-3.0",
    "CC-BY-NC-SA-4.0",
    "CC-BY-ND-4.0",
    "CC-BY-SA-3.0",
    "CC-BY-SA-4.0",
    "CC0-1.0",
    "CDLA-Permissive-1.0",
    "CDLA-Permissive-2.0",
    "CDLA-Sharing-1.0",
    "ECL-2.0",
    "EPL-1.0",
    "EPL-2.0",
    "etalab-2.0",
    "EUPL-1.1",
    "EUPL-1.2",
    "GFDL-1.3",
    "GPL-2.0",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "GPL-3.0",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "ISC",
    "LGPL-2.1",
    "LGPL-2.1-only",
    "LGPL-2.1-or-later",
    "LGPL-3.0",
    "LGPL-3.0-only",
    "LGPL-3.0-or-later",
    "LPPL-1.3c",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "MS-PL",
    "NCSA",
    "ODbL-1.0",
    "ODC-By-1.0",
    "OFL-1.1",
    "OSL-3.0",
    "PDDL-1.0",
    "PostgreSQL",
    "Unlicense",
    "WTFPL",
    "Zlib",
};

static bool may_stand_in_reference(char c)
{
    return coras_is_alnum(c) || c == '.' || c == '-';
}

/* "LicenseRef-" and the name; a name that is such a reference already stays what it is. */
static void put_reference(coras_buf *out, const char *name)
{
    if (!coras_str_starts(name, "LicenseRef-"))
        coras_buf_puts(out, "LicenseRef-");
    for (const char *c = name; *c; c++)
        coras_buf_putc(out, may_stand_in_reference(*c) ? *c : '-');
}

static bool says_something(const char *name)
{
    for (; *name; name++)
        if (coras_is_alnum(*name))
            return true;
    return false;
}

void coras_licence_put(coras_buf *out, const char *name)
{
    for (size_t i = 0; i < CORAS_ARRAY_LEN(identifiers); i++) {
        if (coras_str_ieq(name, identifiers[i])) {
            coras_buf_puts(out, identifiers[i]);
            return;
        }
    }
    if (says_something(name))
        put_reference(out, name);
}
