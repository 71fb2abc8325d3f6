/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzzer over its corpus without libFuzzer: `fuzz_x [--mutations N] CORPUS-DIR`. Files below
 * accept and refuse must be accepted and refused; every file is also mutated in a fixed
 * pseudo-random way, to see that nothing breaks.
 */
#include "fuzz.h"

#include <dirent.h>

struct run {
    long mutations;
    unsigned files;
    unsigned failures;
    uint64_t random; /* state of a xorshift generator, so that every run is the same */
};

static uint32_t next_random(struct run *run, uint32_t bound)
{
    run->random ^= run->random << 13;
    run->random ^= run->random >> 7;
    run->random ^= run->random << 17;
    return (uint32_t)(run->random >> 32) % bound;
}

static void mutate_once(struct run *run, char *text, size_t *len, size_t cap)
{
    size_t at = next_random(run, (uint32_t)*len + 1);

    switch (next_random(run, 5)) {
    case 0: /* cut */
        *len = at;
        break;
    case 1: /* remove one byte */
        if (at < *len)
            memmove(text + at, text + at + 1, --*len - at);
        break;
    case 2: /* insert one byte */
        if (*len < cap) {
            memmove(text + at + 1, text + at, *len - at);
            text[at] = (char)next_random(run, 256);
            ++*len;
        }
        break;
    case 3: /* repeat what follows */
        if (*len - at <= cap - *len) {
            memmove(text + *len, text + at, *len - at);
            *len += *len - at;
        }
        break;
    default:
        if (at < *len)
            text[at] = (char)(text[at] ^ 1 << next_random(run, 8));
    }
}

static void run_mutations(struct run *run, const char *data, size_t len)
{
    size_t cap = 2 * len + 16;

    for (long i = 0; i < run->mutations; i++) {
        char *text = malloc(cap + 1), *exact;
        size_t mutated = len;
        FUZZ_CHECK(text);
        memcpy(text, data, len);
        for (uint32_t k = 1 + next_random(run, 4); k > 0; k--)
            mutate_once(run, text, &mutated, cap);
        exact = realloc(text, mutated + 1);
        FUZZ_CHECK(exact);
        exact[mutated] = '\0';
        (void)fuzz_one(exact, mutated);
        free(exact);
    }
}

static char *read_whole(const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "rb");
    size_t len = 0, cap = 1 << 16;
    char *data = malloc(cap + 1);

    FUZZ_CHECK(file && data);
    for (size_t n; (n = fread(data + len, 1, cap - len, file)) > 0;) {
        len += n;
        if (len == cap) {
            cap *= 2;
            data = realloc(data, cap + 1);
            FUZZ_CHECK(data);
        }
    }
    FUZZ_CHECK(!ferror(file));
    fclose(file);
    data = realloc(data, len + 1);
    FUZZ_CHECK(data);
    data[len] = '\0';
    *ret_len = len;
    return data;
}

enum expectation { MUST_ACCEPT, MUST_REFUSE, MUST_SURVIVE };

static void run_file(struct run *run, const char *path, enum expectation expected)
{
    size_t len;
    char *data = read_whole(path, &len);
    bool accepted = fuzz_one(data, len);

    run->files++;
    if (expected != MUST_SURVIVE && accepted != (expected == MUST_ACCEPT)) {
        fprintf(stderr, "%s: %s\n", path, accepted ? "was accepted" : "was refused");
        run->failures++;
    }
    run_mutations(run, data, len);
    free(data);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void run_folder(struct run *run, const char *corpus, const char *name,
                       enum expectation expected)
{
    struct dirent **entries = NULL;
    char *folder = NULL;
    int count;

    FUZZ_CHECK(asprintf(&folder, "%s/%s", corpus, name) >= 0);
    count = scandir(folder, &entries, NULL, by_name);
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (entries[i]->d_name[0] != '.') {
            FUZZ_CHECK(asprintf(&path, "%s/%s", folder, entries[i]->d_name) >= 0);
            run_file(run, path, expected);
            free(path);
        }
        free(entries[i]);
    }
    free(entries);
    free(folder);
}

int main(int argc, char **argv)
{
    struct run run = {.mutations = 200, .random = 0x9e3779b97f4a7c15u};
    int at = 1;

    if (argc > 2 && strcmp(argv[1], "--mutations") == 0) {
        run.mutations = strtol(argv[2], NULL, 10);
        at = 3;
    }
    if (argc != at + 1) {
        fprintf(stderr, "usage: %s [--mutations N] CORPUS-DIR\n", argv[0]);
        return 2;
    }
    run_folder(&run, argv[at], "accept", MUST_ACCEPT);
    run_folder(&run, argv[at], "refuse", MUST_REFUSE);
    run_folder(&run, argv[at], "crash", MUST_SURVIVE);
    if (run.files == 0)
        fprintf(stderr, "%s: no files\n", argv[at]);
    return run.failures || run.files == 0;
}
