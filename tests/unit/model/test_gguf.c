/* SPDX-License-Identifier: Apache-2.0 */
/* GGUF: what is read, what is refused, in every way of cutting a file. */
#include "reading.h"

#include "base/limits.h"

/* A file that is put together field by field. */
struct file {
    coras_buf bytes;
    bool is_big_endian;
};

static void put_number(struct file *f, uint64_t n, int size)
{
    for (int i = 0; i < size; i++)
        coras_buf_putc(&f->bytes, (char)(n >> 8 * (f->is_big_endian ? size - 1 - i : i)));
}

static void put_string(struct file *f, const char *s)
{
    put_number(f, strlen(s), 8);
    coras_buf_puts(&f->bytes, s);
}

static void begin(struct file *f, bool is_big_endian, uint64_t tensors, uint64_t pairs)
{
    *f = (struct file){CORAS_BUF_UNLIMITED, is_big_endian};
    coras_buf_puts(&f->bytes, "GGUF");
    put_number(f, 3, 4);
    put_number(f, tensors, 8);
    put_number(f, pairs, 8);
}

static void put_text(struct file *f, const char *key, const char *value)
{
    put_string(f, key);
    put_number(f, 8, 4);
    put_string(f, value);
}

static void put_scalar(struct file *f, const char *key, uint32_t type, uint64_t value, int size)
{
    put_string(f, key);
    put_number(f, type, 4);
    put_number(f, value, size);
}

static void put_tensor(struct file *f, const char *name, int64_t first, int64_t second,
                       uint32_t type, uint64_t offset)
{
    put_string(f, name);
    put_number(f, second ? 2 : 1, 4);
    put_number(f, (uint64_t)first, 8);
    if (second)
        put_number(f, (uint64_t)second, 8);
    put_number(f, type, 4);
    put_number(f, offset, 8);
}

static void put_data(struct file *f, size_t alignment, size_t bytes)
{
    while (f->bytes.len % alignment != 0)
        coras_buf_putc(&f->bytes, '\0');
    for (size_t i = 0; i < bytes; i++)
        coras_buf_putc(&f->bytes, 'd');
    assert_false(f->bytes.failed);
}

static int read_it(const struct file *f, bool strict, struct reading *r, coras_error **err)
{
    return read_file(CORAS_WEIGHT_GGUF, f->bytes.ptr, f->bytes.len, strict, r, err);
}

static void accept(struct file *f, const char *told, const char *warnings)
{
    coras_auto(coras_error) err = NULL;
    struct reading r;

    int rc = read_it(f, false, &r, &err);
    check_ok(rc > 0 ? 0 : rc - 1, err);
    assert_string_equal(r.told.ptr, told);
    assert_string_equal(r.warnings.ptr, warnings);
    reading_clear(&r);
    coras_auto(coras_error) strict_err = NULL;
    rc = read_it(f, true, &r, &strict_err);
    assert_int_equal(rc, *warnings ? CORAS_ERR_INVALID_MODEL : 1);
    reading_clear(&r);
    coras_buf_clear(&f->bytes);
}

static void refuse(struct file *f, int code, const char *message)
{
    for (int strict = 0; strict < 2; strict++) {
        coras_auto(coras_error) err = NULL;
        struct reading r;
        int rc = read_it(f, strict, &r, &err);
        assert_failed(rc, err, code, message);
        reading_clear(&r);
    }
    coras_buf_clear(&f->bytes);
}

static size_t from_hex(const char *hex, char *bytes)
{
    size_t len = strlen(hex) / 2;

    for (size_t i = 0; i < len; i++) {
        char digits[] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes[i] = (char)strtoul(digits, NULL, 16);
    }
    return len;
}

/* Files that the reference writer made, and broken ones, byte for byte. */
static void golden_bytes(void **state)
{
    static const struct {
        const char *name, *hex;
        int rc;
        const char *told;
        int64_t size;
        const char *message;
    } rows[] = {
        {"smallest",
         "4747554603000000000000000000000001000000000000001400000000000000"
         "67656e6572616c2e617263686974656374757265080000000500000000000000"
         "6c6c616d61",
         1, "general.architecture=llama\n", 69, NULL},
        {"one tensor",
         "4747554603000000010000000000000001000000000000001400000000000000"
         "67656e6572616c2e617263686974656374757265080000000100000000000000"
         "7801000000000000007701000000040000000000000000000000000000000000"
         "0000000000000000000000000000000000000000000000000000000000000000"
         "0000000000000000000000000000000000000000000000000000000000000000",
         1, "general.architecture=x\nw F32 [4] 4 at 128+16\n", 128, NULL},
        {"array of texts",
         "4747554603000000000000000000000001000000000000000300000000000000"
         "612e740900000008000000020000000000000003000000000000003c733e0400"
         "0000000000003c2f733e",
         1, "", 74, NULL},
        {"version 2", "474755460200000000000000000000000000000000000000", 1, "", 24, NULL},
        {"version 1", "474755460100000000000000000000000000000000000000", CORAS_ERR_UNSUPPORTED, "",
         -1, "byte 4: version 1 of GGUF, where 2 and 3 are known"},
        {"version 4", "474755460400000000000000000000000000000000000000", CORAS_ERR_UNSUPPORTED, "",
         -1, "byte 4: version 4 of GGUF, where 2 and 3 are known"},
        {"big-endian", "474755460000000300000000000000000000000000000000", 1, "", 24, NULL},
        {"another magic", "474755470300000000000000000000000000000000000000",
         CORAS_ERR_INVALID_MODEL, "", -1, "byte 0: not GGUF"},
        {"2^62 tensors", "474755460300000000000000000000400000000000000000",
         CORAS_ERR_INVALID_MODEL, "", -1,
         "byte 16: 4611686018427387904 tensors are claimed, 8 bytes are left"},
        {"key of 2^63 bytes", "4747554603000000000000000000000001000000000000000000000000000080",
         CORAS_ERR_INVALID_MODEL, "", -1, NULL},
        {"array of arrays",
         "47475546030000000000000000000000010000000000000001000000000000006109000000090000000100"
         "000000000000090000000100000000000000",
         CORAS_ERR_INVALID_MODEL, "", -1, NULL},
        {"cut", "47475546030000000000000000000000000000000000", CORAS_ERR_INVALID_MODEL, "", -1,
         NULL},
        {"empty", "", 0, "", -1, NULL},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        char bytes[256];
        size_t len = from_hex(rows[i].hex, bytes);
        for (int strict = 0; strict < 2; strict++) {
            coras_auto(coras_error) err = NULL;
            struct reading r;
            IN_ROW(rows[i].name);
            assert_int_equal(read_file(CORAS_WEIGHT_GGUF, bytes, len, strict, &r, &err),
                             rows[i].rc);
            assert_string_equal(r.told.ptr, rows[i].told);
            assert_int_equal(r.size, rows[i].size);
            if (rows[i].message)
                assert_string_equal(coras_error_message(err), rows[i].message);
            reading_clear(&r);
        }
    }
}

/* Every type of value, in either byte order. */
static void values_are_told(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct file f;
        begin(&f, big, 0, 14);
        put_scalar(&f, "u8", 0, 255, 1);
        put_scalar(&f, "i8", 1, 255, 1);
        put_scalar(&f, "u16", 2, 65535, 2);
        put_scalar(&f, "i16", 3, 65534, 2);
        put_scalar(&f, "u32", 4, 4294967295, 4);
        put_scalar(&f, "i32", 5, 4294967293, 4);
        put_scalar(&f, "f32", 6, 0x3f800000, 4);
        put_scalar(&f, "bool", 7, 1, 1);
        put_text(&f, "text", "T\xc3\xa9\x1b");
        put_scalar(&f, "u64", 10, INT64_MAX, 8);
        put_scalar(&f, "too large", 10, (uint64_t)INT64_MAX + 1, 8);
        put_scalar(&f, "i64", 11, (uint64_t)-5, 8);
        put_scalar(&f, "f64", 12, 1, 8);
        put_text(&f, "", "");
        accept(&f,
               "u8=255\ni8=-1\nu16=65535\ni16=-2\nu32=4294967295\ni32=-3\nbool=1\n"
               "text=T\xc3\xa9\x1b\nu64=9223372036854775807\ni64=-5\n=\n",
               "");
    }
}

static void arrays_are_passed(void **state)
{
    struct file f;

    (void)state;
    begin(&f, false, 0, 5);
    put_scalar(&f, "f64", 9, 12, 4);
    put_number(&f, 3, 8);
    put_data(&f, 1, 24);
    put_scalar(&f, "bool", 9, 7, 4);
    put_number(&f, 2, 8);
    put_number(&f, 0x0100, 2);
    put_scalar(&f, "none", 9, 8, 4);
    put_number(&f, 0, 8);
    put_scalar(&f, "texts", 9, 8, 4);
    put_number(&f, 3, 8);
    put_string(&f, "a");
    put_string(&f, "");
    put_string(&f, "general.alignment");
    put_scalar(&f, "last", 0, 7, 1);
    accept(&f, "last=7\n", "");
}

static void begin_with_architecture(struct file *f, uint64_t tensors)
{
    begin(f, false, tensors, 1);
    put_text(f, "general.architecture", "x");
}

static void tensors_are_placed(void **state)
{
    struct file f;

    (void)state;
    begin(&f, true, 2, 2);
    put_text(&f, "general.architecture", "x");
    put_scalar(&f, "general.alignment", 4, 64, 4);
    put_tensor(&f, "a", 32, 2, 2, 0);
    put_tensor(&f, "b", 256, 0, 12, 64);
    put_data(&f, 64, 36);
    put_data(&f, 64, 144);
    put_data(&f, 64, 0);
    accept(&f,
           "general.architecture=x\ngeneral.alignment=64\na Q4_0 [32,2] 64 at 192+36\n"
           "b Q4_K [256] 256 at 256+144\n",
           "");

    /* The last tensor need not be padded. */
    begin_with_architecture(&f, 1);
    put_tensor(&f, "w", 3, 0, 0, 0);
    put_data(&f, 32, 12);
    accept(&f, "general.architecture=x\nw F32 [3] 3 at 128+12\n", "");
}

static void oddities_are_warnings_or_refused(void **state)
{
    struct file f;

    (void)state;
    begin_with_architecture(&f, 1);
    put_tensor(&f, "w", 4, 0, 0, 32);
    put_data(&f, 32, 64);
    accept(&f, "general.architecture=x\nw F32 [4] 4 at 160+16\n",
           "tensor \"w\" lies at byte 32 of the data, where byte 0 was to be expected\n");

    /* A type of the future ends where the next tensor begins, the last one with the file. */
    begin_with_architecture(&f, 3);
    put_tensor(&f, "b", 5, 0, 99, 64);
    put_tensor(&f, "a", 4, 0, 0, 0);
    put_tensor(&f, "c", 5, 0, 4, 32);
    put_data(&f, 32, 100);
    accept(&f,
           "general.architecture=x\nb TYPE_99 [5] 5 at 256+36\na F32 [4] 4 at 192+16\n"
           "c removed [5] 5 at 224+32\n",
           "tensor \"b\" has the type 99, which is not known\n"
           "tensor \"b\" lies at byte 64 of the data, where byte 0 was to be expected\n");

    begin(&f, false, 1, 0);
    put_tensor(&f, "w", 4, 0, 0, 0);
    put_data(&f, 32, 32);
    accept(&f, "w F32 [4] 4 at 64+16\n", "byte 57: general.architecture is missing\n");

    begin(&f, false, 1, 1); /* the second file of several */
    put_scalar(&f, "split.no", 2, 1, 2);
    put_tensor(&f, "w", 4, 0, 0, 0);
    put_data(&f, 32, 32);
    accept(&f, "split.no=1\nw F32 [4] 4 at 96+16\n", "");

    begin_with_architecture(&f, 1);
    put_tensor(&f, "w", 4, 0, 0, 0);
    put_data(&f, 32, 33);
    accept(&f, "general.architecture=x\nw F32 [4] 4 at 128+16\n",
           "byte 160: bytes behind the last tensor: 1\n");

    begin(&f, false, 0, 1);
    put_scalar(&f, "b", 7, 2, 1);
    accept(&f, "b=2\n", "byte 38: key \"b\": a bool is 2, which is neither 0 nor 1\n");

    begin_with_architecture(&f, 1);
    put_tensor(&f, "12345678901234567890123456789012345678901234567890123456789012345", 4, 0, 0, 0);
    put_data(&f, 32, 32);
    accept(
        &f,
        "general.architecture=x\n"
        "12345678901234567890123456789012345678901234567890123456789012345 F32 [4] 4 at 192+16\n",
        "byte 138: a tensor's name "
        "\"12345678901234567890123456789012345678901234567890123456789012345\" "
        "that is no text of at most 64 bytes\n");
}

static void refuse_tensor(int64_t first, int64_t second, uint32_t type, uint64_t offset,
                          const char *message)
{
    struct file f;

    begin_with_architecture(&f, 1);
    put_tensor(&f, "w", first, second, type, offset);
    put_data(&f, 32, 64);
    refuse(&f, CORAS_ERR_INVALID_MODEL, message);
}

static void what_the_file_does_not_hold_is_refused(void **state)
{
    struct file f;

    (void)state;
    refuse_tensor(33, 0, 2, 0,
                  "byte 128: tensor \"w\": its first dimension is no multiple of its type's block");
    refuse_tensor(17, 0, 0, 0, "byte 128: tensor \"w\": ends beyond the file");
    refuse_tensor(4, 0, 0, 96, "byte 224: tensor \"w\": begins beyond the file");
    refuse_tensor(4, 0, 0, UINT64_MAX, NULL);
    refuse_tensor(-1, 0, 0, 0, NULL);
    refuse_tensor(INT64_MAX, 2, 0, 0, "byte 128: tensor \"w\": more elements than can be counted");
    refuse_tensor(INT64_MAX, 0, 0, 0, "byte 128: tensor \"w\": more bytes than can be counted");

    begin_with_architecture(&f, 2);
    put_tensor(&f, "w", 4, 0, 0, 0);
    put_tensor(&f, "w", 4, 0, 0, 32);
    put_data(&f, 32, 64);
    refuse(&f, CORAS_ERR_INVALID_MODEL, "byte 107: the name \"w\" is there twice");

    begin_with_architecture(&f, 1);
    put_string(&f, "w");
    put_number(&f, 5, 4);
    put_data(&f, 32, 64);
    refuse(&f, CORAS_ERR_INVALID_MODEL, "byte 78: tensor \"w\": 5 dimensions, 4 are allowed");

    begin_with_architecture(&f, 1);
    put_tensor(&f, "w", 4, 0, 0, 0);
    refuse(&f, CORAS_ERR_INVALID_MODEL, "byte 98: the file ends before the tensors' data");
}

static void refuse_alignment(uint32_t type, uint64_t value, int size, const char *message)
{
    struct file f;

    begin(&f, false, 0, 1);
    put_scalar(&f, "general.alignment", type, value, size);
    refuse(&f, CORAS_ERR_INVALID_MODEL, message);
}

static void metadata_is_checked(void **state)
{
    struct file f;

    (void)state;
    refuse_alignment(4, 0, 4, "byte 57: an alignment of 0, which is no power of two");
    refuse_alignment(4, 48, 4, "byte 57: an alignment of 48, which is no power of two");
    refuse_alignment(10, 32, 8, "byte 53: general.alignment is no u32");

    begin(&f, false, 0, 2);
    put_scalar(&f, "a", 0, 1, 1);
    put_scalar(&f, "a", 0, 1, 1);
    refuse(&f, CORAS_ERR_INVALID_MODEL, "byte 47: the name \"a\" is there twice");

    begin(&f, false, 0, 1);
    put_scalar(&f, "\x1b\xc3\xa9", 0, 1, 1);
    refuse(&f, CORAS_ERR_INVALID_MODEL, "byte 35: the key \"\\x1b\xc3\xa9\" is not ASCII");

    begin(&f, false, 0, 1);
    put_scalar(&f, "a", 13, 1, 8);
    refuse(&f, CORAS_ERR_INVALID_MODEL, "byte 37: key \"a\": a value of the unknown type 13");

    begin(&f, false, 0, 1);
    put_scalar(&f, "a", 9, 8, 4);
    put_number(&f, UINT64_MAX / 8 + 1, 8);
    refuse(&f, CORAS_ERR_INVALID_MODEL, NULL);

    begin(&f, false, 0, 1);
    put_string(&f, "a");
    put_number(&f, 8, 4);
    put_number(&f, UINT64_MAX, 8);
    refuse(&f, CORAS_ERR_INVALID_MODEL, NULL);

    begin(&f, false, 0, 1000000);
    put_data(&f, 1, 1000);
    refuse(&f, CORAS_ERR_INVALID_MODEL,
           "byte 24: 1000000 pairs of metadata are claimed, 1000 bytes are left");
}

/* Bounds of ours, in files that claim to be large enough. */
static void amounts_are_bounded(void **state)
{
    static const struct {
        uint64_t tensors, pairs;
    } rows[] = {{CORAS_LIMIT_TENSORS + 1, 0}, {0, CORAS_LIMIT_GGUF_PAIRS + 1}};

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        struct file f;
        struct reading r;
        begin(&f, false, rows[i].tensors, rows[i].pairs);
        assert_int_equal(read_pieces(CORAS_WEIGHT_GGUF, f.bytes.ptr, f.bytes.len, INT64_MAX, false,
                                     100, &r, NULL),
                         CORAS_ERR_TOO_LARGE);
        reading_clear(&r);
        coras_buf_clear(&f.bytes);
    }
}

/* A vocabulary passes through: 260 000 texts leave nothing behind. */
static void a_vocabulary_costs_nothing(void **state)
{
    enum { TOKENS = 260000 };
    coras_header_visitor visitor = {0};
    coras_header_reader *reader = NULL;
    struct file f;
    size_t bytes;

    (void)state;
    begin(&f, false, 0, 1);
    put_scalar(&f, "tokenizer.ggml.tokens", 9, 8, 4);
    put_number(&f, TOKENS, 8);
    for (int i = 0; i < TOKENS; i++)
        put_string(&f, "token");
    coras_alloc_count_start();
    assert_int_equal(coras_header_reader_new(CORAS_WEIGHT_GGUF, (int64_t)f.bytes.len, true,
                                             &visitor, &reader, NULL),
                     0);
    assert_int_equal(coras_header_feed(reader, f.bytes.ptr, f.bytes.len, NULL), 1);
    bytes = coras_alloc_count_stop();
    coras_header_reader_free(reader);
    coras_buf_clear(&f.bytes);
    assert_true(bytes < 8192);
}

/* A long text is told in part, and neither kept nor lost track of. */
static void a_long_text_is_cut(void **state)
{
    enum { LENGTH = 3 * CORAS_LIMIT_METADATA_TEXT };
    coras_auto_buf long_text = CORAS_BUF_UNLIMITED;
    struct file f;
    struct reading r;

    (void)state;
    for (int i = 0; i < LENGTH; i++)
        coras_buf_putc(&long_text, 'x');
    begin(&f, false, 0, 2);
    put_text(&f, "a", long_text.ptr);
    put_scalar(&f, "b", 0, 1, 1);
    coras_alloc_count_start();
    assert_int_equal(read_pieces(CORAS_WEIGHT_GGUF, f.bytes.ptr, f.bytes.len, (int64_t)f.bytes.len,
                                 true, 1000, &r, NULL),
                     1);
    assert_true(coras_alloc_count_stop() < 5 * CORAS_LIMIT_METADATA_TEXT);
    assert_non_null(strstr(r.told.ptr, "\nb=1\n"));
    reading_clear(&r);
    coras_buf_clear(&f.bytes);
}

static int read_some(coras_error **err)
{
    coras_header_visitor visitor = {0};
    coras_auto(coras_header_reader) reader = NULL;
    static const char file[] = "GGUF\3\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0"
                               "\1\0\0\0\0\0\0\0k\x8\0\0\0\1\0\0\0\0\0\0\0v"
                               "\1\0\0\0\0\0\0\0w\1\0\0\0\1\0\0\0\0\0\0\0\x63\0\0\0\0\0\0\0\0\0\0\0"
                               "\0\0\0\0\0\0\0\0\0\0\0\0"
                               "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    int rc;

    CORAS_TRY(
        coras_header_reader_new(CORAS_WEIGHT_GGUF, sizeof(file), false, &visitor, &reader, err));
    rc = coras_header_feed(reader, file, sizeof(file), err);
    return rc > 0 ? 0 : rc;
}

/* Only the name in a warning may get lost. */
static void check_lack(int rc, const coras_error *err, bool failed)
{
    if (rc < 0 || !failed)
        assert_out_of_memory_if(rc, err, failed);
}

static void lack_of_memory_is_reported(void **state)
{
    (void)state;
    check_each_allocation(read_some, check_lack);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_bytes),
        cmocka_unit_test(values_are_told),
        cmocka_unit_test(arrays_are_passed),
        cmocka_unit_test(tensors_are_placed),
        cmocka_unit_test(oddities_are_warnings_or_refused),
        cmocka_unit_test(what_the_file_does_not_hold_is_refused),
        cmocka_unit_test(metadata_is_checked),
        cmocka_unit_test(amounts_are_bounded),
        cmocka_unit_test(a_vocabulary_costs_nothing),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(lack_of_memory_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
