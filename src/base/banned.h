/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Force-included everywhere: functions that have cost others dearly do not compile here.
 * (Not rand: OpenSSL names parameters so; without srand it is of no use to anybody.)
 */
#ifndef CORAS_BASE_BANNED_H
#define CORAS_BASE_BANNED_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* Macros of the C library, the second under clang with _FORTIFY_SOURCE. */
#undef alloca
#undef sprintf
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gmtime localtime ctime    \
    asctime
#pragma GCC poison atoi atol sscanf alloca srand mktemp gets
#endif
