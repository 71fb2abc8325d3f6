/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of files: the content decides, the name where it says nothing. */
#include "rows.h"

#include <string.h>

#include "model/classify.h"

static const struct {
    const char *path;
    coras_str head;
    int64_t size;
    const char *kind, *format, *unsafe;
    bool by_content;
} cases[] = {
    {"model.safetensors",
     {"\x38\0\0\0\0\0\0\0{\"a\"", 12},
     66,
     "weight",
     "safetensors",
     NULL,
     true},
    {"notes.txt", {"\x38\0\0\0\0\0\0\0{\"a\"", 12}, 66, "weight", "safetensors", NULL, true},
    {"model.safetensors", {"\x38\0\0\0\0\0\0\0{\"a\"", 12}, 63, "weight", NULL, NULL, false},
    {"config.json", {"GGUF\3\0\0\0", 8}, 69, "weight", "gguf", NULL, true},
    {"x.onnx", {"\x08\x04\x12\x04test", 8}, 8, "weight", "onnx", NULL, true},
    {"weights.safetensors", {"\x80\x02\x8a\x0a", 4}, 99, "weight", "pickle", "pickle", true},
    {"a.pt",
     {"PK\3\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\0\0a/data.pkl", 40},
     99,
     "weight",
     "torch",
     "pickle",
     true},
    {"a.npz",
     {"PK\3\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0a.npy", 35},
     99,
     "weight",
     "npz",
     NULL,
     true},
    {"a.bin",
     {"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e", 15},
     99,
     "weight",
     "torch",
     "pickle",
     true},
    {"m.h5", {"\x89HDF\r\n\x1a\n", 8}, 99, "weight", "hdf5", "lambda", true},
    {"data.bin", {"PAR1", 4}, 99, "dataset", "parquet", NULL, true},
    {"run", {"#!/bin/sh\n", 10}, 10, "code", "script", NULL, true},
    /* by the name */
    {"config.json", {"{}", 2}, 2, "weight.config", NULL, NULL, false},
    {"sub/README.md", {"# x", 3}, 3, "doc", NULL, NULL, false},
    {"LICENSE.txt", {"MIT", 3}, 3, "doc", NULL, NULL, false},
    {"NOTICE", {"x", 1}, 1, "doc", NULL, NULL, false},
    {"merges.txt", {"a b", 3}, 3, "weight.config", NULL, NULL, false},
    {"tokenizer.model.v3", {"\n\0", 2}, 2, "weight.config", NULL, NULL, false},
    {"chat_template.jinja", {"{{", 2}, 2, "weight.config", NULL, NULL, false},
    {"modeling_x.py", {"import os", 9}, 9, "code", NULL, "python", false},
    {"pytorch_model-00001-of-00002.bin", {"\0\1", 2}, 2, "weight", NULL, "pickle", false},
    {"old.PKL", {"cos\nsystem\n", 11}, 11, "weight", NULL, "pickle", false},
    {"train.jsonl", {"{}\n", 3}, 3, "dataset", NULL, NULL, false},
    {"unknown", {"text", 4}, 4, "weight.config", NULL, NULL, false},
    {"unknown", {"\0\1", 2}, 2, "weight", NULL, NULL, false},
    {"empty", {"", 0}, 0, "weight.config", NULL, NULL, false},
};

static void assert_same(const char *got, const char *want)
{
    if (want)
        assert_string_equal(got, want);
    else
        assert_null(got);
}

static void sorts_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        IN_ROW(cases[i].path);
        coras_model_class got = coras_model_classify(cases[i].path, cases[i].head.ptr,
                                                     cases[i].head.len, cases[i].size);
        assert_string_equal(coras_model_kind_name(got.kind), cases[i].kind);
        assert_same(got.format, cases[i].format);
        assert_same(got.unsafe, cases[i].unsafe);
        assert_int_equal(got.by_content, cases[i].by_content);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sorts_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
