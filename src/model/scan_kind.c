/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds of files by their first bytes, and promises by their names.
 */
#include "model/scan_kind.h"

#include "model/detect.h"

struct coras_scan_magic {
    const char *bytes;
    size_t len;
    enum coras_scan_kind kind;
};
#define MAGIC(text, kind)                                                                          \
    {                                                                                              \
        (text), sizeof(text) - 1, CORAS_SCAN_##kind                                                \
    }

/* What else a scan has to tell apart. */
static const struct coras_scan_magic magics[] = {
    MAGIC("\x5d\0\0", COMPRESSED),         /* lzma */
    MAGIC("\x04\x22\x4d\x18", COMPRESSED), /* lz4 */
    MAGIC("7z\xbc\xaf\x27\x1c", COMPRESSED),
    MAGIC("Rar!\x1a\x07", COMPRESSED),
    MAGIC("\xfe\xed\xfa\xce", EXECUTABLE), /* Mach-O of other machines */
    MAGIC("\xfe\xed\xfa\xcf", EXECUTABLE),
    MAGIC("\xce\xfa\xed\xfe", EXECUTABLE),
    MAGIC("\0asm", EXECUTABLE), /* WebAssembly */
    MAGIC("\x89PNG\r\n\x1a\n", INERT),
    MAGIC("\xff\xd8\xff", INERT),
    MAGIC("GIF8", INERT),
    MAGIC("RIFF", INERT),
};

static const enum coras_scan_kind kinds[] = {
    [CORAS_CONTENT_UNKNOWN] = CORAS_SCAN_OTHER,
    [CORAS_CONTENT_SAFETENSORS] = CORAS_SCAN_SAFETENSORS,
    [CORAS_CONTENT_GGUF] = CORAS_SCAN_GGUF,
    [CORAS_CONTENT_GGML] = CORAS_SCAN_INERT,
    [CORAS_CONTENT_ZIP] = CORAS_SCAN_ZIP,
    [CORAS_CONTENT_TORCH_LEGACY] = CORAS_SCAN_PICKLE,
    [CORAS_CONTENT_PICKLE] = CORAS_SCAN_PICKLE,
    [CORAS_CONTENT_HDF5] = CORAS_SCAN_HDF5,
    [CORAS_CONTENT_NPY] = CORAS_SCAN_NPY,
    [CORAS_CONTENT_TFLITE] = CORAS_SCAN_INERT,
    [CORAS_CONTENT_ONNX] = CORAS_SCAN_ONNX,
    [CORAS_CONTENT_SAVED_MODEL] = CORAS_SCAN_TENSORFLOW,
    [CORAS_CONTENT_ZLIB] = CORAS_SCAN_ZLIB,
    [CORAS_CONTENT_GZIP] = CORAS_SCAN_GZIP,
    [CORAS_CONTENT_ZSTD] = CORAS_SCAN_COMPRESSED,
    [CORAS_CONTENT_BZIP2] = CORAS_SCAN_COMPRESSED,
    [CORAS_CONTENT_XZ] = CORAS_SCAN_COMPRESSED,
    [CORAS_CONTENT_PARQUET] = CORAS_SCAN_INERT,
    [CORAS_CONTENT_ARROW] = CORAS_SCAN_INERT,
    [CORAS_CONTENT_TENSORIZER] = CORAS_SCAN_INERT,
    [CORAS_CONTENT_TAR] = CORAS_SCAN_TAR,
    [CORAS_CONTENT_EXECUTABLE] = CORAS_SCAN_EXECUTABLE,
    [CORAS_CONTENT_SCRIPT] = CORAS_SCAN_SCRIPT,
    [CORAS_CONTENT_JSON] = CORAS_SCAN_TEXT,
    [CORAS_CONTENT_XML] = CORAS_SCAN_TEXT,
};

/* Two letters at the start of a text are not yet a program of Windows. */
static bool is_portable_executable(const unsigned char *head, size_t len)
{
    if (len < 0x40)
        return false;
    size_t at = head[0x3c] | head[0x3d] << 8 | (size_t)head[0x3e] << 16;
    return at > len - 4 || memcmp(head + at, "PE\0\0", 4) == 0;
}

/* No control characters but white space; a character may be cut at the end. */
static bool is_text(const char *head, size_t len)
{
    size_t cut = len > CORAS_UTF8_MAX ? CORAS_UTF8_MAX : 0;

    for (size_t i = 0; i < len; i++)
        if ((unsigned char)head[i] < ' ' && !memchr("\t\n\v\f\r\x1b", head[i], 6))
            return false;
    for (size_t drop = 0; drop <= cut; drop++)
        if (coras_utf8_valid(head, len - drop))
            return true;
    return false;
}

static enum coras_scan_kind kind_of_rest(const char *head, size_t len)
{
    for (size_t i = 0; i < CORAS_ARRAY_LEN(magics); i++) {
        const struct coras_scan_magic *m = &magics[i];
        if (m->len <= len && memcmp(head, m->bytes, m->len) == 0)
            return m->kind;
    }
    return is_text(head, len) ? CORAS_SCAN_TEXT : CORAS_SCAN_OTHER;
}

enum coras_scan_kind coras_scan_kind_of(const void *head, size_t len, int64_t size)
{
    const char *bytes = head;
    enum coras_scan_kind kind = kinds[coras_content_detect(head, len, size)];
    bool is_dos = kind == CORAS_SCAN_EXECUTABLE && bytes[0] == 'M';

    if (is_dos && !is_portable_executable(head, len))
        kind = CORAS_SCAN_OTHER;
    if (kind == CORAS_SCAN_TEXT && !is_text(head, len))
        kind = CORAS_SCAN_OTHER;
    return kind == CORAS_SCAN_OTHER ? kind_of_rest(head, len) : kind;
}

const char *coras_scan_kind_text(enum coras_scan_kind kind)
{
    static const char *const texts[] = {
        [CORAS_SCAN_OTHER] = "unknown data",
        [CORAS_SCAN_TEXT] = "text",
        [CORAS_SCAN_SAFETENSORS] = "safetensors",
        [CORAS_SCAN_GGUF] = "GGUF",
        [CORAS_SCAN_INERT] = "data of another format",
        [CORAS_SCAN_PICKLE] = "a pickle",
        [CORAS_SCAN_ZIP] = "a zip archive",
        [CORAS_SCAN_NPY] = "a NumPy array",
        [CORAS_SCAN_HDF5] = "HDF5",
        [CORAS_SCAN_ONNX] = "ONNX",
        [CORAS_SCAN_TENSORFLOW] = "a graph of TensorFlow",
        [CORAS_SCAN_GZIP] = "a gzip stream",
        [CORAS_SCAN_ZLIB] = "a zlib stream",
        [CORAS_SCAN_COMPRESSED] = "a compressed stream",
        [CORAS_SCAN_TAR] = "a tar archive",
        [CORAS_SCAN_EXECUTABLE] = "an executable",
        [CORAS_SCAN_SCRIPT] = "a script",
    };
    return texts[kind];
}

/* ---- names ---- */

bool coras_scan_leaves(const char *path)
{
    if (*path == '/' || strchr(path, '\\') || (path[0] && path[1] == ':'))
        return true;
    for (const char *at = path; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0'))
            return true;
    }
    return false;
}

bool coras_scan_has_suffix(const char *name, const char *suffix)
{
    size_t len = strlen(name), n = strlen(suffix);
    return len >= n && coras_str_ieq(name + len - n, suffix);
}

const char *coras_scan_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

enum coras_scan_promise coras_scan_promise_of(const char *name)
{
    static const struct {
        const char *suffix;
        enum coras_scan_promise promise;
    } suffixes[] = {
        {".safetensors", CORAS_PROMISE_SAFETENSORS},
        {".gguf", CORAS_PROMISE_GGUF},
        {".json", CORAS_PROMISE_DATA},
        {".jsonl", CORAS_PROMISE_DATA},
        {".yaml", CORAS_PROMISE_DATA},
        {".yml", CORAS_PROMISE_DATA},
        {".toml", CORAS_PROMISE_DATA},
        {".txt", CORAS_PROMISE_DATA},
        {".md", CORAS_PROMISE_DATA},
        {".jinja", CORAS_PROMISE_DATA},
        {".csv", CORAS_PROMISE_DATA},
        {".xml", CORAS_PROMISE_DATA},
        {".tiktoken", CORAS_PROMISE_DATA},
        {".onnx", CORAS_PROMISE_DATA},
        {".tflite", CORAS_PROMISE_DATA},
        {".parquet", CORAS_PROMISE_DATA},
        {".arrow", CORAS_PROMISE_DATA},
        {".png", CORAS_PROMISE_DATA},
        {".jpg", CORAS_PROMISE_DATA},
        {".jpeg", CORAS_PROMISE_DATA},
        {".gif", CORAS_PROMISE_DATA},
        {".wav", CORAS_PROMISE_DATA},
        {".pdf", CORAS_PROMISE_DATA},
        {".bin", CORAS_PROMISE_PICKLE},
        {".pt", CORAS_PROMISE_PICKLE},
        {".pth", CORAS_PROMISE_PICKLE},
        {".pt2", CORAS_PROMISE_PICKLE},
        {".ckpt", CORAS_PROMISE_PICKLE},
        {".pkl", CORAS_PROMISE_PICKLE},
        {".pickle", CORAS_PROMISE_PICKLE},
        {".p", CORAS_PROMISE_PICKLE},
        {".joblib", CORAS_PROMISE_PICKLE},
        {".dill", CORAS_PROMISE_PICKLE},
        {".dat", CORAS_PROMISE_PICKLE},
        {".data", CORAS_PROMISE_PICKLE},
        {".npy", CORAS_PROMISE_PICKLE},
        {".npz", CORAS_PROMISE_PICKLE},
        {".py", CORAS_PROMISE_CODE},
        {".pyc", CORAS_PROMISE_CODE},
        {".pyx", CORAS_PROMISE_CODE},
        {".ipynb", CORAS_PROMISE_CODE},
        {".sh", CORAS_PROMISE_CODE},
        {".bash", CORAS_PROMISE_CODE},
        {".bat", CORAS_PROMISE_CODE},
        {".cmd", CORAS_PROMISE_CODE},
        {".ps1", CORAS_PROMISE_CODE},
        {".js", CORAS_PROMISE_CODE},
        {".mjs", CORAS_PROMISE_CODE},
        {".rb", CORAS_PROMISE_CODE},
        {".pl", CORAS_PROMISE_CODE},
        {".lua", CORAS_PROMISE_CODE},
        {".jar", CORAS_PROMISE_CODE},
        {".whl", CORAS_PROMISE_CODE},
        {".c", CORAS_PROMISE_CODE},
        {".cc", CORAS_PROMISE_CODE},
        {".cpp", CORAS_PROMISE_CODE},
        {".cu", CORAS_PROMISE_CODE},
        {".go", CORAS_PROMISE_CODE},
        {".rs", CORAS_PROMISE_CODE},
    };
    for (size_t i = 0; i < CORAS_ARRAY_LEN(suffixes); i++)
        if (coras_scan_has_suffix(name, suffixes[i].suffix))
            return suffixes[i].promise;
    return CORAS_PROMISE_NOTHING;
}
