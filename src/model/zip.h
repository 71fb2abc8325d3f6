/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zip archives, as far as their parts tell about them: the end record, the central directory fed in
 * pieces, the header of one member. No I/O: the caller reads the ranges, in that order. Archives of
 * several disks are refused, and so is what two readers could take for two different archives.
 *
 * Errors: CORAS_ERR_INVALID_MODEL.
 * Source: PKWARE's APPNOTE 6.3.10.
 */
#ifndef CORAS_MODEL_ZIP_H
#define CORAS_MODEL_ZIP_H

#include "base/str.h"

/* So many bytes from the end of the file hold the end record with the longest comment, and the
 * records of zip64 before it. */
#define CORAS_ZIP_TAIL (65535 + 22 + 20 + 56)

/* What the end of an archive says about its directory. */
typedef struct coras_zip_end {
    int64_t directory_at; /* where it really is: before the end record */
    int64_t directory_size;
    int64_t members;
    int64_t before; /* bytes in front of the archive, by which every offset is off; 0 is normal */
    int64_t behind; /* bytes behind it; 0 is normal */
} coras_zip_end;

/* `tail` is the last `len` bytes of the file: CORAS_ZIP_TAIL of them, or all. */
CORAS_MUST_CHECK int coras_zip_find_end(const void *tail, size_t len, int64_t file_size,
                                        coras_zip_end *ret, coras_error **err);

enum { CORAS_ZIP_STORED = 0, CORAS_ZIP_DEFLATED = 8 };

typedef struct coras_zip_member {
    coras_str name; /* as it stands there: bytes of a stranger; borrowed */
    unsigned method;
    bool encrypted;
    int64_t packed, size; /* bytes in the archive, and unpacked */
    int64_t header_at;    /* offset of its own header in the file */
    bool is_link;         /* symbolic, by the mode that unix writers record */
} coras_zip_member;

typedef struct coras_zip_visitor {
    /* Each member in the order of the directory; 0, or a negative code that ends the reading. */
    int (*member)(void *user, const coras_zip_member *m, coras_error **err);
    void *user;
} coras_zip_visitor;

typedef struct coras_zip_directory coras_zip_directory;
CORAS_MUST_CHECK int coras_zip_directory_new(const coras_zip_end *end,
                                             const coras_zip_visitor *visitor,
                                             coras_zip_directory **ret, coras_error **err);
CORAS_MUST_CHECK int coras_zip_directory_feed(coras_zip_directory *d, const void *data, size_t len,
                                              coras_error **err);
/* All of it was fed: refuses overlapping members, two of one name, a count that is wrong. */
CORAS_MUST_CHECK int coras_zip_directory_finish(coras_zip_directory *d, coras_error **err);
void coras_zip_directory_free(coras_zip_directory *d);
CORAS_DEFINE_AUTO(coras_zip_directory, coras_zip_directory_free)

/* A member's own header is this long and followed by its name. */
#define CORAS_ZIP_HEADER 30
/*
 * Where a member's bytes begin, from its own header and name (`len` bytes from m->header_at on:
 * CORAS_ZIP_HEADER and the length of the name). Refuses one that calls itself by another name.
 */
CORAS_MUST_CHECK int coras_zip_member_data(const coras_zip_member *m, const void *header,
                                           size_t len, int64_t *ret, coras_error **err);

#endif
