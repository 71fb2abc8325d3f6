/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Platforms: parsing what the user asks for, matching it.
 */
#ifndef CORAS_OCI_PLATFORM_H
#define CORAS_OCI_PLATFORM_H

#include "coras/platform.h"
#include "oci/descriptor.h"

CORAS_DEFINE_AUTO_VALUE(coras_platform, coras_platform_clear)

CORAS_MUST_CHECK int coras_platform_copy(coras_platform *to, const coras_platform *from,
                                         coras_error **err);
CORAS_MUST_CHECK int coras_platform_from_json(const coras_json *v, const char *what,
                                              coras_platform *ret, coras_error **err);
void coras_platform_write(coras_json_writer *w, const coras_platform *p); /* index entry order */
/* os and architecture equal; variant and os.version only when `want` has them. */
bool coras_platform_matches(const coras_platform *have, const coras_platform *want);
/* os/arch[/variant][:os_version] */
void coras_platform_put(coras_buf *b, const coras_platform *p);

#endif
