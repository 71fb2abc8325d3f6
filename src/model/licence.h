/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Licences as model cards and headers name them, in SPDX's spelling.
 */
#ifndef CORAS_MODEL_LICENCE_H
#define CORAS_MODEL_LICENCE_H

#include "base/buf.h"

/*
 * Append one licence: "apache-2.0" becomes "Apache-2.0"; what is no identifier of SPDX's becomes
 * "LicenseRef-<name>", with "-" for what may not stand there. Nothing is appended for a name
 * without a letter or digit.
 */
void coras_licence_put(coras_buf *out, const char *name);

#endif
