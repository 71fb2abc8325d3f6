/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines on stderr about what was left behind. They are no errors: the command did what it was
 * asked.
 */
#include "cli/app/left_behind.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/error.h"
#include "cli/output/text.h"

#define NAMES_SHOWN 5
#define TAGS_SEEN   100 /* about a page; some registries ignore where to begin */

static void put_names(coras_buf *line, const coras_strlist *names)
{
    for (size_t i = 0; i < names->len && i < NAMES_SHOWN; i++) {
        coras_auto_free char *shown = coras_escape_dup(names->items[i]);
        coras_buf_printf(line, "%s\"%s\"", i ? ", " : "", shown ? shown : "");
    }
    if (names->len > NAMES_SHOWN)
        coras_buf_printf(line, " and %zu more", names->len - NAMES_SHOWN);
}

void tell_unused_annotations(const char *path, const coras_strlist *names)
{
    coras_auto_buf line = CORAS_BUF_UNLIMITED;

    if (!names->len)
        return;
    put_names(&line, names);
    if (coras_buf_done(&line, NULL) == 0)
        fprintf(stderr, "WARNING! Annotations in %s that match no file are not used: %s\n", path,
                line.ptr);
}

void tell_part(int64_t left, int64_t whole)
{
    coras_auto_buf missing = CORAS_BUF_UNLIMITED, all = CORAS_BUF_UNLIMITED;

    put_size(&missing, left);
    put_size(&all, whole);
    fprintf(stderr,
            "The layout holds a part: %s of %s were not chosen. The same copy without a selection "
            "completes it.\n",
            missing.ptr, all.ptr);
}

void tell_packed(const coras_model_pack_report *report)
{
    coras_auto_buf line = CORAS_BUF_UNLIMITED;

    for (size_t i = 0; i < report->left_out_count && i < NAMES_SHOWN; i++)
        coras_buf_printf(&line, "%s%s", i ? ", " : "", report->left_out[i]);
    if (report->left_out_count > NAMES_SHOWN)
        coras_buf_printf(&line, " and %zu more", report->left_out_count - NAMES_SHOWN);
    if (line.len && coras_buf_done(&line, NULL) == 0)
        fprintf(stderr, "Left out: %s\n", line.ptr);
    for (size_t i = 0; i < report->warning_count; i++)
        fprintf(stderr, "WARNING! %s\n", report->warnings[i]);
}

/* ---- cosign ---- */

struct looking {
    const char *prefix; /* "sha256-<hex>" */
    coras_strlist tags;
    size_t seen;
};

static bool is_cosign_suffix(const char *suffix)
{
    return coras_streq(suffix, ".sig") || coras_streq(suffix, ".att") ||
           coras_streq(suffix, ".sbom");
}

static bool look_at_tag(const char *tag, void *user)
{
    struct looking *l = user;

    l->seen++;
    if (coras_str_starts(tag, l->prefix) && is_cosign_suffix(tag + strlen(l->prefix)) &&
        coras_strlist_add(&l->tags, tag, NULL) < 0)
        return false;
    return l->seen < TAGS_SEEN;
}

void tell_cosign_tags(coras_target *source, const coras_digest *digest)
{
    coras_auto_buf line = CORAS_BUF_UNLIMITED;
    char prefix[CORAS_DIGEST_TEXT_MAX];
    struct looking l = {.prefix = prefix};

    *strchr(coras_digest_format(digest, prefix), ':') = '-';
    int rc = coras_list_tags(source, prefix, look_at_tag, &l, NULL);
    coras_strlist_sort(&l.tags);
    put_names(&line, &l.tags);
    if (rc == 0 && l.tags.len && coras_buf_done(&line, NULL) == 0)
        fprintf(stderr, "WARNING! What cosign keeps beside it is not copied: %s\n", line.ptr);
    coras_strlist_clear(&l.tags);
}

/* ---- models ---- */

void tell_model_package(const char *program, const char *package, bool is_layout,
                        const char *reference)
{
    if (package)
        fprintf(
            stderr,
            "WARNING! No file was written: the layers of this model package (%s) have no titles. "
            "To get its files run '%s model pull %s%s'\n",
            package, program, is_layout ? "--oci-layout " : "", reference);
}
