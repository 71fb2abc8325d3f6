/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a selection took of the content that an operation met.
 */
#include "ops/choosing.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/str.h"
#include "model/mediatypes.h"
#include "oci/descriptor.h"
#include "oci/mediatype.h"

/* Room for the longest name and type that are shown after the last that fits. */
enum { NAME_SHOWN = 200, TYPE_SHOWN = 100, NAMES_BYTES = 8 * CORAS_LIMIT_ERROR_TEXT };

int coras_choosing_init(coras_choosing *c, const coras_selection *given, coras_error **err)
{
    coras_selection selection;

    CORAS_TRY(coras_selection_read(given, &selection, err));
    *c = (coras_choosing){.selection = selection, .names = CORAS_BUF_INIT(NAMES_BYTES)};
    (void)pthread_mutex_init(&c->lock, NULL); /* cannot fail with default attributes */
    return 0;
}

void coras_choosing_clear(coras_choosing *c)
{
    coras_buf_clear(&c->names);
    (void)pthread_mutex_destroy(&c->lock);
}

bool coras_choosing_is_choosy(const coras_choosing *c)
{
    return coras_selection_is_choosy(&c->selection);
}

int coras_content_path(const coras_descriptor *desc, char **ret, coras_error **err)
{
    static const char *const names[] = {CORAS_ANN_TITLE, CORAS_ANN_FILEPATH,
                                        CORAS_ANN_FILEPATH_OLD};

    *ret = NULL;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(names); i++) {
        const char *path = coras_annotations_get(&desc->annotations, names[i]);
        if (!path || !*path)
            continue;
        *ret = coras_path_clean(path);
        return *ret ? 0 : coras_fail_no_memory(err);
    }
    return 0;
}

static void add_bytes(int64_t *sum, int64_t bytes)
{
    if (__builtin_add_overflow(*sum, bytes, sum))
        *sum = INT64_MAX;
}

/* lock held */
static void note_taken(coras_choosing *c, const coras_descriptor *desc)
{
    c->taken++;
    add_bytes(&c->taken_bytes, desc->size);
}

/* lock held */
static void note_left(coras_choosing *c, const char *path, const coras_descriptor *desc)
{
    const char *type = desc->media_type ? desc->media_type : "";

    c->left++;
    add_bytes(&c->left_bytes, desc->size);
    if (c->names.len >= CORAS_LIMIT_ERROR_TEXT) {
        c->more = true;
        return;
    }
    if (c->names.len)
        coras_buf_puts(&c->names, ", ");
    if (path)
        coras_escape(&c->names, path, strlen(path), NAME_SHOWN);
    else
        coras_buf_puts(&c->names, "content without a name");
    coras_buf_puts(&c->names, " (");
    coras_escape(&c->names, type, strlen(type), TYPE_SHOWN);
    coras_buf_putc(&c->names, ')');
}

bool coras_choose(coras_choosing *c, const char *path, const coras_descriptor *desc)
{
    bool takes = coras_selection_matches(&c->selection, path, desc->media_type);

    if (!coras_choosing_is_choosy(c))
        return true;
    (void)pthread_mutex_lock(&c->lock);
    if (takes)
        note_taken(c, desc);
    else
        note_left(c, path, desc);
    (void)pthread_mutex_unlock(&c->lock);
    return takes;
}

bool coras_choose_archive(coras_choosing *c, const coras_descriptor *desc)
{
    coras_selection types = c->selection;

    types.include = types.exclude = NULL;
    if (coras_selection_matches(&types, NULL, desc->media_type))
        return true;
    (void)pthread_mutex_lock(&c->lock);
    note_left(c, NULL, desc);
    (void)pthread_mutex_unlock(&c->lock);
    return false;
}

bool coras_choosing_has_left(coras_choosing *c)
{
    (void)pthread_mutex_lock(&c->lock);
    bool has = c->left > 0;
    (void)pthread_mutex_unlock(&c->lock);
    return has;
}

int coras_choosing_check(coras_choosing *c, coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;

    if (!coras_choosing_is_choosy(c))
        return 0;
    (void)pthread_mutex_lock(&c->lock);
    bool taken = c->taken > 0;
    coras_buf_printf(&shown, "%s%s", c->names.ptr, c->more ? ", …" : "");
    (void)pthread_mutex_unlock(&c->lock);
    if (taken)
        return 0;
    int rc = coras_fail(err, CORAS_ERR_NOTHING_CHOSEN, "nothing matches the selection");
    if (shown.len && coras_buf_done(&shown, NULL) == 0)
        coras_advise_with(err, CORAS_HINT_CONTENT_EXISTS, shown.ptr);
    return rc;
}
