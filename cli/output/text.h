/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sizes and durations in words, as upstream prints them.
 */
#ifndef CORAS_CLI_OUTPUT_TEXT_H
#define CORAS_CLI_OUTPUT_TEXT_H

#include "base/buf.h"
#include "coras/digest.h"

/* A size in the unit that suits it: 1024-based, at most three significant digits. */
struct human_size {
    double number;
    const char *unit; /* "B", "KB", … */
    double divisor;   /* bytes per unit */
};
struct human_size human_size_of(double bytes);
/* "11  B", "22.5 KB". */
void put_size(coras_buf *out, int64_t bytes);
/* The first 12 hex digits of a sha256 digest, the whole text of another, into CORAS_DIGEST_TEXT_MAX
 * bytes; returns `text`. */
char *short_digest(const coras_digest *d, char *text);
/* Go's notation, rounded to seconds above one second, milliseconds above one, else microseconds:
 * "1m5s", "16ms", "592µs", "0s". */
void put_duration(coras_buf *out, int64_t nanoseconds);

#endif
