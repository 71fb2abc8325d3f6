/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options by which a command takes a part of an artifact, or only says what it would do.
 */
#ifndef CORAS_CLI_OPTIONS_SELECTION_H
#define CORAS_CLI_OPTIONS_SELECTION_H

#include "cli/options/options.h"
#include "coras/select.h"

struct selection_options {
    struct opt_list include;
    struct opt_list exclude;
    struct opt_list media_type;
};
extern const struct opt selection_options[]; /* --include, --exclude, --media-type */
extern const struct opt dry_run_options[];   /* --dry-run: one struct opt_bool */

/* Its lists are borrowed from the options. */
coras_selection selection_of(const struct selection_options *options);

#endif
