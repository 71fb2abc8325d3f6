/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading gzip: strict about how a stream ends, because the end is where archives are smuggled.
 */
#include "codec/gzip.h"

#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/error.h"

enum { IN_BYTES = 128 * 1024, HEADER_BYTES = 10, MAX_READ = 1 << 30 };

struct coras_gunzip {
    const coras_source *source;
    int64_t offset; /* of the next byte to be read from the source */
    z_stream z;     /* next_in, avail_in: what of `in` is unread */
    bool in_member;
    bool ended;
    unsigned char in[IN_BYTES];
};

static int refuse(coras_error **err, const char *what)
{
    return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "%s", what);
}

int coras_gunzip_new(const coras_source *source, coras_gunzip **ret, coras_error **err)
{
    coras_gunzip *gz = coras_new(struct coras_gunzip);
    if (!gz)
        return coras_fail_no_memory(err);
    gz->source = source;
    if (inflateInit2(&gz->z, 16 + MAX_WBITS) != Z_OK) { /* 16: gzip, not zlib */
        free(gz);
        return coras_fail_no_memory(err);
    }
    *ret = gz;
    return 0;
}

void coras_gunzip_free(coras_gunzip *gz)
{
    if (!gz)
        return;
    (void)inflateEnd(&gz->z); /* tells only whether output was left */
    free(gz);
}

/* Have at least `want` unread bytes unless the source ends before. */
static int fill(coras_gunzip *gz, size_t want, coras_error **err)
{
    while (gz->z.avail_in < want && gz->offset < gz->source->size) {
        if (gz->z.avail_in > 0)
            memmove(gz->in, gz->z.next_in, gz->z.avail_in);
        gz->z.next_in = gz->in;
        size_t got = 0;
        CORAS_TRY(gz->source->read_at(gz->source->user, gz->in + gz->z.avail_in,
                                      IN_BYTES - gz->z.avail_in, gz->offset, &got, err));
        gz->offset += (int64_t)got;
        gz->z.avail_in += (uInt)got;
    }
    return 0;
}

/* Between members: another one, zero padding up to the end, or the end. */
static int begin_member(coras_gunzip *gz, bool first, coras_error **err)
{
    static const unsigned char magic[] = {0x1f, 0x8b, 8};
    CORAS_TRY(fill(gz, HEADER_BYTES, err));
    if (gz->z.avail_in == 0 && !first) {
        gz->ended = true;
        return 0;
    }
    if (!first && gz->z.next_in[0] == 0) {
        do {
            for (; gz->z.avail_in > 0; gz->z.avail_in--, gz->z.next_in++)
                if (gz->z.next_in[0] != 0)
                    return refuse(err, "trailing data after the gzip stream");
            CORAS_TRY(fill(gz, 1, err));
        } while (gz->z.avail_in > 0);
        gz->ended = true;
        return 0;
    }
    bool is_gzip =
        gz->z.avail_in >= sizeof(magic) && memcmp(gz->z.next_in, magic, sizeof(magic)) == 0;
    if (!is_gzip && !first)
        return refuse(err, "trailing data after the gzip stream");
    if (gz->z.avail_in < HEADER_BYTES)
        return refuse(err, "unexpected EOF");
    if (!is_gzip)
        return refuse(err, "gzip: invalid header");
    if (!first && inflateReset(&gz->z) != Z_OK)
        return coras_fail(err, CORAS_ERR_INTERNAL, "inflate: bad state");
    gz->in_member = true;
    return 0;
}

/* zlib tells kinds of damage apart in its texts only; they choose among ours, and nothing else. */
static int explain(const coras_gunzip *gz, int rc, coras_error **err)
{
    const char *why = gz->z.msg ? gz->z.msg : "";
    if (rc == Z_MEM_ERROR)
        return coras_fail_no_memory(err);
    if (strstr(why, "header flags") || strstr(why, "header crc"))
        return refuse(err, "gzip: invalid header");
    if (strstr(why, "data check") || strstr(why, "length check"))
        return refuse(err, "gzip: invalid checksum");
    return refuse(err, "flate: corrupt input");
}

int coras_gunzip_read(coras_gunzip *gz, void *buf, size_t cap, size_t *ret, coras_error **err)
{
    gz->z.next_out = buf;
    gz->z.avail_out = cap < MAX_READ ? (uInt)cap : MAX_READ;
    size_t room = gz->z.avail_out;
    while (gz->z.avail_out == room && !gz->ended) {
        if (!gz->in_member) {
            CORAS_TRY(begin_member(gz, gz->offset == 0, err));
            continue;
        }
        CORAS_TRY(fill(gz, 1, err));
        if (gz->z.avail_in == 0)
            return refuse(err, "unexpected EOF");
        int rc = inflate(&gz->z, Z_NO_FLUSH);
        if (rc == Z_STREAM_END)
            gz->in_member = false;
        else if (rc != Z_OK && rc != Z_BUF_ERROR)
            return explain(gz, rc, err);
    }
    *ret = room - gz->z.avail_out;
    return 0;
}
