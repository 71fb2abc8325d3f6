/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a template may cost. Its author may be anybody, so every loop, depth and size ends at one of
 * these, with an error that says so.
 */
#ifndef GOTMPL_BOUNDS_H
#define GOTMPL_BOUNDS_H

#define GOTMPL_LIMIT_PARSE_BYTES    (64 * 1024 * 1024)  /* memory of a parsed template */
#define GOTMPL_LIMIT_RUN_BYTES      (256 * 1024 * 1024) /* memory of one run, the data included */
#define GOTMPL_LIMIT_STEPS          50000000 /* nodes and comparisons of one run: some seconds */
#define GOTMPL_LIMIT_DEPTH          2500     /* of evaluation: a template that calls itself */
#define GOTMPL_LIMIT_NESTING        500      /* of parentheses and control structures in the text */
#define GOTMPL_LIMIT_VALUE_DEPTH    1000    /* of containers that are printed, compared or copied */
#define GOTMPL_LIMIT_WIDTH          1000000 /* of a printed field, as in Go */
#define GOTMPL_LIMIT_ZONE_NAME      100     /* "America/Argentina/ComodRivadavia" has 32 */
#define GOTMPL_LIMIT_REGEX_BYTES    (64 * 1024) /* of an expression */
#define GOTMPL_LIMIT_REGEX_REPEAT   1000        /* of x{n}, as in Go */
#define GOTMPL_LIMIT_REGEX_NESTING  250    /* of groups: the library's stack while it compiles */
#define GOTMPL_LIMIT_REGEX_MATCH    500000 /* ways that are tried from one place of the text */
#define GOTMPL_LIMIT_REGEX_HEAP_KIB (20 * 1024) /* to remember them */
#define GOTMPL_LIMIT_REGEX_STEPS    1000        /* that one search counts for */

#endif
