/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every user of the library needs whatever else it uses.
 */
#include "coras/version.h"

#include <stdlib.h>

const char *coras_version(void)
{
    return CORAS_VERSION;
}

int coras_version_number(void)
{
    return CORAS_VERSION_NUMBER;
}

void coras_free(void *memory)
{
    free(memory);
}
