/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types of numbers in weight files, as tables (dtypes.h).
 */
#include "model/dtypes.h"

#include "base/common.h"

unsigned coras_safetensors_bits(coras_str dtype)
{
    static const struct {
        const char *name;
        unsigned bits;
    } types[] = {
        {"BOOL", 8},        {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
        {"I8", 8},          {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
        {"F8_E5M2FNUZ", 8}, {"I16", 16},    {"U16", 16},    {"F16", 16},    {"BF16", 16},
        {"I32", 32},        {"U32", 32},    {"F32", 32},    {"C64", 64},    {"F64", 64},
        {"I64", 64},        {"U64", 64},
    };

    for (size_t i = 0; i < CORAS_ARRAY_LEN(types); i++)
        if (coras_str_eq(dtype, types[i].name))
            return types[i].bits;
    return 0;
}

struct coras_gguf_type coras_gguf_type(uint32_t id)
{
    static const struct coras_gguf_type types[] = {
        [0] = {"F32", 1, 4},         [1] = {"F16", 1, 2},         [2] = {"Q4_0", 32, 18},
        [3] = {"Q4_1", 32, 20},      [4] = {"removed", 1, 0},     [5] = {"removed", 1, 0},
        [6] = {"Q5_0", 32, 22},      [7] = {"Q5_1", 32, 24},      [8] = {"Q8_0", 32, 34},
        [9] = {"Q8_1", 32, 36},      [10] = {"Q2_K", 256, 84},    [11] = {"Q3_K", 256, 110},
        [12] = {"Q4_K", 256, 144},   [13] = {"Q5_K", 256, 176},   [14] = {"Q6_K", 256, 210},
        [15] = {"Q8_K", 256, 292},   [16] = {"IQ2_XXS", 256, 66}, [17] = {"IQ2_XS", 256, 74},
        [18] = {"IQ3_XXS", 256, 98}, [19] = {"IQ1_S", 256, 50},   [20] = {"IQ4_NL", 32, 18},
        [21] = {"IQ3_S", 256, 110},  [22] = {"IQ2_S", 256, 82},   [23] = {"IQ4_XS", 256, 136},
        [24] = {"I8", 1, 1},         [25] = {"I16", 1, 2},        [26] = {"I32", 1, 4},
        [27] = {"I64", 1, 8},        [28] = {"F64", 1, 8},        [29] = {"IQ1_M", 256, 56},
        [30] = {"BF16", 1, 2},       [31] = {"removed", 1, 0},    [32] = {"removed", 1, 0},
        [33] = {"removed", 1, 0},    [34] = {"TQ1_0", 256, 54},   [35] = {"TQ2_0", 256, 66},
        [36] = {"removed", 1, 0},    [37] = {"removed", 1, 0},    [38] = {"removed", 1, 0},
        [39] = {"MXFP4", 32, 17},    [40] = {"NVFP4", 64, 36},    [41] = {"Q1_0", 128, 18},
        [42] = {"Q2_0", 64, 18},
    };

    return id < CORAS_ARRAY_LEN(types) ? types[id] : (struct coras_gguf_type){NULL, 1, 0};
}

const char *coras_gguf_file_type(int64_t value)
{
    static const char *const names[] = {
        [0] = "F32",      [1] = "F16",      [2] = "Q4_0",       [3] = "Q4_1",    [7] = "Q8_0",
        [8] = "Q5_0",     [9] = "Q5_1",     [10] = "Q2_K",      [11] = "Q3_K_S", [12] = "Q3_K_M",
        [13] = "Q3_K_L",  [14] = "Q4_K_S",  [15] = "Q4_K_M",    [16] = "Q5_K_S", [17] = "Q5_K_M",
        [18] = "Q6_K",    [19] = "IQ2_XXS", [20] = "IQ2_XS",    [21] = "Q2_K_S", [22] = "IQ3_XS",
        [23] = "IQ3_XXS", [24] = "IQ1_S",   [25] = "IQ4_NL",    [26] = "IQ3_S",  [27] = "IQ3_M",
        [28] = "IQ2_S",   [29] = "IQ2_M",   [30] = "IQ4_XS",    [31] = "IQ1_M",  [32] = "BF16",
        [36] = "TQ1_0",   [37] = "TQ2_0",   [38] = "MXFP4_MOE", [39] = "NVFP4",  [40] = "Q1_0",
    };

    return value >= 0 && value < (int64_t)CORAS_ARRAY_LEN(names) ? names[value] : NULL;
}
