/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds of content by their first bytes (detect.h): a table of fixed beginnings, and the few kinds
 * that need a look.
 */
#include "model/detect.h"

#include <string.h>
#include "base/limits.h"

struct magic {
    enum coras_content_kind kind;
    uint16_t at, len;
    const char *bytes;
};
#define MAGIC(kind, at, bytes)                                                                     \
    {                                                                                              \
        CORAS_CONTENT_##kind, at, sizeof(bytes) - 1, bytes                                         \
    }

/* The first that fits counts. */
static const struct magic magics[] = {
    MAGIC(GGUF, 0, "GGUF"),
    MAGIC(GGML, 0, "lmgg"),
    MAGIC(GGML, 0, "fmgg"),
    MAGIC(GGML, 0, "tjgg"),
    MAGIC(ZIP, 0, "PK\3\4"),
    MAGIC(ZIP, 0, "PK\5\6"), /* an empty one */
    MAGIC(HDF5, 0, "\x89HDF\r\n\x1a\n"),
    MAGIC(NPY, 0, "\x93NUMPY"),
    MAGIC(TFLITE, 4, "TFL3"),
    MAGIC(GZIP, 0, "\x1f\x8b"),
    MAGIC(ZSTD, 0, "\x28\xb5\x2f\xfd"),
    MAGIC(BZIP2, 0, "BZh"),
    MAGIC(XZ, 0,
          "\xfd"
          "7zXZ\0"),
    MAGIC(ZLIB, 0, "x\x01"),
    MAGIC(ZLIB, 0, "x\x5e"),
    MAGIC(ZLIB, 0, "x\x9c"),
    MAGIC(ZLIB, 0, "x\xda"),
    MAGIC(PARQUET, 0, "PAR1"),
    MAGIC(ARROW, 0, "ARROW1"),
    MAGIC(TENSORIZER, 0, "|TZR|"),
    MAGIC(EXECUTABLE, 0,
          "\x7f"
          "ELF"),
    MAGIC(EXECUTABLE, 0, "MZ"),
    MAGIC(EXECUTABLE, 0, "\xcf\xfa\xed\xfe"),
    MAGIC(EXECUTABLE, 0, "\xca\xfe\xba\xbe"),
    MAGIC(SCRIPT, 0, "#!"),
    MAGIC(XML, 0, "<?xml"),
    MAGIC(TAR, 257, "ustar"),
};

static bool has(const unsigned char *head, size_t len, size_t at, const char *bytes, size_t n)
{
    return at <= len && n <= len - at && memcmp(head + at, bytes, n) == 0;
}

/* Bytes of white space at the start of a JSON text. */
static size_t blanks(const unsigned char *head, size_t len)
{
    size_t n = 0;

    while (n < len && (head[n] == ' ' || head[n] == '\t' || head[n] == '\r' || head[n] == '\n'))
        n++;
    return n;
}

static bool begins_object(const unsigned char *head, size_t len)
{
    size_t at = blanks(head, len);

    return at < len && head[at] == '{';
}

/* A length that fits into the file, and an object behind it. */
static bool is_safetensors(const unsigned char *head, size_t len, int64_t file_size)
{
    enum { LENGTH_BYTES = 8 };
    uint64_t length = 0;

    if (len <= LENGTH_BYTES || file_size <= LENGTH_BYTES)
        return false;
    for (size_t i = LENGTH_BYTES; i-- > 0;)
        length = length << 8 | head[i];
    return length <= CORAS_LIMIT_SAFETENSORS_HEADER &&
           length <= (uint64_t)(file_size - LENGTH_BYTES) &&
           begins_object(head + LENGTH_BYTES, len - LENGTH_BYTES);
}

/* Protocol 2 and later begin with their number. torch.save writes its magic number first. */
static enum coras_content_kind pickle_kind(const unsigned char *head, size_t len)
{
    static const char torch[] = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

    if (len < 2 || head[0] != 0x80 || head[1] < 2 || head[1] > 5)
        return CORAS_CONTENT_UNKNOWN;
    return has(head, len, 2, torch, sizeof(torch) - 1) ? CORAS_CONTENT_TORCH_LEGACY
                                                       : CORAS_CONTENT_PICKLE;
}

/* Protocol buffers whose first field is a small number. TensorFlow's version is 1, and a graph of
 * some size follows; in ONNX that would be the name of a producer. */
static enum coras_content_kind protobuf_kind(const unsigned char *head, size_t len)
{
    static const unsigned char next[] = {0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42};

    if (len < 4 || head[0] != 0x08 || head[1] < 1 || head[1] > 20 ||
        !memchr(next, head[2], sizeof(next)))
        return CORAS_CONTENT_UNKNOWN;
    if (head[1] == 1 && head[2] == 0x12 && head[3] >= 0x80)
        return CORAS_CONTENT_SAVED_MODEL;
    return CORAS_CONTENT_ONNX;
}

enum coras_content_kind coras_content_detect(const void *head, size_t len, int64_t file_size)
{
    enum coras_content_kind kind;

    if (has(head, len, 0, "GGUF", 4))
        return CORAS_CONTENT_GGUF;
    if (is_safetensors(head, len, file_size))
        return CORAS_CONTENT_SAFETENSORS;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(magics); i++)
        if (has(head, len, magics[i].at, magics[i].bytes, magics[i].len))
            return magics[i].kind;
    kind = pickle_kind(head, len);
    if (kind == CORAS_CONTENT_UNKNOWN)
        kind = protobuf_kind(head, len);
    if (kind == CORAS_CONTENT_UNKNOWN && begins_object(head, len))
        kind = CORAS_CONTENT_JSON;
    return kind;
}

const char *coras_content_name(enum coras_content_kind kind)
{
    static const char *const names[] = {
        [CORAS_CONTENT_UNKNOWN] = "unknown", [CORAS_CONTENT_SAFETENSORS] = "safetensors",
        [CORAS_CONTENT_GGUF] = "gguf",       [CORAS_CONTENT_GGML] = "ggml",
        [CORAS_CONTENT_ZIP] = "zip",         [CORAS_CONTENT_TORCH_LEGACY] = "torch",
        [CORAS_CONTENT_PICKLE] = "pickle",   [CORAS_CONTENT_HDF5] = "hdf5",
        [CORAS_CONTENT_NPY] = "npy",         [CORAS_CONTENT_TFLITE] = "tflite",
        [CORAS_CONTENT_ONNX] = "onnx",       [CORAS_CONTENT_SAVED_MODEL] = "savedmodel",
        [CORAS_CONTENT_ZLIB] = "zlib",       [CORAS_CONTENT_GZIP] = "gzip",
        [CORAS_CONTENT_ZSTD] = "zstd",       [CORAS_CONTENT_BZIP2] = "bzip2",
        [CORAS_CONTENT_XZ] = "xz",           [CORAS_CONTENT_PARQUET] = "parquet",
        [CORAS_CONTENT_ARROW] = "arrow",     [CORAS_CONTENT_TENSORIZER] = "tensorizer",
        [CORAS_CONTENT_TAR] = "tar",         [CORAS_CONTENT_EXECUTABLE] = "executable",
        [CORAS_CONTENT_SCRIPT] = "script",   [CORAS_CONTENT_JSON] = "json",
        [CORAS_CONTENT_XML] = "xml",
    };

    return (size_t)kind < CORAS_ARRAY_LEN(names) ? names[kind] : names[0];
}
