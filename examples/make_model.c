/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Write a small but real model: make-model DIR
 *
 * DIR/model.safetensors holds three float32 tensors of a bag-of-words classifier behind a true
 * safetensors header (eight bytes of length, JSON, padding), DIR/config.json and DIR/tokenizer.json
 * describe it. The same bytes come out on every machine.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { VOCABULARY = 512, HIDDEN = 64, LABELS = 2 };

struct tensor {
    const char *name;
    size_t rows, columns; /* columns 0: a vector */
};

static const struct tensor tensors[] = {
    {"embeddings.weight", VOCABULARY, HIDDEN},
    {"classifier.weight", LABELS, HIDDEN},
    {"classifier.bias", LABELS, 0},
};

static size_t tensor_bytes(const struct tensor *tensor)
{
    size_t columns = tensor->columns > 0 ? tensor->columns : 1;
    return tensor->rows * columns * sizeof(float);
}

/* Weights in (-0.1, 0.1) from a linear congruential generator: reproducible, not random. */
static float next_weight(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return ((float)(*state >> 8) / (float)(1U << 24) - 0.5F) * 0.2F;
}

static void put_little_endian(FILE *out, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        fputc((int)(value >> (8 * i) & 0xff), out);
}

/* The header's JSON, padded with blanks so that the tensors begin at a multiple of eight. */
static int format_header(char *text, size_t size)
{
    int length = snprintf(text, size, "{\"__metadata__\":{\"format\":\"pt\"}");
    size_t offset = 0;
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        const struct tensor *t = &tensors[i];
        char shape[64];
        if (t->columns > 0)
            snprintf(shape, sizeof shape, "%zu,%zu", t->rows, t->columns);
        else
            snprintf(shape, sizeof shape, "%zu", t->rows);
        length += snprintf(text + length, size - (size_t)length,
                           ",\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                           t->name, shape, offset, offset + tensor_bytes(t));
        offset += tensor_bytes(t);
    }
    length += snprintf(text + length, size - (size_t)length, "}");
    while (length % 8 != 0)
        length += snprintf(text + length, size - (size_t)length, " ");
    return length;
}

static void write_weights(FILE *out)
{
    char header[4096];
    int length = format_header(header, sizeof header);
    put_little_endian(out, (uint64_t)length, 8);
    fwrite(header, 1, (size_t)length, out);
    uint32_t state = 42;
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        for (size_t n = tensor_bytes(&tensors[i]) / sizeof(float); n > 0; n--) {
            float weight = next_weight(&state);
            uint32_t bits;
            memcpy(&bits, &weight, sizeof bits);
            put_little_endian(out, bits, sizeof bits);
        }
    }
}

static void write_config(FILE *out)
{
    fprintf(out,
            "{\n  \"model_type\": \"bag-of-words\",\n  \"architectures\": "
            "[\"BagOfWordsForSequenceClassification\"],\n  \"vocab_size\": %d,\n"
            "  \"hidden_size\": %d,\n  \"id2label\": {\"0\": \"NEGATIVE\", \"1\": \"POSITIVE\"},\n"
            "  \"torch_dtype\": \"float32\"\n}\n",
            VOCABULARY, HIDDEN);
}

static void write_tokenizer(FILE *out)
{
    fprintf(out, "{\n  \"version\": \"1.0\",\n  \"pre_tokenizer\": {\"type\": \"Whitespace\"},\n"
                 "  \"model\": {\"type\": \"WordLevel\", \"unk_token\": \"[UNK]\", \"vocab\": {\n"
                 "    \"[UNK]\": 0");
    for (int i = 1; i < VOCABULARY; i++)
        fprintf(out, ",\n    \"word%03d\": %d", i, i);
    fprintf(out, "\n  }}\n}\n");
}

static bool write_file(const char *directory, const char *name, void (*write)(FILE *))
{
    size_t size = strlen(directory) + strlen(name) + 2;
    char *path = malloc(size);
    if (path == NULL)
        return false;
    snprintf(path, size, "%s/%s", directory, name);
    FILE *out = fopen(path, "wb");
    if (out != NULL)
        write(out);
    bool ok = out != NULL && !ferror(out);
    if (out != NULL && fclose(out) != 0)
        ok = false;
    if (!ok)
        perror(path);
    free(path);
    return ok;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: make-model DIR\n");
        return 2;
    }
    if (mkdir(argv[1], 0777) != 0 && errno != EEXIST) {
        perror(argv[1]);
        return 1;
    }
    return write_file(argv[1], "model.safetensors", write_weights) &&
                   write_file(argv[1], "config.json", write_config) &&
                   write_file(argv[1], "tokenizer.json", write_tokenizer)
               ? 0
               : 1;
}
