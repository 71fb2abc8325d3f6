/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tar headers, pure: values to bytes and back, no I/O. Ours instead of a library's because the
 * bytes must be those that Go's archive/tar writes (their digest is an annotation), because reading
 * a layout archive needs the offset of every member, and because every ambiguity is refused here.
 *
 * Writing knows ustar and PAX. Reading knows both, V7, star and GNU (long names, base-256 numbers).
 */
#ifndef CORAS_CODEC_TAR_H
#define CORAS_CODEC_TAR_H

#include "base/buf.h"

#define CORAS_TAR_BLOCK 512
/* Two zero blocks end an archive. */
#define CORAS_TAR_END_BYTES (2 * CORAS_TAR_BLOCK)

/* Values of `type`; others exist and mean something that no file system here can hold. */
enum {
    CORAS_TAR_FILE = '0',
    CORAS_TAR_HARD_LINK = '1',
    CORAS_TAR_SYMLINK = '2',
    CORAS_TAR_CHAR_DEVICE = '3',
    CORAS_TAR_BLOCK_DEVICE = '4',
    CORAS_TAR_DIRECTORY = '5',
    CORAS_TAR_FIFO = '6',
};

typedef struct coras_tar_entry {
    char type;
    const char *name;
    const char *link; /* target of a hard or symbolic link, else "" */
    uint32_t mode;    /* permission bits with setuid, setgid, sticky */
    int64_t size;     /* bytes of content that follow the header, padded to whole blocks */
    int64_t mtime_s;
    uint32_t mtime_ns; /* reading only: writing is to the second, as Go does it */
    uint32_t dev_major, dev_minor;
} coras_tar_entry;

/* Bytes of zero that follow `size` bytes of content. */
static inline size_t coras_tar_padding(int64_t size)
{
    return (size_t)(-(uint64_t)size % CORAS_TAR_BLOCK);
}

/*
 * Append the header of an entry (with a PAX header before it where ustar cannot say it) as Go's
 * Writer would, owner 0:0 without names. INVALID_ARGUMENT for a negative size.
 */
CORAS_MUST_CHECK int coras_tar_put_header(coras_buf *out, const coras_tar_entry *entry,
                                          coras_error **err);

/*
 * Reading, block by block, so that the caller decides how bytes arrive and what is skipped:
 *
 *     read 512 bytes;  coras_tar_decode_block()
 *       CORAS_TAR_MORE    go on with the next block
 *       CORAS_TAR_RECORD  read dec.record_size bytes and its padding, give them to
 *                         coras_tar_decode_record(), go on with the next block
 *       CORAS_TAR_ENTRY   dec.entry is valid until the next call; its content and padding follow
 *       CORAS_TAR_END     the second zero block: only zeroes may follow
 */
enum coras_tar_step { CORAS_TAR_MORE, CORAS_TAR_RECORD, CORAS_TAR_ENTRY, CORAS_TAR_END };

typedef struct coras_tar_decoder {
    coras_tar_entry entry;
    int64_t record_size; /* <= CORAS_LIMIT_TAR_RECORD */

    /* internal */
    char record_type;     /* of the record that is being waited for */
    bool zero_block_seen; /* one so far */
    bool header_seen;     /* at least one block was accepted */
    coras_buf name, link; /* of the entry */
    coras_buf pax_path, pax_link, gnu_path, gnu_link;
    bool has_pax_path, has_pax_link, has_gnu_path, has_gnu_link;
    bool has_pax_size, has_pax_mtime;
    int64_t pax_size, pax_mtime_s;
    uint32_t pax_mtime_ns;
} coras_tar_decoder;

void coras_tar_decoder_init(coras_tar_decoder *dec);
void coras_tar_decoder_clear(coras_tar_decoder *dec);
CORAS_DEFINE_AUTO_VALUE(coras_tar_decoder, coras_tar_decoder_clear)

/* Returns an enum coras_tar_step, or UNSAFE_ARCHIVE / TOO_LARGE with Go's words where Go has some.
 */
CORAS_MUST_CHECK int coras_tar_decode_block(coras_tar_decoder *dec, const void *block,
                                            coras_error **err);
CORAS_MUST_CHECK int coras_tar_decode_record(coras_tar_decoder *dec, const void *data, size_t len,
                                             coras_error **err);
/*
 * The bytes have ended where a block could begin. 0 when an archive may end here (Go does not
 * insist on the end mark), else UNSAFE_ARCHIVE "unexpected EOF".
 */
CORAS_MUST_CHECK int coras_tar_decode_eof(const coras_tar_decoder *dec, coras_error **err);

#endif
