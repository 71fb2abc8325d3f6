/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scanner of pickles: cuts the bytes into opcodes and follows texts through stack and memo.
 */
#include "model/pickle.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/str.h"
#include "model/pickle_log.h"
#include "model/pickle_machine.h"
#include "model/pickle_opcodes.h"
#include "model/pickle_raw.h"
#include "model/pickle_text.h"

enum { NEWEST_PROTOCOL = 5, TORCH_PICKLES = 5, OPCODE_PROTOCOL = 0x80, BROKEN = 1 };

/* The first pickle of a file that torch.save wrote before 1.6: a number. */
static const char torch_magic[] = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

enum coras_pickle_phase {
    CORAS_PICKLE_AT_OPCODE,
    CORAS_PICKLE_IN_NUMBER,
    CORAS_PICKLE_IN_LINE,
    CORAS_PICKLE_IN_DATA,
    CORAS_PICKLE_IN_RAW, /* no pickles any more */
};

/* Bytes that were kept of an argument. */
struct coras_pickle_kept {
    char ptr[CORAS_LIMIT_PICKLE_NAME + 1];
    size_t len;
    bool cut;
};

struct coras_pickle {
    coras_pickle_log log;
    coras_pickle_machine machine;
    coras_pickle_summary summary;
    enum coras_pickle_phase phase;
    int64_t offset; /* of the next byte */
    int depth;      /* how many pickles this one lies in */

    /* this pickle */
    int64_t pickle_at;
    bool has_header;
    bool torch_legacy; /* and all that follow */

    /* this opcode */
    const coras_pickle_opcode *op;
    int64_t op_at;
    uint64_t number;
    unsigned number_bytes; /* of it that are there */
    uint64_t data_left;
    struct coras_pickle_kept text, module;
    bool in_second_line;
    coras_buf plain; /* the text, decoded; kept for its memory */

    coras_pickle *child; /* in the data of this opcode */
    coras_pickle_raw raw;
};

int coras_pickle_new(const coras_pickle_visitor *visitor, coras_pickle **ret, coras_error **err)
{
    coras_auto(coras_pickle) p = coras_new(coras_pickle);
    if (!p)
        return coras_fail_no_memory(err);
    p->summary = (coras_pickle_summary){0, -1, -1};
    p->plain = (coras_buf)CORAS_BUF_INIT(4 * CORAS_LIMIT_PICKLE_NAME);
    CORAS_TRY(coras_pickle_log_init(&p->log, visitor, err));
    CORAS_TRY(coras_pickle_machine_init(&p->machine, err));
    *ret = coras_steal(&p);
    return 0;
}

void coras_pickle_free(coras_pickle *p)
{
    if (!p)
        return;
    coras_pickle_free(p->child);
    coras_buf_clear(&p->plain);
    coras_pickle_log_clear(&p->log);
    coras_pickle_machine_clear(&p->machine);
    free(p);
}

/* Behind other pickles, something without a header may be anything. */
static bool is_doubtful(const coras_pickle *p)
{
    return p->summary.pickles > 0 && !p->has_header && !p->torch_legacy;
}

static int report_import(coras_pickle *p, const char *module, const char *name, coras_error **err)
{
    return coras_pickle_log_import(&p->log, p->op_at, module, name, is_doubtful(p), err);
}

static int report_unknown(coras_pickle *p, const char *why, coras_error **err)
{
    return coras_pickle_log_unknown(&p->log, p->op_at, why, is_doubtful(p), err);
}

/* ---- the end of a pickle ---- */

/* What stands at `at` can be no part of it; the rest is searched, not followed. */
static void break_off(coras_pickle *p, int64_t at)
{
    bool meant_as_pickle = p->summary.pickles == 0 || p->torch_legacy || p->log.any_here;

    if (p->summary.pickles > 0 && at == p->pickle_at)
        meant_as_pickle = false;
    if (meant_as_pickle)
        p->summary.broken_at = at;
    else
        p->summary.raw_at = p->pickle_at;
    coras_pickle_log_drop(&p->log);
    p->phase = CORAS_PICKLE_IN_RAW;
}

static int end_pickle(coras_pickle *p, coras_error **err)
{
    if (p->machine.stack.len == 0)
        return BROKEN; /* a pickle leaves its object */
    CORAS_TRY(coras_pickle_log_believe(&p->log, err));
    coras_pickle_machine_reset(&p->machine);
    p->summary.pickles++;
    p->pickle_at = p->offset;
    p->has_header = false;
    return 0;
}

/* ---- what opcodes do ---- */

static int push_text(coras_pickle *p, coras_error **err)
{
    coras_str raw = {p->text.ptr, p->text.len};

    coras_buf_reset(&p->plain);
    if (p->text.cut || !coras_pickle_text_decode(&p->plain, p->op->spelling, raw))
        return coras_pickle_push(&p->machine, CORAS_PICKLE_UNKNOWN, err);
    CORAS_TRY(coras_buf_done(&p->plain, err));
    return coras_pickle_push_text(&p->machine, p->plain.ptr, err);
}

static int import_by_lines(coras_pickle *p, coras_error **err)
{
    if (p->module.cut || p->text.cut)
        return report_unknown(p, "a name that is too long for one", err);
    return report_import(p, p->module.ptr, p->text.ptr, err);
}

static int import_from_stack(coras_pickle *p, coras_error **err)
{
    const char *name = coras_pickle_text(&p->machine, coras_pickle_pop(&p->machine));
    const char *module = coras_pickle_text(&p->machine, coras_pickle_pop(&p->machine));

    if (name && module)
        CORAS_TRY(report_import(p, module, name, err));
    else
        CORAS_TRY(report_unknown(p, "a name that is made while it is loaded", err));
    return coras_pickle_push(&p->machine, CORAS_PICKLE_UNKNOWN, err);
}

static int import_extension(coras_pickle *p, coras_error **err)
{
    char why[64];
    snprintf(why, sizeof(why), "extension code %lld", (long long)p->number);
    CORAS_TRY(report_unknown(p, why, err));
    return coras_pickle_push(&p->machine, CORAS_PICKLE_UNKNOWN, err);
}

/* Index of PUT or GET; one that does not exist when it is no number. */
static uint64_t memo_index(const coras_pickle *p)
{
    int64_t index = 0;
    if (p->op->argument == CORAS_PICKLE_ARG_NUMBER)
        return p->number;
    if (p->text.cut || !coras_parse_int64((coras_str){p->text.ptr, p->text.len}, &index))
        return UINT64_MAX;
    return (uint64_t)index;
}

static int replace(coras_pickle *p, coras_error **err)
{
    if (p->op->effect == CORAS_PICKLE_DO_TO_MARK)
        coras_pickle_pop_to_mark(&p->machine);
    for (int i = 0; i < p->op->pops; i++)
        (void)coras_pickle_pop(&p->machine);
    return p->op->pushes ? coras_pickle_push(&p->machine, CORAS_PICKLE_UNKNOWN, err) : 0;
}

static int read_header(coras_pickle *p)
{
    if (p->number > NEWEST_PROTOCOL)
        return BROKEN;
    if (p->op_at == p->pickle_at)
        p->has_header = true;
    return 0;
}

static void look_for_torch(coras_pickle *p)
{
    if (p->summary.pickles == 0 && p->op->argument == CORAS_PICKLE_ARG_DATA &&
        p->text.len == sizeof(torch_magic) - 1 &&
        memcmp(p->text.ptr, torch_magic, p->text.len) == 0)
        p->torch_legacy = true;
}

/* 0, BROKEN, or a negative code. */
static int apply(coras_pickle *p, coras_error **err)
{
    coras_pickle_machine *m = &p->machine;

    switch (p->op->effect) {
    case CORAS_PICKLE_DO_NOTHING:
        return 0;
    case CORAS_PICKLE_DO_REPLACE:
        look_for_torch(p);
        return replace(p, err);
    case CORAS_PICKLE_DO_TO_MARK:
        return replace(p, err);
    case CORAS_PICKLE_DO_MARK:
        return coras_pickle_push(m, CORAS_PICKLE_MARK, err);
    case CORAS_PICKLE_DO_POP:
        (void)coras_pickle_pop(m);
        return 0;
    case CORAS_PICKLE_DO_DUP:
        return coras_pickle_push(m, coras_pickle_top(m), err);
    case CORAS_PICKLE_DO_TEXT:
        return push_text(p, err);
    case CORAS_PICKLE_DO_PUT:
        return coras_pickle_put(m, memo_index(p), p->offset, err);
    case CORAS_PICKLE_DO_MEMOIZE:
        return coras_pickle_memoize(m, p->offset, err);
    case CORAS_PICKLE_DO_GET:
        return coras_pickle_push(m, coras_pickle_recall(m, memo_index(p)), err);
    case CORAS_PICKLE_DO_GLOBAL:
        CORAS_TRY(import_by_lines(p, err));
        return coras_pickle_push(m, CORAS_PICKLE_UNKNOWN, err);
    case CORAS_PICKLE_DO_INSTANCE:
        CORAS_TRY(import_by_lines(p, err));
        coras_pickle_pop_to_mark(m);
        return coras_pickle_push(m, CORAS_PICKLE_UNKNOWN, err);
    case CORAS_PICKLE_DO_STACK_GLOBAL:
        return import_from_stack(p, err);
    case CORAS_PICKLE_DO_EXTENSION:
        return import_extension(p, err);
    case CORAS_PICKLE_DO_PROTOCOL:
        return read_header(p);
    case CORAS_PICKLE_DO_STOP:
        return end_pickle(p, err);
    }
    return 0;
}

static int finish_opcode(coras_pickle *p, coras_error **err)
{
    int rc = apply(p, err);
    p->phase = CORAS_PICKLE_AT_OPCODE;
    if (rc == BROKEN)
        break_off(p, p->op_at);
    else if (rc == 0 && p->torch_legacy && p->summary.pickles == TORCH_PICKLES) {
        p->summary.raw_at = p->offset; /* the numbers themselves */
        p->phase = CORAS_PICKLE_IN_RAW;
    }
    return rc < 0 ? rc : 0;
}

/* ---- arguments ---- */

static void keep(struct coras_pickle_kept *kept, const char *data, size_t len)
{
    size_t room = CORAS_LIMIT_PICKLE_NAME - kept->len, n = len < room ? len : room;
    memcpy(kept->ptr + kept->len, data, n);
    kept->len += n;
    kept->ptr[kept->len] = '\0';
    kept->cut |= n < len;
}

static void begin_text(struct coras_pickle_kept *kept)
{
    kept->len = 0;
    kept->cut = false;
    kept->ptr[0] = '\0';
}

static int begin_opcode(coras_pickle *p, unsigned char c, coras_error **err)
{
    p->op = &coras_pickle_opcodes[c];
    p->op_at = p->offset++;
    p->number = p->number_bytes = 0;
    p->in_second_line = false;
    begin_text(&p->text);
    if (!p->op->known) {
        break_off(p, p->op_at);
        return 0;
    }
    switch (p->op->argument) {
    case CORAS_PICKLE_ARG_NONE:
        return finish_opcode(p, err);
    case CORAS_PICKLE_ARG_NUMBER:
    case CORAS_PICKLE_ARG_DATA:
        p->phase = CORAS_PICKLE_IN_NUMBER;
        return 0;
    case CORAS_PICKLE_ARG_LINE:
    case CORAS_PICKLE_ARG_LINES:
        p->phase = CORAS_PICKLE_IN_LINE;
        return 0;
    }
    return 0;
}

/* Bytes in bytes: perhaps another pickle, for a loader that is called by this one. */
static int begin_child(coras_pickle *p, coras_error **err)
{
    if (!p->op->is_bytes || p->depth + 1 >= CORAS_LIMIT_PICKLE_DEPTH || p->data_left < 4)
        return 0;
    CORAS_TRY(coras_pickle_new(&p->log.visitor, &p->child, err));
    p->child->depth = p->depth + 1;
    p->child->offset = p->child->pickle_at = p->offset;
    return 0;
}

static int begin_data(coras_pickle *p, coras_error **err)
{
    uint64_t largest = (uint64_t)INT64_MAX >> (64 - 8 * p->op->width);

    if (p->op->is_signed && p->number > largest) {
        break_off(p, p->op_at);
        return 0;
    }
    p->data_left = p->number;
    if (p->data_left == 0)
        return finish_opcode(p, err);
    p->phase = CORAS_PICKLE_IN_DATA;
    return 0;
}

static int take_number(coras_pickle *p, unsigned char c, coras_error **err)
{
    p->offset++;
    p->number |= (uint64_t)c << 8 * p->number_bytes++;
    if (p->number_bytes < p->op->width)
        return 0;
    return p->op->argument == CORAS_PICKLE_ARG_DATA ? begin_data(p, err) : finish_opcode(p, err);
}

static int finish_child(coras_pickle *p, coras_error **err)
{
    coras_pickle_summary ignored;
    if (!p->child)
        return 0;
    int rc = coras_pickle_finish(p->child, &ignored, err);
    coras_pickle_free(p->child);
    p->child = NULL;
    return rc;
}

static int take_data(coras_pickle *p, const char *data, size_t len, size_t *used, coras_error **err)
{
    size_t n = len < p->data_left ? len : (size_t)p->data_left;

    if (p->data_left == p->number && (unsigned char)data[0] == OPCODE_PROTOCOL)
        CORAS_TRY(begin_child(p, err));
    if (p->child)
        CORAS_TRY(coras_pickle_feed(p->child, data, n, err));
    keep(&p->text, data, n);
    p->offset += (int64_t)n;
    p->data_left -= n;
    *used = n;
    if (p->data_left > 0)
        return 0;
    CORAS_TRY(finish_child(p, err));
    return finish_opcode(p, err);
}

static int take_line(coras_pickle *p, const char *data, size_t len, size_t *used, coras_error **err)
{
    const char *end = memchr(data, '\n', len);
    size_t n = end ? (size_t)(end - data) : len;

    keep(&p->text, data, n);
    *used = end ? n + 1 : n;
    p->offset += (int64_t)*used;
    if (!end)
        return 0;
    if (p->op->argument == CORAS_PICKLE_ARG_LINES && !p->in_second_line) {
        p->in_second_line = true;
        p->module = p->text;
        begin_text(&p->text);
        return 0;
    }
    return finish_opcode(p, err);
}

/* ---- other data ---- */

static int take_raw(coras_pickle *p, const void *data, size_t len, size_t *used, coras_error **err)
{
    struct coras_pickle_raw_found found;
    bool any = coras_pickle_raw_find(&p->raw, data, len, used, &found);

    p->offset += (int64_t)*used;
    p->op_at = p->offset - 1;
    return any ? report_import(p, found.module, found.name, err) : 0;
}

/* ---- */

static int feed_some(coras_pickle *p, const char *data, size_t len, size_t *used, coras_error **err)
{
    *used = 1;
    switch (p->phase) {
    case CORAS_PICKLE_AT_OPCODE:
        return begin_opcode(p, (unsigned char)data[0], err);
    case CORAS_PICKLE_IN_NUMBER:
        return take_number(p, (unsigned char)data[0], err);
    case CORAS_PICKLE_IN_LINE:
        return take_line(p, data, len, used, err);
    case CORAS_PICKLE_IN_DATA:
        return take_data(p, data, len, used, err);
    case CORAS_PICKLE_IN_RAW:
        return take_raw(p, data, len, used, err);
    }
    return 0;
}

int coras_pickle_feed(coras_pickle *p, const void *data, size_t len, coras_error **err)
{
    const char *at = data;
    size_t used = 0;

    for (; len > 0; at += used, len -= used)
        CORAS_TRY(feed_some(p, at, len, &used, err));
    return 0;
}

int coras_pickle_finish(coras_pickle *p, coras_pickle_summary *ret, coras_error **err)
{
    CORAS_TRY(finish_child(p, err));
    bool between = p->phase == CORAS_PICKLE_AT_OPCODE && p->offset == p->pickle_at;
    if (p->phase != CORAS_PICKLE_IN_RAW && !(between && p->summary.pickles > 0))
        break_off(p, p->offset);
    *ret = p->summary;
    return 0;
}
