/*
 * Force-included everywhere: functions that have cost others dearly do not compile here.
 */
#ifndef CORAS_BASE_BANNED_H
#define CORAS_BASE_BANNED_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gmtime localtime ctime    \
    asctime
#pragma GCC poison atoi atol sscanf alloca rand srand mktemp gets
#endif
