/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzzer: one per function that parses outside bytes. With -Dfuzz=true (clang) it runs under
 * libFuzzer; otherwise standalone.c runs the files of tests/corpus/<name>/ and mutations of them as
 * an ordinary test. A corpus has three folders: accept and refuse hold what the parser must take or
 * refuse, crash what once broke it.
 */
#ifndef CORAS_TESTS_FUZZ_H
#define CORAS_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Parse one input and check what must hold of the result; true when it was accepted. The bytes are
 * followed by a NUL that `len` does not count; parsers of C strings refuse inputs with a NUL
 * inside.
 */
bool fuzz_one(const char *data, size_t len);

/* Stop with the fuzzer's name and line when a property of the parser does not hold. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* For parsers of C strings. */
static inline bool fuzz_is_text(const char *data, size_t len)
{
    return memchr(data, '\0', len) == NULL;
}

#endif
