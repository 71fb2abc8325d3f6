/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Annotations and file arguments of the commands that pack files.
 */
#include "cli/options/packer.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "cli/options/fileref.h"
#include "cli/options/outfile.h"
#include "cli/app/auto.h"
#include "cli/app/left_behind.h"

#define PACKER_AT(member) OPT_AT(struct packer_options, member)
#define ANNOTATION_OPTION                                                                          \
    {                                                                                              \
        "annotation", 'a', OPT_LIST, 0, PACKER_AT(annotation), NULL, "manifest annotations", NULL  \
    }

const struct opt packer_options[] = {
    ANNOTATION_OPTION,
    {"annotation-file", 0, OPT_STRING, 0, PACKER_AT(annotation_file), NULL,
     "path of the annotation file", NULL},
    {"export-manifest", 0, OPT_STRING, 0, PACKER_AT(export_manifest), NULL,
     "`path` of the pushed manifest", NULL},
    {"disable-path-validation", 0, OPT_BOOL, 0, PACKER_AT(disable_path_validation), NULL,
     "skip path validation", NULL},
    {"follow-links", 0, OPT_BOOL, 0, PACKER_AT(follow_links), NULL,
     "pack what symbolic links lead to that leave a directory", NULL},
    OPT_END,
};
const struct opt annotation_options[] = {ANNOTATION_OPTION, OPT_END};

/* ---- paths ---- */

static int check_paths(char **files, size_t count, coras_error **err)
{
    coras_auto_buf absolute = CORAS_BUF_UNLIMITED;
    for (size_t i = 0; i < count; i++) {
        coras_auto_free char *path = NULL;
        const char *type = NULL;
        CORAS_TRY(fileref_split(files[i], &path, &type, err));
        if (path[0] == '/')
            coras_buf_printf(&absolute, "%s%s", absolute.len ? ", " : "", path);
    }
    CORAS_TRY(coras_buf_done(&absolute, err));
    if (absolute.len == 0)
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                      "absolute file paths are insecure and not recommended. If it's intentional, "
                      "use --disable-path-validation flag to skip this check: %s",
                      absolute.ptr);
}

/* ---- annotations ---- */

int parse_annotation_flags(const struct opt_list *flags, coras_annotations *ret, coras_error **err)
{
    for (size_t i = 0; i < flags->len; i++) {
        const char *equals = strchr(flags->items[i], '=');
        if (!equals)
            return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                              "annotation value doesn't match the required format\nPlease use the "
                              "correct format in the flag: --annotation \"key=value\"");
        coras_auto_free char *key =
            coras_strndup(flags->items[i], (size_t)(equals - flags->items[i]));
        if (!key)
            return coras_fail_no_memory(err);
        if (coras_annotations_get(ret, key))
            return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "duplicate annotation key: %s, ",
                              key);
        CORAS_TRY(coras_annotations_set(ret, key, equals + 1, err));
    }
    return 0;
}

/* null is what Go takes for an empty string. */
static int read_members(const coras_json *object, coras_annotations *ret, coras_error **err)
{
    void *iter = NULL;
    const char *key = NULL;
    const coras_json *value = NULL;

    while (coras_json_next(object, &iter, &key, &value)) {
        const char *text = "";
        if (!coras_json_string(value, &text) && coras_json_type_of(value) != CORAS_JSON_NULL)
            return coras_fail(err, CORAS_ERR_INVALID_JSON, "%s: not a string", key);
        CORAS_TRY(coras_annotations_set(ret, key, text, err));
    }
    return 0;
}

static int read_object(const coras_json *file, const char *key, coras_annotations *ret,
                       coras_error **err)
{
    const coras_json *object = coras_json_get(file, key);
    if (coras_json_type_of(object) == CORAS_JSON_NULL)
        return 0;
    if (coras_json_type_of(object) != CORAS_JSON_OBJECT)
        return coras_fail(err, CORAS_ERR_INVALID_JSON, "%s: not an object", key);
    return read_members(object, ret, err);
}

/* The whole file must have the shape, also the parts that match no file. null is an empty one. */
static int check_shape(const coras_json *file, coras_error **err)
{
    if (coras_json_type_of(file) == CORAS_JSON_NULL)
        return 0;
    if (coras_json_type_of(file) != CORAS_JSON_OBJECT)
        return coras_fail(err, CORAS_ERR_INVALID_JSON, "not an object");
    void *iter = NULL;
    const char *key = NULL;
    const coras_json *value = NULL;
    while (coras_json_next(file, &iter, &key, &value)) {
        coras_auto_value(coras_annotations) ignored = {0};
        CORAS_TRY(read_object(file, key, &ignored, err));
    }
    return 0;
}

static int load_annotation_file(struct packer_options *p, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    CORAS_TRY(
        coras_read_file(AT_FDCWD, p->annotation_file.value, CORAS_LIMIT_MANIFEST, &text, err));
    CORAS_TRY(coras_json_parse_prefix(text.ptr, text.len, &p->file_annotations, err));
    CORAS_TRY(check_shape(p->file_annotations, err));
    CORAS_TRY(read_object(p->file_annotations, "$manifest", &p->manifest, err));
    return read_object(p->file_annotations, "$config", &p->config, err);
}

int packer_check(struct packer_options *p, char **files, size_t count, coras_error **err)
{
    if (!p->disable_path_validation.value)
        CORAS_TRY(check_paths(files, count, err));
    if (p->annotation.len && *p->annotation_file.value)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "`--annotation` and `--annotation-file` cannot be both specified");
    if (!*p->annotation_file.value)
        return parse_annotation_flags(&p->annotation, &p->manifest, err);
    coras_auto(coras_error) cause = NULL;
    if (load_annotation_file(p, &cause) == 0)
        return 0;
    return coras_fail(
        err, CORAS_ERR_INVALID_ARGUMENT,
        "invalid annotation json file: failed to load annotations from %s\nAnnotation file doesn't "
        "match the required format. Please refer to the document at "
        "https://oras.land/docs/how_to_guides/manifest_annotations",
        p->annotation_file.value);
}

void packer_clear(struct packer_options *p)
{
    coras_annotations_clear(&p->manifest);
    coras_annotations_clear(&p->config);
    coras_json_free(p->file_annotations);
}

/* ---- files ---- */

static int make_file(const struct packer_options *p, const char *argument, coras_file *ret,
                     coras_annotations *annotations, coras_error **err)
{
    char *path = NULL;
    CORAS_TRY(fileref_split(argument, &path, &ret->media_type, err));
    ret->path = path;
    ret->annotations = annotations;
    return p->file_annotations ? read_object(p->file_annotations, path, annotations, err) : 0;
}

int packed_files_make(const struct packer_options *p, char **files, size_t count,
                      struct packed_files *ret, coras_error **err)
{
    ret->items = coras_calloc(count + 1, sizeof(*ret->items));
    ret->annotations = coras_calloc(count + 1, sizeof(*ret->annotations));
    if (!ret->items || !ret->annotations)
        return coras_fail_no_memory(err);
    ret->len = count;
    for (size_t i = 0; i < count; i++)
        CORAS_TRY(make_file(p, files[i], &ret->items[i], &ret->annotations[i], err));
    return 0;
}

static bool is_file(const struct packed_files *files, const char *name)
{
    for (size_t i = 0; i < files->len; i++)
        if (coras_streq(files->items[i].path, name))
            return true;
    return false;
}

void tell_annotations_without_file(const struct packer_options *p, const struct packed_files *files)
{
    coras_auto_value(coras_strlist) unused = {0};
    void *iter = NULL;
    const char *key = NULL;
    const coras_json *value = NULL;

    if (coras_json_type_of(p->file_annotations) != CORAS_JSON_OBJECT)
        return;
    while (coras_json_next(p->file_annotations, &iter, &key, &value))
        if (*key != '$' && !is_file(files, key) && coras_strlist_add(&unused, key, NULL) < 0)
            return; /* the push itself will say that memory is short */
    tell_unused_annotations(p->annotation_file.value, &unused);
}

void packed_files_clear(struct packed_files *files)
{
    for (size_t i = 0; files->annotations && i < files->len; i++)
        coras_annotations_clear(&files->annotations[i]);
    for (size_t i = 0; files->items && i < files->len; i++)
        free((void *)(uintptr_t)files->items[i].path); /* made by make_file */
    free(files->items);
    free(files->annotations);
}

int packer_export(const struct packer_options *p, const char *bytes, size_t len, coras_error **err)
{
    const char *path = p->export_manifest.value;
    return *path ? outfile_write(path, bytes, len, err) : 0;
}
