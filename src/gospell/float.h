/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gospell: how Go words and spells things, for output that must be the same as that of a program
 * written in Go. Spelling only: nothing here knows what is spelt. May use base.
 *
 * float.h: floating point numbers.
 */
#ifndef CORAS_GOSPELL_FLOAT_H
#define CORAS_GOSPELL_FLOAT_H

#include "base/buf.h"

/*
 * Shortest decimal that reads back as the same double. coras_go_float prints it as Go's %v does
 * (exponent when < -4 or >= 6: 1e+06), coras_go_float_json as encoding/json does (exponent when
 * < -6 or >= 21, and no zero in front of it).
 */
void coras_go_float(coras_buf *out, double n);
void coras_go_float_json(coras_buf *out, double n);

#endif
