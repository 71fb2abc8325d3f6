/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tar headers from anywhere, decoded strictly: what two readers could understand differently is
 * refused, since an archive may be checked by one program and unpacked by another.
 */
#include "codec/tar.h"

#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/tar_format.h"

static int bad_header(coras_error **err, const char *why)
{
    return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "archive/tar: invalid tar header: %s", why);
}

void coras_tar_decoder_init(coras_tar_decoder *dec)
{
    const coras_buf empty = CORAS_BUF_INIT(CORAS_LIMIT_TAR_RECORD);
    memset(dec, 0, sizeof(*dec));
    dec->name = dec->link = empty;
    dec->pax_path = dec->pax_link = empty;
    dec->gnu_path = dec->gnu_link = empty;
}

void coras_tar_decoder_clear(coras_tar_decoder *dec)
{
    coras_buf_clear(&dec->name);
    coras_buf_clear(&dec->link);
    coras_buf_clear(&dec->pax_path);
    coras_buf_clear(&dec->pax_link);
    coras_buf_clear(&dec->gnu_path);
    coras_buf_clear(&dec->gnu_link);
}

/* What records said of one entry does not hold for the next. */
static void forget_records(coras_tar_decoder *dec)
{
    dec->has_pax_path = dec->has_pax_link = dec->has_gnu_path = dec->has_gnu_link = false;
    dec->has_pax_size = dec->has_pax_mtime = false;
}

/* GNU's binary numbers: two's complement, big endian, the top bit is the mark. */
static bool get_base256(const unsigned char *p, size_t size, int64_t *ret)
{
    bool negative = (p[0] & 0x40) != 0;
    uint64_t n = negative ? UINT64_MAX : 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = p[i];
        if (i == 0)
            byte = negative ? byte : byte & 0x7f;
        if ((n >> 56) != (negative ? 0xff : 0)) /* the shift would lose value bits */
            return false;
        n = n << 8 | byte;
    }
    if ((n >> 63) != (negative ? 1 : 0))
        return false;
    *ret = (int64_t)n;
    return true;
}

/* Octal digits between blanks and NULs; an empty field is 0. */
static bool get_number(const unsigned char *block, struct coras_tar_field f, int64_t *ret)
{
    const unsigned char *p = block + f.offset, *end = p + f.size;
    if (p[0] & 0x80)
        return get_base256(p, f.size, ret);
    while (p < end && (*p == ' ' || *p == 0))
        p++;
    int64_t n = 0;
    for (; p < end && *p != ' ' && *p != 0; p++) {
        if (*p < '0' || *p > '7')
            return false;
        n = n << 3 | (*p - '0'); /* at most 12 digits: 36 bits */
    }
    for (; p < end; p++)
        if (*p != ' ' && *p != 0)
            return false;
    *ret = n;
    return true;
}

static bool checksum_matches(const unsigned char *block)
{
    int64_t stored, as_unsigned = 0, as_signed = 0;
    if (!get_number(block, TAR_CHECKSUM, &stored))
        return false;
    for (size_t i = 0; i < CORAS_TAR_BLOCK; i++) {
        bool own = i >= TAR_CHECKSUM.offset && i < TAR_CHECKSUM.offset + TAR_CHECKSUM.size;
        as_unsigned += own ? ' ' : block[i];
        as_signed += own ? ' ' : (signed char)block[i];
    }
    return stored == as_unsigned || stored == as_signed;
}

static void put_field(coras_buf *out, const unsigned char *block, struct coras_tar_field f)
{
    const char *s = (const char *)block + f.offset;
    coras_buf_put(out, s, strnlen(s, f.size));
}

/* The prefix exists in POSIX and star headers only; GNU keeps times in its place. */
static struct coras_tar_field prefix_of(const unsigned char *block)
{
    if (memcmp(block + TAR_MAGIC, "ustar", 6) != 0) /* with the NUL */
        return (struct coras_tar_field){0, 0};
    struct coras_tar_field f = TAR_PREFIX;
    if (memcmp(block + CORAS_TAR_BLOCK - 4, "tar", 4) == 0)
        f.size = 131; /* star: times follow */
    return f;
}

static int take_header_names(coras_tar_decoder *dec, const unsigned char *block, coras_error **err)
{
    coras_buf_reset(&dec->name);
    coras_buf_reset(&dec->link);
    struct coras_tar_field prefix = prefix_of(block);
    if (prefix.size > 0 && block[prefix.offset] != 0) {
        put_field(&dec->name, block, prefix);
        coras_buf_putc(&dec->name, '/');
    }
    put_field(&dec->name, block, TAR_NAME);
    put_field(&dec->link, block, TAR_LINK);
    CORAS_TRY(coras_buf_done(&dec->name, err));
    return coras_buf_done(&dec->link, err);
}

/* Records win over the header; two kinds of records must agree. */
static int choose_text(coras_buf *out, const coras_buf *pax, bool has_pax, const coras_buf *gnu,
                       bool has_gnu, coras_error **err)
{
    if (has_pax && has_gnu && !coras_streq(pax->ptr, gnu->ptr))
        return bad_header(err, "two different names");
    if (!has_pax && !has_gnu)
        return 0;
    coras_buf_reset(out);
    coras_buf_puts(out, has_pax ? pax->ptr : gnu->ptr);
    return coras_buf_done(out, err);
}

/* A PAX size may differ from the header's only where octal digits cannot hold it. */
static int choose_size(const coras_tar_decoder *dec, int64_t *size, coras_error **err)
{
    if (*size < 0)
        return bad_header(err, "negative size");
    if (!dec->has_pax_size)
        return 0;
    if (dec->pax_size != *size &&
        (dec->pax_size <= TAR_SIZE_OCTAL_MAX || *size > TAR_SIZE_OCTAL_MAX))
        return bad_header(err, "two different sizes");
    *size = dec->pax_size;
    return 0;
}

/* Padding a size must not overflow. */
static int check_size(int64_t size, coras_error **err)
{
    if (size > INT64_MAX - CORAS_TAR_BLOCK)
        return bad_header(err, "size out of range");
    return 0;
}

static int decode_entry(coras_tar_decoder *dec, const unsigned char *block, coras_error **err)
{
    coras_tar_entry *e = &dec->entry;
    int64_t mode, size, dev_major, dev_minor, mtime;
    if (!get_number(block, TAR_MODE, &mode) || !get_number(block, TAR_SIZE, &size) ||
        !get_number(block, TAR_MTIME, &mtime))
        return bad_header(err, "malformed number");
    if (!get_number(block, TAR_DEV_MAJOR, &dev_major) ||
        !get_number(block, TAR_DEV_MINOR, &dev_minor))
        dev_major = dev_minor = 0; /* V7 headers have other bytes there; nothing depends on it */
    CORAS_TRY(choose_size(dec, &size, err));
    CORAS_TRY(check_size(size, err));
    CORAS_TRY(take_header_names(dec, block, err));
    CORAS_TRY(choose_text(&dec->name, &dec->pax_path, dec->has_pax_path, &dec->gnu_path,
                          dec->has_gnu_path, err));
    CORAS_TRY(choose_text(&dec->link, &dec->pax_link, dec->has_pax_link, &dec->gnu_link,
                          dec->has_gnu_link, err));

    char type = (char)block[TAR_TYPE];
    if (type == 0) /* V7: a directory is a name that ends in a slash */
        type = coras_str_ends(dec->name.ptr, "/") ? CORAS_TAR_DIRECTORY : CORAS_TAR_FILE;
    else if (type == '7') /* "contiguous": a file to everyone */
        type = CORAS_TAR_FILE;
    if (type == TAR_TYPE_GNU_SPARSE)
        return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "archive/tar: sparse files are refused");
    if (type >= CORAS_TAR_HARD_LINK && type <= CORAS_TAR_FIFO && size != 0)
        return bad_header(err, "content in a member that can have none");

    *e = (coras_tar_entry){
        .type = type,
        .name = dec->name.ptr,
        .link = dec->link.ptr,
        .mode = (uint32_t)mode & 07777,
        .size = size,
        .mtime_s = dec->has_pax_mtime ? dec->pax_mtime_s : mtime,
        .mtime_ns = dec->has_pax_mtime ? dec->pax_mtime_ns : 0,
        .dev_major = (uint32_t)dev_major,
        .dev_minor = (uint32_t)dev_minor,
    };
    forget_records(dec);
    return CORAS_TAR_ENTRY;
}

static int decode_record_header(coras_tar_decoder *dec, const unsigned char *block,
                                coras_error **err)
{
    int64_t size;
    if (!get_number(block, TAR_SIZE, &size) || size < 0)
        return bad_header(err, "malformed number");
    if (size > CORAS_LIMIT_TAR_RECORD)
        return coras_fail(err, CORAS_ERR_TOO_LARGE,
                          "archive/tar: header record of %lld bytes exceeds the limit of %d bytes",
                          (long long)size, CORAS_LIMIT_TAR_RECORD);
    dec->record_type = (char)block[TAR_TYPE];
    dec->record_size = size;
    return CORAS_TAR_RECORD;
}

static bool is_zero_block(const unsigned char *block)
{
    for (size_t i = 0; i < CORAS_TAR_BLOCK; i++)
        if (block[i] != 0)
            return false;
    return true;
}

int coras_tar_decode_block(coras_tar_decoder *dec, const void *bytes, coras_error **err)
{
    const unsigned char *block = bytes;
    if (is_zero_block(block)) {
        bool end = dec->zero_block_seen;
        dec->zero_block_seen = dec->header_seen = true;
        return end ? CORAS_TAR_END : CORAS_TAR_MORE;
    }
    if (dec->zero_block_seen || !checksum_matches(block))
        return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "archive/tar: invalid tar header");
    dec->header_seen = true;
    switch (block[TAR_TYPE]) {
    case TAR_TYPE_PAX:
    case TAR_TYPE_PAX_GLOBAL:
    case TAR_TYPE_GNU_NAME:
    case TAR_TYPE_GNU_LINK:
        return decode_record_header(dec, block, err);
    default:
        return decode_entry(dec, block, err);
    }
}

/* ---- records ---- */

/* An empty value takes the record back. */
static int take_pax_text(coras_buf *out, bool *has, coras_str value, coras_error **err)
{
    if (memchr(value.ptr, 0, value.len))
        return bad_header(err, "NUL in a name");
    coras_buf_reset(out);
    coras_buf_put(out, value.ptr, value.len);
    *has = value.len > 0;
    return coras_buf_done(out, err);
}

/* "seconds" or "seconds.fraction", possibly negative. */
static bool parse_pax_time(coras_str s, int64_t *ret_s, uint32_t *ret_ns)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    coras_str whole = {s.ptr + negative, s.len - negative}, fraction = {NULL, 0};
    const char *dot = whole.len ? memchr(whole.ptr, '.', whole.len) : NULL;
    if (dot) {
        fraction = (coras_str){dot + 1, whole.len - (size_t)(dot - whole.ptr) - 1};
        whole.len = (size_t)(dot - whole.ptr);
    }
    int64_t seconds;
    if (!coras_parse_int64(whole, &seconds))
        return false;
    uint32_t ns = 0, unit = 100000000;
    for (size_t i = 0; i < fraction.len; i++, unit /= 10) {
        if (!coras_is_digit(fraction.ptr[i]))
            return false;
        ns += unit * (uint32_t)(fraction.ptr[i] - '0');
    }
    *ret_s = negative ? -seconds - (ns ? 1 : 0) : seconds;
    *ret_ns = negative && ns ? 1000000000 - ns : ns;
    return true;
}

static int take_pax_pair(coras_tar_decoder *dec, coras_str key, coras_str value, coras_error **err)
{
    if (coras_str_eq(key, "path"))
        return take_pax_text(&dec->pax_path, &dec->has_pax_path, value, err);
    if (coras_str_eq(key, "linkpath"))
        return take_pax_text(&dec->pax_link, &dec->has_pax_link, value, err);
    if (coras_str_eq(key, "size")) {
        dec->has_pax_size = value.len > 0;
        if (value.len > 0 && !coras_parse_int64(value, &dec->pax_size))
            return bad_header(err, "malformed size");
        return 0;
    }
    if (coras_str_eq(key, "mtime")) {
        dec->has_pax_mtime = value.len > 0;
        if (value.len > 0 && !parse_pax_time(value, &dec->pax_mtime_s, &dec->pax_mtime_ns))
            return bad_header(err, "malformed time");
        return 0;
    }
    static const char sparse[] = "GNU.sparse.";
    if (key.len >= sizeof(sparse) - 1 && memcmp(key.ptr, sparse, sizeof(sparse) - 1) == 0)
        return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "archive/tar: sparse files are refused");
    return 0;
}

/* Cut the next "<length> <key>=<value>\n" from the front of `rest`. */
static bool next_pax_pair(coras_str *rest, coras_str *key, coras_str *value)
{
    const char *blank = memchr(rest->ptr, ' ', rest->len);
    int64_t total;
    if (!blank || !coras_parse_int64((coras_str){rest->ptr, (size_t)(blank - rest->ptr)}, &total) ||
        (uint64_t)total > rest->len)
        return false;
    const char *end = rest->ptr + total, *start = blank + 1;
    if (end <= start || end[-1] != '\n')
        return false;
    const char *equals = memchr(start, '=', (size_t)(end - 1 - start));
    if (!equals || equals == start)
        return false;
    *key = (coras_str){start, (size_t)(equals - start)};
    *value = (coras_str){equals + 1, (size_t)(end - 1 - (equals + 1))};
    *rest = (coras_str){end, rest->len - (size_t)total};
    return true;
}

static int take_pax(coras_tar_decoder *dec, coras_str rest, coras_error **err)
{
    bool global = dec->record_type == TAR_TYPE_PAX_GLOBAL;
    while (rest.len > 0) {
        coras_str key, value;
        if (!next_pax_pair(&rest, &key, &value))
            return bad_header(err, "malformed PAX record");
        if (!global)
            CORAS_TRY(take_pax_pair(dec, key, value, err));
        else if (coras_str_eq(key, "path") || coras_str_eq(key, "linkpath") ||
                 coras_str_eq(key, "size"))
            return bad_header(err, "one name or size for all members");
    }
    return 0;
}

/* GNU ends the text with a NUL; what follows it, if anything, must be NUL too. */
static int take_gnu_text(coras_buf *out, bool *has, const char *data, size_t len, coras_error **err)
{
    size_t text = strnlen(data, len);
    for (size_t i = text; i < len; i++)
        if (data[i] != 0)
            return bad_header(err, "NUL in a name");
    coras_buf_reset(out);
    coras_buf_put(out, data, text);
    *has = text > 0;
    return coras_buf_done(out, err);
}

int coras_tar_decode_record(coras_tar_decoder *dec, const void *data, size_t len, coras_error **err)
{
    switch (dec->record_type) {
    case TAR_TYPE_GNU_NAME:
        return take_gnu_text(&dec->gnu_path, &dec->has_gnu_path, data, len, err);
    case TAR_TYPE_GNU_LINK:
        return take_gnu_text(&dec->gnu_link, &dec->has_gnu_link, data, len, err);
    default:
        return take_pax(dec, (coras_str){data, len}, err);
    }
}

int coras_tar_decode_eof(const coras_tar_decoder *dec, coras_error **err)
{
    bool dangling = dec->has_pax_path || dec->has_pax_link || dec->has_gnu_path ||
                    dec->has_gnu_link || dec->has_pax_size || dec->has_pax_mtime;
    if (!dec->header_seen || dangling)
        return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "unexpected EOF");
    return 0;
}
