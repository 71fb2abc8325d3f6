/*
 * Regular expressions with Go's (RE2) syntax and leftmost-first matching. The matcher follows all
 * alternatives at once (Pike's machine), so its time is bounded by text length times program size
 * whatever the expression; a backtracking library would let `(a*)*b` hang, and none needs loading.
 * Of the Unicode classes \p{L Lu Ll N Nd P Z} are known.
 */
#ifndef CORAS_GOTEMPLATE_REGEX_H
#define CORAS_GOTEMPLATE_REGEX_H

#include "gotemplate/arena.h"

enum tpl_regex_op {
    TPL_RE_MATCH,
    TPL_RE_SET,
    TPL_RE_SPLIT, /* x is preferred to y */
    TPL_RE_JUMP,  /* to x */
    TPL_RE_SAVE,  /* the position in slot x */
    TPL_RE_ASSERT,
};
enum tpl_regex_assert {
    TPL_RE_TEXT_START,
    TPL_RE_TEXT_END,
    TPL_RE_LINE_START,
    TPL_RE_LINE_END,
    TPL_RE_WORD_EDGE,
    TPL_RE_NO_WORD_EDGE,
};

/* A range of code points, or a predicate when `is` is set. */
struct tpl_regex_range {
    uint32_t low, high;
    bool (*is)(uint32_t c);
    bool is_not; /* the predicate's opposite */
};
struct tpl_regex_set {
    struct tpl_regex_range *items;
    size_t len, cap;
    bool negated, fold_case;
};

struct tpl_regex_inst {
    enum tpl_regex_op op;
    enum tpl_regex_assert assert;
    uint32_t x, y;
    const struct tpl_regex_set *set;
};

struct tpl_regex {
    struct tpl_regex_inst *code;
    uint32_t len, cap;
    uint32_t groups;                   /* with the whole match */
    coras_str *names;                  /* of each group; empty when it has none */
    struct tpl_regex_machine *machine; /* kept from match to match */
};

/* NULL with the reason in Go's words. */
struct tpl_regex *tpl_regex_compile(struct tpl_arena *a, coras_str expr, const char **ret_problem);
/* The first match at or after `from`; slots gets 2 * groups offsets, TPL_NOT_FOUND where a group
 * took no part. */
bool tpl_regex_match(struct tpl_arena *a, struct tpl_regex *re, coras_str text, size_t from,
                     size_t *slots);

#endif
