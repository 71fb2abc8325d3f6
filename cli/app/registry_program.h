/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program of the registry, which `coras serve` and its subcommands start in their own place.
 */
#ifndef CLI_APP_REGISTRY_PROGRAM_H
#define CLI_APP_REGISTRY_PROGRAM_H

#include "cli/app/command.h"

/*
 * Start it with the command's options, each under its long name; `mode` goes before them as a word
 * of its own, NULL for none. Does not return on success: the program takes this one's place.
 */
int registry_program_run(struct call *call, const char *mode, coras_error **err);

#endif
