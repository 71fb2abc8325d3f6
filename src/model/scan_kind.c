/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds of files by their first bytes, and promises by their names.
 */
#include "model/scan_kind.h"

#include "base/limits.h"
#include "model/pickle.h"

struct coras_magic {
    size_t at;
    const char *bytes;
    size_t len;
    enum coras_scan_kind kind;
};
#define MAGIC(at, text, kind)                                                                      \
    {                                                                                              \
        (at), (text), sizeof(text) - 1, CORAS_SCAN_##kind                                          \
    }

/* The first that fits. */
static const struct coras_magic magics[] = {
    MAGIC(0, "GGUF", GGUF),
    MAGIC(0, "PK\3\4", ZIP),
    MAGIC(0, "PK\5\6", ZIP),
    MAGIC(0, "\x89HDF\r\n\x1a\n", HDF5),
    MAGIC(0, "\x93NUMPY", NPY),
    MAGIC(0, "\x1f\x8b", GZIP),
    MAGIC(0, "\x78\x01", ZLIB),
    MAGIC(0, "\x78\x5e", ZLIB),
    MAGIC(0, "\x78\x9c", ZLIB),
    MAGIC(0, "\x78\xda", ZLIB),
    MAGIC(0, "\x28\xb5\x2f\xfd", COMPRESSED), /* zstd */
    MAGIC(0, "BZh", COMPRESSED),
    MAGIC(0,
          "\xfd"
          "7zXZ\0",
          COMPRESSED),
    MAGIC(0, "\x5d\0\0", COMPRESSED),         /* lzma */
    MAGIC(0, "\x04\x22\x4d\x18", COMPRESSED), /* lz4 */
    MAGIC(0, "7z\xbc\xaf\x27\x1c", COMPRESSED),
    MAGIC(0, "Rar!\x1a\x07", COMPRESSED),
    MAGIC(0,
          "\x7f"
          "ELF",
          EXECUTABLE),
    MAGIC(0, "\xfe\xed\xfa\xce", EXECUTABLE), /* Mach-O, four kinds and the one for several */
    MAGIC(0, "\xfe\xed\xfa\xcf", EXECUTABLE),
    MAGIC(0, "\xce\xfa\xed\xfe", EXECUTABLE),
    MAGIC(0, "\xcf\xfa\xed\xfe", EXECUTABLE),
    MAGIC(0, "\xca\xfe\xba\xbe", EXECUTABLE), /* and Java's classes */
    MAGIC(0, "\0asm", EXECUTABLE),            /* WebAssembly */
    MAGIC(0, "#!", SCRIPT),
    MAGIC(257, "ustar", TAR),
    MAGIC(4, "TFL3", INERT),
    MAGIC(0, "lmgg", INERT), /* the formats before GGUF */
    MAGIC(0, "fmgg", INERT),
    MAGIC(0, "tjgg", INERT),
    MAGIC(0, "|TZR|", INERT),
    MAGIC(0, "PAR1", INERT),
    MAGIC(0, "ARROW1", INERT),
    MAGIC(0, "\x89PNG\r\n\x1a\n", INERT),
    MAGIC(0, "\xff\xd8\xff", INERT),
    MAGIC(0, "GIF8", INERT),
    MAGIC(0, "RIFF", INERT),
};

static uint64_t little_endian(const unsigned char *p)
{
    uint64_t n = 0;
    for (int i = 7; i >= 0; i--)
        n = n << 8 | p[i];
    return n;
}

static bool is_safetensors(const unsigned char *head, size_t len, int64_t size)
{
    if (len < 10 || size < 10 || head[8] != '{')
        return false;
    uint64_t n = little_endian(head);
    return n >= 2 && n <= (uint64_t)size - 8 && n <= CORAS_LIMIT_SAFETENSORS_HEADER;
}

static bool is_portable_executable(const unsigned char *head, size_t len)
{
    if (len < 0x40 || head[0] != 'M' || head[1] != 'Z')
        return false;
    size_t at = head[0x3c] | head[0x3d] << 8 | (size_t)head[0x3e] << 16;
    return len < 4 || at > len - 4 || memcmp(head + at, "PE\0\0", 4) == 0;
}

/* A protocol buffer of a small version number and one of a model's other fields. */
static bool is_onnx(const unsigned char *head, size_t len)
{
    return len >= 4 && head[0] == 8 && head[1] >= 1 && head[1] <= 20 && head[2] &&
           memchr("\x12\x1a\x22\x28\x32\x3a\x42", head[2], 7);
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

enum coras_scan_kind coras_scan_kind_of(const void *head, size_t len, int64_t size)
{
    const unsigned char *bytes = head;

    for (size_t i = 0; i < CORAS_ARRAY_LEN(magics); i++) {
        const struct coras_magic *m = &magics[i];
        if (m->at <= len && m->len <= len - m->at && memcmp(bytes + m->at, m->bytes, m->len) == 0)
            return m->kind;
    }
    if (coras_pickle_starts(head, len))
        return CORAS_SCAN_PICKLE;
    if (is_safetensors(bytes, len, size))
        return CORAS_SCAN_SAFETENSORS;
    if (is_portable_executable(bytes, len))
        return CORAS_SCAN_EXECUTABLE;
    if (is_onnx(bytes, len))
        return CORAS_SCAN_ONNX;
    return is_text(head, len) ? CORAS_SCAN_TEXT : CORAS_SCAN_OTHER;
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
