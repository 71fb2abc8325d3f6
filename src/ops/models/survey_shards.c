/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking for parts of a model that are not there (survey_shards.h).
 */
#include "ops/models/survey_shards.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/vec.h"
#include "model/shards.h"
#include "ops/models/index.h"

enum { READ_BYTES = 64 * CORAS_KIB };

static int warn_missing(const char *who, size_t count, const coras_strlist *names,
                        coras_strlist *warnings, coras_error **err)
{
    enum { SHOWN = 3 };
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    coras_buf_printf(&text, "%s: %zu file%s of the model %s missing: ", who, count,
                     count == 1 ? "" : "s", count == 1 ? "is" : "are");
    for (size_t i = 0; i < names->len && i < SHOWN; i++) {
        coras_auto_free char *shown = coras_escape_dup(names->items[i]);
        coras_buf_printf(&text, "%s%s", i ? ", " : "", shown ? shown : "");
    }
    if (count > SHOWN)
        coras_buf_puts(&text, ", ...");
    CORAS_TRY(coras_buf_done(&text, err));
    return coras_strlist_add(warnings, text.ptr, err);
}

/* ---- names that count ---- */

static int check_names(const coras_model_dir *dir, coras_strlist *warnings, coras_error **err)
{
    coras_auto_free const char **paths = coras_calloc(dir->files.len, sizeof(*paths));
    coras_auto_value(coras_shard_series) series = {0};

    if (!paths)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < dir->files.len; i++)
        paths[i] = dir->files.items[i].path;
    CORAS_TRY(coras_shards_check(paths, dir->files.len, &series, err));
    if (series.present >= series.expected)
        return 0;
    return warn_missing("names of shards", (size_t)(series.expected - series.present),
                        &series.missing, warnings, err);
}

/* ---- index.json ---- */

static bool has_file(const coras_model_dir *dir, const char *path)
{
    coras_vec_foreach (file, &dir->files)
        if (coras_streq(file->path, path))
            return true;
    return false;
}

static int read_index(const struct coras_model_dir_file *file, coras_shard_index *ret,
                      coras_error **err)
{
    coras_auto(coras_shard_index_reader) reader = NULL;
    coras_auto_free char *buffer = coras_malloc(READ_BYTES);
    int64_t offset = 0;
    size_t got = 0;

    if (!buffer)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_shard_index_reader_new(NULL, NULL, &reader, err));
    do {
        CORAS_TRY(coras_pread_full(file->fd, buffer, READ_BYTES, offset, &got, err));
        CORAS_TRY(coras_shard_index_feed(reader, buffer, got, err));
        offset += (int64_t)got;
    } while (got > 0);
    return coras_shard_index_finish(reader, ret, err);
}

/* Files that the index names, beside itself. */
static int find_missing(const coras_model_dir *dir, const char *path,
                        const coras_shard_index *index, coras_strlist *ret, coras_error **err)
{
    size_t parent = strlen(path) - strlen(coras_path_base(path));

    for (size_t i = 0; i < index->files.len; i++) {
        coras_auto_free char *shard =
            coras_asprintf("%.*s%s", (int)parent, path, index->files.items[i]);
        if (!shard)
            return coras_fail_no_memory(err);
        if (!has_file(dir, shard))
            CORAS_TRY(coras_strlist_add(ret, shard, err));
    }
    return 0;
}

static int check_index(const coras_model_dir *dir, const struct coras_model_dir_file *file,
                       coras_strlist *warnings, coras_error **err)
{
    coras_auto_value(coras_shard_index) index = {0};
    coras_auto_value(coras_strlist) missing = {0};
    coras_auto(coras_error) failure = NULL;

    if (read_index(file, &index, &failure) < 0) {
        coras_auto_free char *text =
            coras_asprintf("%s: %s", file->path, coras_error_message(failure));
        return text ? coras_strlist_add(warnings, text, err) : coras_fail_no_memory(err);
    }
    CORAS_TRY(find_missing(dir, file->path, &index, &missing, err));
    return missing.len ? warn_missing(file->path, missing.len, &missing, warnings, err) : 0;
}

int coras_model_survey_shards(const coras_model_dir *dir, coras_strlist *warnings,
                              coras_error **err)
{
    CORAS_TRY(check_names(dir, warnings, err));
    coras_vec_foreach (file, &dir->files)
        if (coras_model_is_index(file->path))
            CORAS_TRY(check_index(dir, file, warnings, err));
    return 0;
}
