/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output: what results and progress look like. Only this folder and the commands' last lines write
 * to stdout.
 *
 * log.h: log entries on stderr: requests and responses with --debug, warnings always.
 */
#ifndef CORAS_CLI_OUTPUT_LOG_H
#define CORAS_CLI_OUTPUT_LOG_H

#include "base/trace.h"

/* Show entries from now on; `debug` lets all levels through. */
void log_install(bool debug);

#endif
