/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of a pickle's opcodes.
 */
#include "model/pickle_opcodes.h"

#define NUMBER(bytes)  .known = true, .argument = CORAS_PICKLE_ARG_NUMBER, .width = (bytes)
#define LINE           .known = true, .argument = CORAS_PICKLE_ARG_LINE
#define DATA(bytes)    .known = true, .argument = CORAS_PICKLE_ARG_DATA, .width = (bytes)
#define ALONE          .known = true
#define REPLACE(count) .effect = CORAS_PICKLE_DO_REPLACE, .pops = (count), .pushes = true
#define PUSH           REPLACE(0)
#define DROP(count)    .effect = CORAS_PICKLE_DO_REPLACE, .pops = (count)
#define COLLECT        .effect = CORAS_PICKLE_DO_TO_MARK, .pushes = true
#define CONSUME        .effect = CORAS_PICKLE_DO_TO_MARK
#define DO(what)       .effect = CORAS_PICKLE_DO_##what
#define TEXT           DO(TEXT)
#define BYTES          PUSH, .is_bytes = true

const coras_pickle_opcode coras_pickle_opcodes[256] = {
    /* protocol 0 and 1 */
    ['('] = {ALONE, DO(MARK)},
    ['.'] = {ALONE, DO(STOP)},
    ['0'] = {ALONE, DO(POP)},
    ['1'] = {ALONE, CONSUME},
    ['2'] = {ALONE, DO(DUP)},
    ['F'] = {LINE, PUSH},
    ['I'] = {LINE, PUSH},
    ['L'] = {LINE, PUSH},
    ['J'] = {NUMBER(4), PUSH},
    ['K'] = {NUMBER(1), PUSH},
    ['M'] = {NUMBER(2), PUSH},
    ['G'] = {NUMBER(8), PUSH},
    ['N'] = {ALONE, PUSH},
    ['P'] = {LINE, PUSH},
    ['Q'] = {ALONE, REPLACE(1)},
    ['R'] = {ALONE, REPLACE(2)},
    ['S'] = {LINE, TEXT, .spelling = CORAS_PICKLE_QUOTED},
    ['T'] = {DATA(4), TEXT, .is_signed = true, .is_bytes = true},
    ['U'] = {DATA(1), TEXT, .is_bytes = true},
    ['V'] = {LINE, TEXT, .spelling = CORAS_PICKLE_ESCAPED},
    ['X'] = {DATA(4), TEXT},
    ['a'] = {ALONE, DROP(1)},
    ['b'] = {ALONE, DROP(1)},
    ['c'] = {ALONE, .argument = CORAS_PICKLE_ARG_LINES, DO(GLOBAL)},
    ['d'] = {ALONE, COLLECT},
    ['}'] = {ALONE, PUSH},
    ['e'] = {ALONE, CONSUME},
    ['g'] = {LINE, DO(GET)},
    ['h'] = {NUMBER(1), DO(GET)},
    ['i'] = {ALONE, .argument = CORAS_PICKLE_ARG_LINES, DO(INSTANCE)},
    ['j'] = {NUMBER(4), DO(GET)},
    ['l'] = {ALONE, COLLECT},
    [']'] = {ALONE, PUSH},
    ['o'] = {ALONE, COLLECT},
    ['p'] = {LINE, DO(PUT)},
    ['q'] = {NUMBER(1), DO(PUT)},
    ['r'] = {NUMBER(4), DO(PUT)},
    ['s'] = {ALONE, DROP(2)},
    ['t'] = {ALONE, COLLECT},
    [')'] = {ALONE, PUSH},
    ['u'] = {ALONE, CONSUME},
    /* protocol 2 */
    [0x80] = {NUMBER(1), DO(PROTOCOL)},
    [0x81] = {ALONE, REPLACE(2)}, /* NEWOBJ */
    [0x82] = {NUMBER(1), DO(EXTENSION)},
    [0x83] = {NUMBER(2), DO(EXTENSION)},
    [0x84] = {NUMBER(4), DO(EXTENSION)},
    [0x85] = {ALONE, REPLACE(1)}, /* TUPLE1 to TUPLE3 */
    [0x86] = {ALONE, REPLACE(2)},
    [0x87] = {ALONE, REPLACE(3)},
    [0x88] = {ALONE, PUSH}, /* NEWTRUE, NEWFALSE */
    [0x89] = {ALONE, PUSH},
    [0x8a] = {DATA(1), PUSH}, /* LONG1, LONG4 */
    [0x8b] = {DATA(4), PUSH, .is_signed = true},
    /* protocol 3 */
    ['B'] = {DATA(4), BYTES},
    ['C'] = {DATA(1), BYTES},
    /* protocol 4 */
    [0x8c] = {DATA(1), TEXT},
    [0x8d] = {DATA(8), TEXT, .is_signed = true},
    [0x8e] = {DATA(8), BYTES, .is_signed = true},
    [0x8f] = {ALONE, PUSH},       /* EMPTY_SET */
    [0x90] = {ALONE, CONSUME},    /* ADDITEMS */
    [0x91] = {ALONE, COLLECT},    /* FROZENSET */
    [0x92] = {ALONE, REPLACE(3)}, /* NEWOBJ_EX */
    [0x93] = {ALONE, DO(STACK_GLOBAL)},
    [0x94] = {ALONE, DO(MEMOIZE)},
    [0x95] = {NUMBER(8), DO(NOTHING)}, /* FRAME */
    /* protocol 5 */
    [0x96] = {DATA(8), BYTES, .is_signed = true}, /* BYTEARRAY8 */
    [0x97] = {ALONE, PUSH},                       /* NEXT_BUFFER */
    [0x98] = {ALONE, DO(NOTHING)},                /* READONLY_BUFFER */
};
