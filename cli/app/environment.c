/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment, read once and kept for the run.
 */
#include "cli/app/environment.h"

static coras_environment *known;

int environment_read(coras_error **err)
{
    return known ? 0 : coras_environment_load(&known, err);
}

const coras_environment *environment(void)
{
    return known;
}

void environment_forget(void)
{
    coras_environment_free(known);
    known = NULL;
}
