/*
 * What the tests of the net layer share.
 */
#ifndef TEST_NET_H
#define TEST_NET_H

#include "support.h"
#include "base/buf.h"
#include "base/str.h"

/* Name the row of a table, for the reader of a failure. */
#define IN_ROW(name) print_message("    row: %s\n", (name))

#endif
