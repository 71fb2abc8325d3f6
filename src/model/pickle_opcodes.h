/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The opcodes of pickle protocols 0 to 5: what follows each in the stream, and what it does to the
 * stack.
 *
 * Source: CPython's Lib/pickletools.py documents them one by one.
 */
#ifndef CORAS_MODEL_PICKLE_OPCODES_H
#define CORAS_MODEL_PICKLE_OPCODES_H

#include "base/common.h"

/* What follows an opcode. */
enum coras_pickle_argument {
    CORAS_PICKLE_ARG_NONE,
    CORAS_PICKLE_ARG_NUMBER, /* little-endian, of `width` bytes */
    CORAS_PICKLE_ARG_LINE,   /* text up to a line feed */
    CORAS_PICKLE_ARG_LINES,  /* two of them */
    CORAS_PICKLE_ARG_DATA,   /* bytes, counted by a number of `width` bytes before them */
};

enum coras_pickle_effect {
    CORAS_PICKLE_DO_NOTHING,
    CORAS_PICKLE_DO_REPLACE, /* pop `pops`, then push an unknown value if `pushes` */
    CORAS_PICKLE_DO_TO_MARK, /* the same with everything down to the mark */
    CORAS_PICKLE_DO_MARK,
    CORAS_PICKLE_DO_POP,
    CORAS_PICKLE_DO_DUP,
    CORAS_PICKLE_DO_TEXT, /* push the text that follows */
    CORAS_PICKLE_DO_PUT,
    CORAS_PICKLE_DO_MEMOIZE,
    CORAS_PICKLE_DO_GET,
    CORAS_PICKLE_DO_GLOBAL,       /* import by the two lines */
    CORAS_PICKLE_DO_INSTANCE,     /* the same, and call it with what lies above the mark */
    CORAS_PICKLE_DO_STACK_GLOBAL, /* import by two texts from the stack */
    CORAS_PICKLE_DO_EXTENSION,    /* import by a number that the reader's program gave out */
    CORAS_PICKLE_DO_PROTOCOL,
    CORAS_PICKLE_DO_STOP,
};

/* How a text is written down. */
enum coras_pickle_spelling {
    CORAS_PICKLE_PLAIN,   /* UTF-8 */
    CORAS_PICKLE_QUOTED,  /* Python 2's repr: 'o\x73' */
    CORAS_PICKLE_ESCAPED, /* raw-unicode-escape: o\u0073 */
};

typedef struct coras_pickle_opcode {
    bool known;
    enum coras_pickle_argument argument;
    uint8_t width;
    bool is_signed; /* the count of DATA, whose negative values are errors */
    bool is_bytes;  /* DATA that may be another pickle */
    enum coras_pickle_spelling spelling;
    enum coras_pickle_effect effect;
    uint8_t pops;
    bool pushes;
} coras_pickle_opcode;

extern const coras_pickle_opcode coras_pickle_opcodes[256];

#endif
