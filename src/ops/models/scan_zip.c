/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zip archives in a scan: the directory is read by ranges, then those members that can hold code.
 * The numbers of a torch.save archive, which are nearly all of it, are not touched.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/vec.h"
#include "ops/models/scan_impl.h"

/* A member that is going to be looked into. */
struct scan_member {
    char *name;
    coras_zip_member m; /* its name is borrowed from `name` */
};

struct scan_zip {
    coras_scan *scan;
    const coras_scan_part *part;
    coras_zip_end end;
    struct {
        struct scan_member *items;
        size_t len, cap;
    } chosen;
    size_t sources;    /* members of source code: they are counted, not read */
    int64_t source_at; /* the first of them */
    size_t unnamed;    /* chosen though their names promise nothing */
    bool left_out;     /* some were not chosen */
};

static void scan_zip_clear(struct scan_zip *z)
{
    coras_vec_foreach (c, &z->chosen) {
        free(c->name);
    }
    free(z->chosen.items);
}

/* ---- choosing members ---- */

/* What torch.save and torch.jit write as numbers and small facts. */
static bool is_torch_data(const char *name)
{
    static const char *const facts[] = {"version", "byteorder", ".format_version",
                                        ".storage_alignment", "serialization_id"};
    const char *base = coras_scan_base_name(name), *data = strstr(name, "/data/");

    if (!data)
        data = strstr(name, "/constants/");
    if (data && base[strspn(base, "0123456789")] == '\0')
        return true;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(facts); i++)
        if (coras_streq(base, facts[i]))
            return true;
    return coras_scan_has_suffix(name, ".debug_pkl") || coras_scan_has_suffix(name, "/");
}

static bool is_chosen(struct scan_zip *z, const char *name)
{
    switch (coras_scan_promise_of(name)) {
    case CORAS_PROMISE_PICKLE:
    case CORAS_PROMISE_DATA:
        return true;
    case CORAS_PROMISE_CODE:
        return false;
    case CORAS_PROMISE_NOTHING:
    case CORAS_PROMISE_SAFETENSORS:
    case CORAS_PROMISE_GGUF:
        break;
    }
    return !is_torch_data(name) && z->unnamed++ < CORAS_LIMIT_SCAN_MEMBERS;
}

static int choose(struct scan_zip *z, const coras_zip_member *m, char **name, coras_error **err)
{
    if (coras_vec_grow(&z->chosen, 1) < 0)
        return coras_fail_no_memory(err);
    struct scan_member *c = &z->chosen.items[z->chosen.len++];
    *c = (struct scan_member){.name = coras_steal(name), .m = *m};
    c->m.name = (coras_str){c->name, m->name.len};
    return 0;
}

static int find_name(struct scan_zip *z, const coras_zip_member *m, const char *name,
                     coras_error **err)
{
    coras_auto_free char *shown = coras_escape_dup(name);

    if (!shown)
        return coras_fail_no_memory(err);
    if (coras_scan_leaves(name))
        CORAS_TRY(coras_scan_find(z->scan, z->part, m->header_at, "path", CORAS_SEVERITY_HIGH, err,
                                  "a member that leaves the archive: %s", shown));
    if (m->is_link)
        CORAS_TRY(coras_scan_find(z->scan, z->part, m->header_at, "link", CORAS_SEVERITY_MEDIUM,
                                  err, "a member that is a link: %s", shown));
    return 0;
}

static int take_member(void *user, const coras_zip_member *m, coras_error **err)
{
    struct scan_zip *z = user;
    coras_auto_free char *name = coras_strndup(m->name.ptr, m->name.len);

    if (!name)
        return coras_fail_no_memory(err);
    CORAS_TRY(find_name(z, m, name, err));
    if (coras_scan_promise_of(name) == CORAS_PROMISE_CODE) {
        if (z->sources++ == 0)
            z->source_at = m->header_at;
        return 0;
    }
    if (m->size == 0 || !is_chosen(z, name)) {
        z->left_out |= m->size > 0 && !is_torch_data(name);
        return 0;
    }
    if (z->chosen.len >= CORAS_LIMIT_SCAN_CHOSEN || m->name.len > CORAS_LIMIT_PATH) {
        z->left_out = true;
        return 0;
    }
    return choose(z, m, &name, err);
}

/* ---- the directory ---- */

static int feed_directory(void *user, const void *data, size_t len, coras_error **err)
{
    return coras_zip_directory_feed(user, data, len, err);
}

/* The tail is mostly all of the directory, and a small file is all in its head. */
static int read_tail(struct scan_zip *z, const coras_buf *head, coras_buf *ret, coras_error **err)
{
    int64_t size = z->part->size, length = size < CORAS_ZIP_TAIL ? size : CORAS_ZIP_TAIL;
    const coras_sink sink = coras_sink_buf(ret);

    if ((int64_t)head->len == size) {
        coras_buf_put(ret, head->ptr + (size - length), (size_t)length);
        return coras_buf_done(ret, err);
    }
    return coras_scan_range(z->scan, z->part, size - length, length, &sink, err);
}

static int read_directory(struct scan_zip *z, const coras_buf *head, coras_error **err)
{
    coras_auto_buf tail = CORAS_BUF_INIT(CORAS_ZIP_TAIL);
    const coras_zip_visitor visitor = {take_member, z};
    coras_auto(coras_zip_directory) directory = NULL;
    const coras_zip_end *end = &z->end;

    CORAS_TRY(read_tail(z, head, &tail, err));
    CORAS_TRY(coras_zip_find_end(tail.ptr, tail.len, z->part->size, &z->end, err));
    CORAS_TRY(coras_zip_directory_new(end, &visitor, &directory, err));
    int64_t tail_at = z->part->size - (int64_t)tail.len;
    if (end->directory_at >= tail_at)
        CORAS_TRY(coras_zip_directory_feed(directory, tail.ptr + (end->directory_at - tail_at),
                                           (size_t)end->directory_size, err));
    else {
        const coras_sink sink = {feed_directory, directory};
        CORAS_TRY(
            coras_scan_range(z->scan, z->part, end->directory_at, end->directory_size, &sink, err));
    }
    return coras_zip_directory_finish(directory, err);
}

static int note_surroundings(const struct scan_zip *z, coras_error **err)
{
    if (z->end.before > 0)
        CORAS_TRY(coras_scan_find(z->scan, z->part, 0, "archive", CORAS_SEVERITY_MEDIUM, err,
                                  "%lld bytes before a zip archive, which some readers take for "
                                  "another file",
                                  (long long)z->end.before));
    if (z->end.behind > 0)
        CORAS_TRY(coras_scan_find(z->scan, z->part, z->part->size - z->end.behind, "archive",
                                  CORAS_SEVERITY_MEDIUM, err, "%lld bytes behind a zip archive",
                                  (long long)z->end.behind));
    return 0;
}

/* ---- members ---- */

/* Where the bytes of a member begin. */
static int locate(const struct scan_zip *z, const struct scan_member *c, int64_t *ret,
                  coras_error **err)
{
    size_t want = CORAS_ZIP_HEADER + c->m.name.len;
    coras_auto_buf header = CORAS_BUF_INIT(CORAS_ZIP_HEADER + CORAS_LIMIT_PATH);
    const coras_sink sink = coras_sink_buf(&header);

    CORAS_TRY(coras_scan_range(z->scan, z->part, c->m.header_at, (int64_t)want, &sink, err));
    CORAS_TRY(coras_zip_member_data(&c->m, header.ptr, header.len, ret, err));
    if (*ret > z->end.directory_at || c->m.packed > z->end.directory_at - *ret)
        return coras_fail(err, CORAS_ERR_INVALID_MODEL,
                          "zip archive: a member reaches into the directory");
    return 0;
}

static int scan_member_content(const struct scan_zip *z, const struct scan_member *c,
                               coras_error **err)
{
    coras_scan_part part = {.file = z->part->file,
                            .name = c->name,
                            .is_member = true,
                            .depth = z->part->depth + 1,
                            .size = c->m.packed,
                            .is_deflated = c->m.method == CORAS_ZIP_DEFLATED,
                            .plain_size = c->m.size};

    CORAS_TRY(locate(z, c, &part.at, err));
    part.at += z->part->at;
    return coras_scan_content(z->scan, &part, err);
}

static int scan_chosen(const struct scan_zip *z, const struct scan_member *c, coras_error **err)
{
    coras_scan_part at = *z->part;
    coras_auto(coras_error) failure = NULL;

    at.name = c->name;
    at.is_member = true;
    if (c->m.encrypted || (c->m.method != CORAS_ZIP_STORED && c->m.method != CORAS_ZIP_DEFLATED)) {
        CORAS_TRY(coras_scan_find(z->scan, &at, c->m.header_at, "archive", CORAS_SEVERITY_MEDIUM,
                                  err, "a member that cannot be looked into"));
        return coras_scan_not_looked(z->scan, &at, "encrypted, or packed in an unknown way", err);
    }
    int rc = scan_member_content(z, c, &failure);
    if (rc == CORAS_ERR_INVALID_MODEL || rc == CORAS_ERR_UNSAFE_ARCHIVE ||
        rc == CORAS_ERR_TOO_LARGE)
        CORAS_TRY(coras_scan_find(z->scan, &at, c->m.header_at, "archive", CORAS_SEVERITY_HIGH, err,
                                  "%s", coras_error_message(failure)));
    return coras_scan_forgive(z->scan, &at, rc, &failure, err);
}

static int scan_archive(struct scan_zip *z, const coras_buf *head, coras_error **err)
{
    CORAS_TRY(read_directory(z, head, err));
    CORAS_TRY(note_surroundings(z, err));
    coras_vec_foreach (c, &z->chosen)
        CORAS_TRY(scan_chosen(z, c, err));
    if (z->sources > 0)
        CORAS_TRY(coras_scan_find(z->scan, z->part, z->source_at, "code", CORAS_SEVERITY_LOW, err,
                                  "%zu members of source code", z->sources));
    if (z->left_out)
        CORAS_TRY(coras_scan_not_looked(z->scan, z->part, "not every member was looked into", err));
    return coras_scan_looked(z->scan, z->part, err);
}

int coras_scan_zip(coras_scan *s, const coras_scan_part *part, const coras_buf *head,
                   coras_error **err)
{
    struct scan_zip z = {.scan = s, .part = part};
    coras_auto(coras_error) failure = NULL;

    bool may = false;

    CORAS_TRY(coras_scan_may_open(s, part, &may, err));
    if (!may)
        return 0;
    int rc = scan_archive(&z, head, &failure);
    scan_zip_clear(&z);
    if (rc == CORAS_ERR_INVALID_MODEL || rc == CORAS_ERR_TOO_LARGE)
        CORAS_TRY(coras_scan_find(s, part, 0, "archive", CORAS_SEVERITY_HIGH, err, "%s",
                                  coras_error_message(failure)));
    return coras_scan_forgive(s, part, rc, &failure, err);
}
