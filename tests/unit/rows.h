/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests that go through a table of rows.
 */
#ifndef CORAS_TESTS_UNIT_ROWS_H
#define CORAS_TESTS_UNIT_ROWS_H

#include "support.h"
#include "base/buf.h"
#include "base/str.h"

/* Name the row of a table, for the reader of a failure. */
#define IN_ROW(name) print_message("    row: %s\n", (name))

#endif
