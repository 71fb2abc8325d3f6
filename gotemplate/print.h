/*
 * Go's fmt: Sprint, Sprintln and Sprintf over template values, with its texts for wrong verbs.
 */
#ifndef CORAS_GOTEMPLATE_PRINT_H
#define CORAS_GOTEMPLATE_PRINT_H

#include "gotemplate/value.h"

/* Flags of one verb. */
struct tpl_spec {
    bool plus, minus, sharp, space, zero;
    bool sharp_v, plus_v;
    bool erroring; /* showing the value of a wrong verb: types print without their methods */
    bool has_width, has_precision;
    int width, precision;
};

void tpl_sprint(struct tpl_text *t, size_t argc, const tpl_value *argv);
void tpl_sprintln(struct tpl_text *t, size_t argc, const tpl_value *argv);
void tpl_sprintf(struct tpl_text *t, coras_str format, size_t argc, const tpl_value *argv);

/* Parts, in print.c and print_number.c. */
void tpl_print_value(struct tpl_text *t, const struct tpl_spec *spec, tpl_value v, uint32_t verb);
void tpl_pad(struct tpl_text *t, const struct tpl_spec *spec, coras_str s);
void tpl_print_int(struct tpl_text *t, const struct tpl_spec *spec, uint64_t u, bool is_signed,
                   uint32_t verb);
/* verb is one of e E f g G x X; precision -1 is the shortest text that reads back as the same. */
void tpl_print_float(struct tpl_text *t, const struct tpl_spec *spec, double f, char verb,
                     int precision);

/* A number in a format that is beyond this takes no further digit, as in Go. */
#define TPL_WIDTH_LIMIT 1000000

#endif
