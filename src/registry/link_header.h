/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Link header (RFC 8288) as lists of registries use it. Bytes in, values out.
 */
#ifndef CORAS_REGISTRY_LINK_HEADER_H
#define CORAS_REGISTRY_LINK_HEADER_H

#include "base/str.h"

/*
 * The target of the first link with relation "next" in one header value; a link without any
 * relation counts as one (some registries leave it out). A view into `header`; false: none.
 */
bool coras_link_next(const char *header, coras_str *ret);

#endif
