/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds of files by content and name (classify.h).
 */
#include "model/classify.h"

#include <string.h>

#include "base/str.h"
#include "model/detect.h"

const char *coras_model_kind_name(enum coras_model_kind kind)
{
    static const char *const names[] = {
        [CORAS_MODEL_WEIGHT] = "weight",   [CORAS_MODEL_WEIGHT_CONFIG] = "weight.config",
        [CORAS_MODEL_DOC] = "doc",         [CORAS_MODEL_CODE] = "code",
        [CORAS_MODEL_DATASET] = "dataset",
    };

    return names[kind];
}

/* ---- by name ---- */

struct name_rule {
    const char *text;
    enum coras_model_kind kind;
};

/* Whole names, in small letters. */
static const struct name_rule names[] = {
    {"authors", CORAS_MODEL_DOC},
    {"copying", CORAS_MODEL_DOC},
    {"dockerfile", CORAS_MODEL_CODE},
    {"license", CORAS_MODEL_DOC},
    {"licence", CORAS_MODEL_DOC},
    {"makefile", CORAS_MODEL_CODE},
    {"merges.txt", CORAS_MODEL_WEIGHT_CONFIG},
    {"modelfile", CORAS_MODEL_WEIGHT_CONFIG},
    {"notice", CORAS_MODEL_DOC},
    {"readme", CORAS_MODEL_DOC},
    {"requirements.txt", CORAS_MODEL_CODE},
    {"sentencepiece.bpe.model", CORAS_MODEL_WEIGHT_CONFIG},
    {"spiece.model", CORAS_MODEL_WEIGHT_CONFIG},
    {"template", CORAS_MODEL_WEIGHT_CONFIG},
    {"tokenizer.model", CORAS_MODEL_WEIGHT_CONFIG},
    {"vocab.txt", CORAS_MODEL_WEIGHT_CONFIG},
};

/* Beginnings of names: "LICENSE.txt", "added_tokens.txt". */
static const struct name_rule beginnings[] = {
    {"added_tokens", CORAS_MODEL_WEIGHT_CONFIG},
    {"chat_template", CORAS_MODEL_WEIGHT_CONFIG},
    {"copying", CORAS_MODEL_DOC},
    {"licence", CORAS_MODEL_DOC},
    {"license", CORAS_MODEL_DOC},
    {"notice", CORAS_MODEL_DOC},
    {"readme", CORAS_MODEL_DOC},
    {"tokenizer.model", CORAS_MODEL_WEIGHT_CONFIG}, /* tokenizer.model.v3 */
    {"use_policy", CORAS_MODEL_DOC},
};

static const struct name_rule endings[] = {
    {".arrow", CORAS_MODEL_DATASET},
    {".bat", CORAS_MODEL_CODE},
    {".bin", CORAS_MODEL_WEIGHT},
    {".c", CORAS_MODEL_CODE},
    {".cc", CORAS_MODEL_CODE},
    {".cfg", CORAS_MODEL_WEIGHT_CONFIG},
    {".ckpt", CORAS_MODEL_WEIGHT},
    {".cpp", CORAS_MODEL_CODE},
    {".csv", CORAS_MODEL_DATASET},
    {".cu", CORAS_MODEL_CODE},
    {".dll", CORAS_MODEL_CODE},
    {".gif", CORAS_MODEL_DOC},
    {".go", CORAS_MODEL_CODE},
    {".h", CORAS_MODEL_CODE},
    {".h5", CORAS_MODEL_WEIGHT},
    {".html", CORAS_MODEL_DOC},
    {".ini", CORAS_MODEL_WEIGHT_CONFIG},
    {".ipynb", CORAS_MODEL_CODE},
    {".jinja", CORAS_MODEL_WEIGHT_CONFIG},
    {".jinja2", CORAS_MODEL_WEIGHT_CONFIG},
    {".jpeg", CORAS_MODEL_DOC},
    {".jpg", CORAS_MODEL_DOC},
    {".js", CORAS_MODEL_CODE},
    {".json", CORAS_MODEL_WEIGHT_CONFIG},
    {".jsonl", CORAS_MODEL_DATASET},
    {".keras", CORAS_MODEL_WEIGHT},
    {".md", CORAS_MODEL_DOC},
    {".mlmodel", CORAS_MODEL_WEIGHT},
    {".msgpack", CORAS_MODEL_WEIGHT},
    {".onnx", CORAS_MODEL_WEIGHT},
    {".onnx_data", CORAS_MODEL_WEIGHT},
    {".parquet", CORAS_MODEL_DATASET},
    {".pb", CORAS_MODEL_WEIGHT},
    {".pdf", CORAS_MODEL_DOC},
    {".pkl", CORAS_MODEL_WEIGHT},
    {".png", CORAS_MODEL_DOC},
    {".proto", CORAS_MODEL_CODE},
    {".pt", CORAS_MODEL_WEIGHT},
    {".pth", CORAS_MODEL_WEIGHT},
    {".py", CORAS_MODEL_CODE},
    {".rs", CORAS_MODEL_CODE},
    {".rst", CORAS_MODEL_DOC},
    {".sh", CORAS_MODEL_CODE},
    {".so", CORAS_MODEL_CODE},
    {".svg", CORAS_MODEL_DOC},
    {".tekken", CORAS_MODEL_WEIGHT_CONFIG},
    {".tflite", CORAS_MODEL_WEIGHT},
    {".tiktoken", CORAS_MODEL_WEIGHT_CONFIG},
    {".toml", CORAS_MODEL_WEIGHT_CONFIG},
    {".ts", CORAS_MODEL_CODE},
    {".tsv", CORAS_MODEL_DATASET},
    {".txt", CORAS_MODEL_DOC},
    {".webp", CORAS_MODEL_DOC},
    {".yaml", CORAS_MODEL_WEIGHT_CONFIG},
    {".yml", CORAS_MODEL_WEIGHT_CONFIG},
};

static bool starts_folded(const char *name, const char *beginning)
{
    for (; *beginning; name++, beginning++)
        if ((coras_is_upper(*name) ? *name - 'A' + 'a' : *name) != *beginning)
            return false;
    return true;
}

static bool ends_folded(const char *name, const char *ending)
{
    size_t len = strlen(name), n = strlen(ending);

    return len > n && coras_str_ieq(name + len - n, ending);
}

static bool kind_by_name(const char *name, enum coras_model_kind *ret)
{
    for (size_t i = 0; i < CORAS_ARRAY_LEN(names); i++)
        if (coras_str_ieq(name, names[i].text))
            return (*ret = names[i].kind, true);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(beginnings); i++)
        if (starts_folded(name, beginnings[i].text))
            return (*ret = beginnings[i].kind, true);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(endings); i++)
        if (ends_folded(name, endings[i].text))
            return (*ret = endings[i].kind, true);
    return false;
}

/* ---- by content ---- */

struct content_rule {
    enum coras_content_kind content;
    enum coras_model_kind kind;
    const char *unsafe;
};

/* Contents that leave no doubt what a file is for. */
static const struct content_rule contents[] = {
    {CORAS_CONTENT_SAFETENSORS, CORAS_MODEL_WEIGHT, NULL},
    {CORAS_CONTENT_GGUF, CORAS_MODEL_WEIGHT, NULL},
    {CORAS_CONTENT_GGML, CORAS_MODEL_WEIGHT, NULL},
    {CORAS_CONTENT_TORCH_LEGACY, CORAS_MODEL_WEIGHT, "pickle"},
    {CORAS_CONTENT_PICKLE, CORAS_MODEL_WEIGHT, "pickle"},
    {CORAS_CONTENT_HDF5, CORAS_MODEL_WEIGHT, "lambda"},
    {CORAS_CONTENT_NPY, CORAS_MODEL_WEIGHT, NULL},
    {CORAS_CONTENT_TFLITE, CORAS_MODEL_WEIGHT, NULL},
    {CORAS_CONTENT_ONNX, CORAS_MODEL_WEIGHT, NULL},
    {CORAS_CONTENT_SAVED_MODEL, CORAS_MODEL_WEIGHT, NULL},
    {CORAS_CONTENT_TENSORIZER, CORAS_MODEL_WEIGHT, NULL},
    {CORAS_CONTENT_PARQUET, CORAS_MODEL_DATASET, NULL},
    {CORAS_CONTENT_ARROW, CORAS_MODEL_DATASET, NULL},
    {CORAS_CONTENT_EXECUTABLE, CORAS_MODEL_CODE, NULL},
    {CORAS_CONTENT_SCRIPT, CORAS_MODEL_CODE, NULL},
};

static bool has_bytes(coras_str head, size_t at, coras_str bytes)
{
    return head.len >= at + bytes.len && memcmp(head.ptr + at, bytes.ptr, bytes.len) == 0;
}

/* The name of the first member of a zip archive; empty: it is cut off. */
static coras_str first_member(coras_str head)
{
    enum { NAME_LENGTH_AT = 26, NAME_AT = 30 };
    const unsigned char *length = (const unsigned char *)head.ptr + NAME_LENGTH_AT;

    if (head.len < NAME_AT)
        return (coras_str){"", 0};
    size_t len = length[0] | (size_t)length[1] << 8, there = head.len - NAME_AT;
    return (coras_str){head.ptr + NAME_AT, len < there ? len : there};
}

static bool ends_with(coras_str s, coras_str ending)
{
    return s.len >= ending.len && has_bytes(s, s.len - ending.len, ending);
}

static bool class_of_archive(coras_str head, coras_model_class *ret)
{
    coras_str member = first_member(head);

    if (ends_with(member, CORAS_STR(".pkl")))
        *ret = (coras_model_class){CORAS_MODEL_WEIGHT, true, "torch", "pickle"};
    else if (ends_with(member, CORAS_STR(".npy")))
        *ret = (coras_model_class){CORAS_MODEL_WEIGHT, true, "npz", NULL};
    else
        return false;
    return true;
}

static bool class_by_content(coras_str head, int64_t size, coras_model_class *ret)
{
    enum coras_content_kind content = coras_content_detect(head.ptr, head.len, size);

    if (content == CORAS_CONTENT_ZIP)
        return class_of_archive(head, ret);
    for (size_t i = 0; i < CORAS_ARRAY_LEN(contents); i++) {
        if (contents[i].content != content)
            continue;
        *ret = (coras_model_class){contents[i].kind, true, coras_content_name(content),
                                   contents[i].unsafe};
        return true;
    }
    return false;
}

/* ---- both ---- */

/* What loaders take for a pickle by its name, and Python by its own. */
static const char *unsafe_by_name(const char *name)
{
    static const char *const pickles[] = {".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt"};

    for (size_t i = 0; i < CORAS_ARRAY_LEN(pickles); i++)
        if (ends_folded(name, pickles[i]))
            return "pickle";
    if (starts_folded(name, "pytorch_model") && ends_folded(name, ".bin"))
        return "pickle";
    if (ends_folded(name, ".keras"))
        return "lambda";
    return ends_folded(name, ".py") ? "python" : NULL;
}

static bool is_text(coras_str head)
{
    return memchr(head.ptr, '\0', head.len) == NULL;
}

coras_model_class coras_model_classify(const char *path, const void *head, size_t len, int64_t size)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    coras_str bytes = {head, len};
    coras_model_class class = {.unsafe = unsafe_by_name(name)};

    if (class_by_content(bytes, size, &class))
        return class;
    if (!kind_by_name(name, &class.kind))
        class.kind = is_text(bytes) ? CORAS_MODEL_WEIGHT_CONFIG : CORAS_MODEL_WEIGHT;
    return class;
}
