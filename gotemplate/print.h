/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's fmt: Sprint, Sprintln and Sprintf over template values, with its texts for wrong verbs.
 */
#ifndef GOTMPL_PRINT_H
#define GOTMPL_PRINT_H

#include "gotemplate/value.h"

/* Flags of one verb. */
struct gotmpl_spec {
    bool plus, minus, sharp, space, zero;
    bool sharp_v;
    bool has_width, has_precision;
    int width, precision;
};

void gotmpl_sprint(struct gotmpl_text *t, size_t argc, const gotmpl_value *argv);
void gotmpl_sprintln(struct gotmpl_text *t, size_t argc, const gotmpl_value *argv);
void gotmpl_sprintf(struct gotmpl_text *t, coras_str format, size_t argc, const gotmpl_value *argv);

/* Parts, in print.c and print_number.c. */
void gotmpl_print_value(struct gotmpl_text *t, const struct gotmpl_spec *spec, gotmpl_value v,
                        uint32_t verb);
void gotmpl_pad(struct gotmpl_text *t, const struct gotmpl_spec *spec, coras_str s);
void gotmpl_print_int(struct gotmpl_text *t, const struct gotmpl_spec *spec, uint64_t u,
                      bool is_signed, uint32_t verb);
/* verb is one of e E f g G; precision -1 is the shortest text that reads back as the same. */
void gotmpl_print_float(struct gotmpl_text *t, const struct gotmpl_spec *spec, double f, char verb,
                        int precision);

/* A number in a format that is beyond this takes no further digit, as in Go. */

#endif
