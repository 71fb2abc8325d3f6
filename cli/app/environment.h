/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment variables that the library knows, read once for this run.
 */
#ifndef CORAS_CLI_APP_ENVIRONMENT_H
#define CORAS_CLI_APP_ENVIRONMENT_H

#include "base/common.h"
#include "coras/environment.h"

/* Read them. Before the first environment(); once is enough. */
CORAS_MUST_CHECK int environment_read(coras_error **err);
/* What was read; lives as long as the program. */
const coras_environment *environment(void);
/* Give the memory back. */
void environment_forget(void);

#endif
