/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The doctor: whether the container runtimes of this node would use a mirror, and whether it
 * answers. Reads, asks, says; changes nothing.
 */
#ifndef SERVE_DOCTOR_DOCTOR_H
#define SERVE_DOCTOR_DOCTOR_H

#include "base/common.h"

/*
 * Run with the arguments behind "doctor": --root=DIR, --mirror=URL, --format=json. Prints its
 * report. *ret_good: every runtime uses a mirror that answers, or there is none. INVALID_ARGUMENT.
 */
CORAS_MUST_CHECK int serve_doctor_visit(char **argv, bool *ret_good, coras_error **err);

#endif
