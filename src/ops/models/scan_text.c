/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text in a scan: templates, configurations that name code, source.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "codec/json.h"
#include "model/pickle_imports.h"
#include "model/template_check.h"
#include "ops/models/scan_impl.h"

/* ---- templates ---- */

int coras_scan_template(coras_scan *s, const coras_scan_part *part, int64_t offset,
                        const char *what, coras_str text, coras_error **err)
{
    const char *word = NULL;
    size_t at = 0;
    enum coras_severity severity = coras_template_check(text, &word, &at);

    if (!word)
        return coras_scan_find(s, part, offset, "template", severity, err, "%s, plain", what);
    return coras_scan_find(s, part, offset + (int64_t)at, "template", severity, err,
                           "%s that reaches for %s", what, word);
}

/* Text of a template as a member of JSON: offsets within it mean nothing in the file. */
static int check_member(coras_scan *s, const coras_scan_part *part, const char *text,
                        coras_error **err)
{
    const char *word = NULL;
    size_t at = 0;
    enum coras_severity severity = coras_template_check(coras_str_of(text), &word, &at);

    return coras_scan_find(s, part, 0, "template", severity, err, "chat template%s%s",
                           word ? " that reaches for " : ", plain", word ? word : "");
}

/* "chat_template": a text, or a list of {"name", "template"}. */
static int check_chat_template(coras_scan *s, const coras_scan_part *part, const coras_json *value,
                               coras_error **err)
{
    const char *text = NULL;

    if (coras_json_string(value, &text))
        return check_member(s, part, text, err);
    for (size_t i = 0; i < coras_json_len(value); i++) {
        text = coras_json_get_string(coras_json_at(value, i), "template");
        if (text)
            CORAS_TRY(check_member(s, part, text, err));
    }
    return 0;
}

/* ---- code that a configuration names ---- */

/* "modeling_x.Net" and "someone/else--modeling_x.Net": the file's name is kept. */
static int note_code(coras_scan *s, const coras_scan_part *part, const char *key, const char *name,
                     coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_INIT(CORAS_LIMIT_SCAN_DETAIL);
    const char *elsewhere = strstr(name, "--");
    const char *module = elsewhere ? elsewhere + 2 : name, *dot = strchr(module, '.');

    coras_escape(&shown, name, strlen(name), CORAS_LIMIT_COMPONENT);
    if (dot && !elsewhere) {
        coras_auto_free char *file = coras_asprintf("%.*s.py", (int)(dot - module), module);
        if (!file)
            return coras_fail_no_memory(err);
        CORAS_TRY(coras_strlist_add(&s->loaded_code, file, err));
    }
    return coras_scan_find(s, part, 0, "code", CORAS_SEVERITY_MEDIUM, err,
                           "%s names code%s that a loader runs: %s", key,
                           elsewhere ? " of another repository" : "", shown.ptr);
}

static int note_code_values(coras_scan *s, const coras_scan_part *part, const char *key,
                            const coras_json *value, coras_error **err)
{
    const char *name = NULL;

    if (coras_json_string(value, &name))
        return note_code(s, part, key, name, err);
    for (size_t i = 0; i < coras_json_len(value); i++)
        if (coras_json_string(coras_json_at(value, i), &name))
            CORAS_TRY(note_code(s, part, key, name, err));
    return 0;
}

static int check_auto_map(coras_scan *s, const coras_scan_part *part, const coras_json *map,
                          coras_error **err)
{
    void *iter = NULL;
    const char *key = NULL;
    const coras_json *value = NULL;

    if (coras_json_type_of(map) != CORAS_JSON_OBJECT)
        return note_code_values(s, part, "auto_map", map, err);
    while (coras_json_next(map, &iter, &key, &value))
        CORAS_TRY(note_code_values(s, part, "auto_map", value, err));
    return 0;
}

/* {"task": {"impl": "module.Class"}} */
static int check_pipelines(coras_scan *s, const coras_scan_part *part, const coras_json *map,
                           coras_error **err)
{
    void *iter = NULL;
    const char *key = NULL;
    const coras_json *value = NULL;

    while (coras_json_next(map, &iter, &key, &value)) {
        const char *name = coras_json_get_string(value, "impl");
        if (name)
            CORAS_TRY(note_code(s, part, "custom_pipelines", name, err));
    }
    return 0;
}

/* sentence-transformers: [{"type": "module.Class", "path": ...}] */
static int check_modules(coras_scan *s, const coras_scan_part *part, const coras_json *list,
                         coras_error **err)
{
    for (size_t i = 0; i < coras_json_len(list); i++) {
        const char *name = coras_json_get_string(coras_json_at(list, i), "type");
        if (name && !coras_str_starts(name, "sentence_transformers."))
            CORAS_TRY(note_code(s, part, "modules.json", name, err));
    }
    return 0;
}

/* ---- Keras ---- */

static bool is_keras_module(const char *module)
{
    static const char *const known[] = {"keras", "tensorflow", "tf_keras", "builtins"};
    for (size_t i = 0; i < CORAS_ARRAY_LEN(known); i++) {
        size_t len = strlen(known[i]);
        if (strncmp(module, known[i], len) == 0 && (module[len] == '.' || module[len] == '\0'))
            return true;
    }
    return false;
}

/* An object of Keras: {"module", "class_name", ...}. */
static int check_keras_object(coras_scan *s, const coras_scan_part *part, const coras_json *object,
                              coras_error **err)
{
    const char *name = coras_json_get_string(object, "class_name");
    const char *module = coras_json_get_string(object, "module");
    coras_auto_buf shown = CORAS_BUF_INIT(CORAS_LIMIT_SCAN_DETAIL);

    if (!name)
        return 0;
    if (coras_streq(name, "Lambda") || coras_streq(name, "__lambda__"))
        return coras_scan_find(s, part, 0, "code", CORAS_SEVERITY_MEDIUM, err,
                               "a Lambda layer of Keras, whose code runs when it is loaded");
    if (!module || is_keras_module(module))
        return 0;
    coras_escape(&shown, module, strlen(module), CORAS_LIMIT_COMPONENT);
    coras_buf_putc(&shown, '.');
    coras_escape(&shown, name, strlen(name), CORAS_LIMIT_COMPONENT);
    bool dangerous = coras_pickle_judge(module, name) == CORAS_SEVERITY_HIGH;
    return coras_scan_find(s, part, 0, "code",
                           dangerous ? CORAS_SEVERITY_HIGH : CORAS_SEVERITY_MEDIUM, err,
                           "Keras imports %s", shown.ptr);
}

static int check_keras(coras_scan *s, const coras_scan_part *part, const coras_json *value,
                       int depth, coras_error **err)
{
    void *iter = NULL;
    const char *key = NULL;
    const coras_json *child = NULL;

    if (depth > CORAS_LIMIT_SCAN_KERAS_DEPTH)
        return coras_scan_not_looked(s, part, "objects of Keras nested too deep", err);
    if (coras_json_type_of(value) == CORAS_JSON_ARRAY) {
        for (size_t i = 0; i < coras_json_len(value); i++)
            CORAS_TRY(check_keras(s, part, coras_json_at(value, i), depth + 1, err));
        return 0;
    }
    if (coras_json_type_of(value) != CORAS_JSON_OBJECT)
        return 0;
    CORAS_TRY(check_keras_object(s, part, value, err));
    while (coras_json_next(value, &iter, &key, &child))
        CORAS_TRY(check_keras(s, part, child, depth + 1, err));
    return 0;
}

/* ---- JSON ---- */

static int check_document(coras_scan *s, const coras_scan_part *part, const coras_json *root,
                          coras_error **err)
{
    if (coras_streq(coras_scan_base_name(part->name), "modules.json") &&
        coras_json_type_of(root) == CORAS_JSON_ARRAY)
        CORAS_TRY(check_modules(s, part, root, err));
    if (coras_json_get(root, "auto_map"))
        CORAS_TRY(check_auto_map(s, part, coras_json_get(root, "auto_map"), err));
    if (coras_json_get(root, "custom_pipelines"))
        CORAS_TRY(check_pipelines(s, part, coras_json_get(root, "custom_pipelines"), err));
    if (coras_json_get(root, "chat_template"))
        CORAS_TRY(check_chat_template(s, part, coras_json_get(root, "chat_template"), err));
    if (coras_json_get(root, "class_name") || part->is_member)
        CORAS_TRY(check_keras(s, part, root, 0, err));
    return 0;
}

static int read_document(coras_scan *s, const coras_scan_part *part, const coras_buf *head,
                         coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_SCAN_DOCUMENT);
    coras_auto(coras_json) root = NULL;
    coras_auto(coras_error) failure = NULL;
    const coras_sink sink = coras_sink_buf(&text);

    if (part->plain_size > CORAS_LIMIT_SCAN_DOCUMENT)
        return coras_scan_not_looked(s, part, "a document of that size is not read", err);
    CORAS_TRY(coras_scan_stream(s, part, head, 0, -1, &sink, err));
    int rc = coras_json_parse_prefix(text.ptr, text.len, &root, &failure);
    if (rc < 0)
        return coras_scan_forgive(s, part, rc, &failure, err);
    CORAS_TRY(check_document(s, part, root, err));
    return coras_scan_looked(s, part, err);
}

/* Documents that may name code or hold templates. Others of JSON (vocabularies) are data. */
static bool is_configuration(const coras_scan_part *part)
{
    return coras_scan_has_suffix(part->name, "config.json") ||
           coras_scan_has_suffix(part->name, "chat_template.json") ||
           (coras_scan_has_suffix(part->name, ".json") && part->plain_size <= CORAS_SCAN_HEAD);
}

/* ---- the rest ---- */

static int whole_template(coras_scan *s, const coras_scan_part *part, const coras_buf *head,
                          coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_SCAN_DOCUMENT);
    const coras_sink sink = coras_sink_buf(&text);

    CORAS_TRY(coras_scan_stream(s, part, head, 0, CORAS_LIMIT_SCAN_DOCUMENT, &sink, err));
    CORAS_TRY(
        coras_scan_template(s, part, 0, "chat template", (coras_str){text.ptr, text.len}, err));
    if (part->plain_size > CORAS_LIMIT_SCAN_DOCUMENT)
        CORAS_TRY(coras_scan_not_looked(s, part, "only its beginning was read", err));
    return coras_scan_looked(s, part, err);
}

/* Ollama's templates are Go's, and reach nothing. */
static bool is_template(const char *name)
{
    return coras_scan_has_suffix(name, ".jinja") || coras_scan_has_suffix(name, ".jinja2") ||
           coras_scan_has_suffix(name, ".j2");
}

int coras_scan_text(coras_scan *s, const coras_scan_part *part, const coras_buf *head,
                    coras_error **err)
{
    if (is_template(part->name))
        return whole_template(s, part, head, err);
    if (is_configuration(part))
        return read_document(s, part, head, err);
    return coras_scan_looked(s, part, err);
}
