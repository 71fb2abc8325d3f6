/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tar headers as Go's archive/tar writes them, byte for byte: the digest of a packed directory is
 * compared with the one that Go programs compute.
 */
#include "codec/tar.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "codec/tar_format.h"

static bool is_ascii(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s >= 0x80)
            return false;
    return true;
}

/* Like Go's formatString: a text that fills its field has no terminator. */
static void put_string(unsigned char *block, struct coras_tar_field f, const char *s, size_t len)
{
    memcpy(block + f.offset, s, len < f.size ? len : f.size);
    if (len > f.size && block[f.offset + f.size - 1] == '/') {
        /* A regular file must not look like a directory to readers that ignore the PAX path. */
        size_t n = f.size - 1;
        while (n > 0 && block[f.offset + n - 1] == '/')
            n--;
        block[f.offset + n] = 0;
    }
}

/* The same without the bytes that ASCII lacks: what a PAX entry leaves for old readers. */
static void put_ascii(unsigned char *block, struct coras_tar_field f, const char *s)
{
    char ascii[CORAS_TAR_BLOCK]; /* more than any field, so that "too long" is still seen */
    size_t len = 0;
    for (; *s && len <= f.size; s++)
        if ((unsigned char)*s < 0x80)
            ascii[len++] = *s;
    put_string(block, f, ascii, len);
}

static bool fits_octal(struct coras_tar_field f, int64_t n)
{
    return n >= 0 && n < INT64_C(1) << (3 * (f.size - 1));
}

/* Digits fill the field but for a terminating NUL; 0 stands for what does not fit (PAX says it). */
static void put_octal(unsigned char *block, struct coras_tar_field f, int64_t n)
{
    if (!fits_octal(f, n))
        n = 0;
    for (size_t i = f.size - 1; i-- > 0; n >>= 3)
        block[f.offset + i] = (unsigned char)('0' + (n & 7));
}

static void finish_block(unsigned char *block)
{
    memcpy(block + TAR_MAGIC,
           "ustar\0"
           "00",
           8);
    memset(block + TAR_CHECKSUM.offset, ' ', TAR_CHECKSUM.size);
    int64_t sum = 0;
    for (size_t i = 0; i < CORAS_TAR_BLOCK; i++)
        sum += block[i];
    block[TAR_CHECKSUM.offset + 6] = 0;
    put_octal(block, (struct coras_tar_field){TAR_CHECKSUM.offset, 7}, sum);
}

/* Position of the '/' at which ustar can split a long name in two; 0 when it cannot. */
static size_t split_point(const char *name, size_t len)
{
    if (len <= TAR_NAME.size || !is_ascii(name))
        return 0;
    size_t end = len;
    if (end > TAR_PREFIX.size + 1)
        end = TAR_PREFIX.size + 1;
    else if (name[end - 1] == '/')
        end--;
    const char *slash = memrchr(name, '/', end);
    if (!slash || slash == name)
        return 0;
    size_t prefix = (size_t)(slash - name);
    size_t rest = len - prefix - 1;
    return rest == 0 || rest > TAR_NAME.size || prefix > TAR_PREFIX.size ? 0 : prefix;
}

/* One PAX record "<length> key=value\n"; the length counts itself. */
static void put_pax_record(coras_buf *out, const char *key, const char *value)
{
    size_t rest = strlen(key) + strlen(value) + 3; /* blank, '=', newline */
    size_t total = rest;
    for (;;) {
        int digits = snprintf(NULL, 0, "%zu", total);
        if (rest + (size_t)digits == total)
            break;
        total = rest + (size_t)digits;
    }
    coras_buf_printf(out, "%zu %s=%s\n", total, key, value);
}

static void put_pax_number(coras_buf *out, const char *key, int64_t n)
{
    char digits[sizeof("-9223372036854775808")];
    (void)snprintf(digits, sizeof(digits), "%lld", (long long)n);
    put_pax_record(out, key, digits);
}

static bool needs_pax_text(const char *s, size_t field_size)
{
    return strlen(s) > field_size || !is_ascii(s);
}

/*
 * The records that ustar's fields cannot hold, sorted by key. `*required` tells whether one of them
 * forces PAX: a long name that can be split does not, but is told too once PAX is needed.
 */
static void collect_pax(const coras_tar_entry *e, coras_buf *records, bool *required)
{
    *required = false;
    if (needs_pax_text(e->link, TAR_LINK.size)) {
        put_pax_record(records, "linkpath", e->link);
        *required = true;
    }
    if (!fits_octal(TAR_MTIME, e->mtime_s)) {
        put_pax_number(records, "mtime", e->mtime_s);
        *required = true;
    }
    if (needs_pax_text(e->name, TAR_NAME.size)) {
        put_pax_record(records, "path", e->name);
        *required |= split_point(e->name, strlen(e->name)) == 0;
    }
    if (!fits_octal(TAR_SIZE, e->size)) {
        put_pax_number(records, "size", e->size);
        *required = true;
    }
}

/* "<dir>/PaxHeaders.0/<base>", in ASCII, cut to the field. */
static int put_pax_name(unsigned char *block, const char *name, coras_error **err)
{
    const char *slash = strrchr(name, '/');
    size_t dir_len = slash ? (size_t)(slash - name) + 1 : 0;
    coras_auto_buf joined = CORAS_BUF_UNLIMITED;
    coras_buf_put(&joined, name, dir_len);
    coras_buf_puts(&joined, "PaxHeaders.0/");
    coras_buf_puts(&joined, name + dir_len);
    CORAS_TRY(coras_buf_done(&joined, err));
    coras_auto_free char *clean = coras_path_clean(joined.ptr);
    if (!clean)
        return coras_fail_no_memory(err);

    size_t len = 0;
    for (const char *s = clean; *s && len < TAR_NAME.size; s++)
        if ((unsigned char)*s < 0x80)
            block[TAR_NAME.offset + len++] = (unsigned char)*s;
    while (len > 0 && block[TAR_NAME.offset + len - 1] == '/')
        block[TAR_NAME.offset + --len] = 0;
    return 0;
}

static int put_pax_header(coras_buf *out, const char *name, const coras_buf *records,
                          coras_error **err)
{
    unsigned char block[CORAS_TAR_BLOCK] = {0};
    CORAS_TRY(put_pax_name(block, name, err));
    put_octal(block, TAR_MODE, 0);
    put_octal(block, TAR_UID, 0);
    put_octal(block, TAR_GID, 0);
    put_octal(block, TAR_SIZE, (int64_t)records->len);
    put_octal(block, TAR_MTIME, 0);
    block[TAR_TYPE] = TAR_TYPE_PAX;
    finish_block(block);
    coras_buf_put(out, block, sizeof(block));
    coras_buf_put(out, records->ptr, records->len);
    static const char zeroes[CORAS_TAR_BLOCK];
    coras_buf_put(out, zeroes, coras_tar_padding((int64_t)records->len));
    return 0;
}

static void put_entry_block(coras_buf *out, const coras_tar_entry *e, bool pax)
{
    unsigned char block[CORAS_TAR_BLOCK] = {0};
    size_t name_len = strlen(e->name);
    size_t split = pax ? 0 : split_point(e->name, name_len);
    if (pax) {
        put_ascii(block, TAR_NAME, e->name);
        put_ascii(block, TAR_LINK, e->link);
    } else {
        size_t skip = split ? split + 1 : 0;
        put_string(block, TAR_NAME, e->name + skip, name_len - skip);
        put_string(block, TAR_PREFIX, e->name, split);
        put_string(block, TAR_LINK, e->link, strlen(e->link));
    }
    put_octal(block, TAR_MODE, e->mode);
    put_octal(block, TAR_UID, 0);
    put_octal(block, TAR_GID, 0);
    put_octal(block, TAR_SIZE, e->size);
    put_octal(block, TAR_MTIME, e->mtime_s);
    put_octal(block, TAR_DEV_MAJOR, e->dev_major);
    put_octal(block, TAR_DEV_MINOR, e->dev_minor);
    block[TAR_TYPE] = (unsigned char)e->type;
    finish_block(block);
    coras_buf_put(out, block, sizeof(block));
}

int coras_tar_put_header(coras_buf *out, const coras_tar_entry *entry, coras_error **err)
{
    if (entry->size < 0)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "archive/tar: negative size");
    coras_auto_buf records = CORAS_BUF_UNLIMITED;
    bool pax;
    collect_pax(entry, &records, &pax);
    CORAS_TRY(coras_buf_done(&records, err));
    if (pax)
        CORAS_TRY(put_pax_header(out, entry->name, &records, err));
    put_entry_block(out, entry, pax);
    return coras_buf_done(out, err);
}
