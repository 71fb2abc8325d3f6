/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiling and matching by PCRE2. The library is loaded by the first expression, so that a command
 * without one does not pay for it. What it allocates comes from the arena: nothing is left over
 * when a failure leaves by longjmp.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "gotemplate/regex.h"

#include <pcre2.h>
#include <pthread.h>

#include "base/late_library.h"

/* The functions that are called, found by name. */
struct library {
    __typeof__(pcre2_general_context_create_8) *general_context_create;
    __typeof__(pcre2_compile_context_create_8) *compile_context_create;
    __typeof__(pcre2_set_newline_8) *set_newline;
    __typeof__(pcre2_set_parens_nest_limit_8) *set_parens_nest_limit;
    __typeof__(pcre2_compile_8) *compile;
    __typeof__(pcre2_match_data_create_from_pattern_8) *match_data_create_from_pattern;
    __typeof__(pcre2_match_context_create_8) *match_context_create;
    __typeof__(pcre2_set_match_limit_8) *set_match_limit;
    __typeof__(pcre2_set_depth_limit_8) *set_depth_limit;
    __typeof__(pcre2_set_heap_limit_8) *set_heap_limit;
    __typeof__(pcre2_match_8) *match;
    __typeof__(pcre2_get_ovector_pointer_8) *get_ovector_pointer;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct library pcre2; /* written once, under `once` */
static bool is_missing;

static const struct coras_late_symbol symbols[] = {
#define SYMBOL(member) CORAS_LATE_SYMBOL(pcre2_##member##_8, struct library, member)
    SYMBOL(general_context_create),
    SYMBOL(compile_context_create),
    SYMBOL(set_newline),
    SYMBOL(set_parens_nest_limit),
    SYMBOL(compile),
    SYMBOL(match_data_create_from_pattern),
    SYMBOL(match_context_create),
    SYMBOL(set_match_limit),
    SYMBOL(set_depth_limit),
    SYMBOL(set_heap_limit),
    SYMBOL(match),
    SYMBOL(get_ovector_pointer),
#undef SYMBOL
};

static void load(void)
{
    static const char *const names[] = {"libpcre2-8.so.0", NULL};

    is_missing = coras_late_library_load(names, symbols, CORAS_ARRAY_LEN(symbols), &pcre2) != NULL;
}

struct gotmpl_regex {
    struct gotmpl_regex *next; /* of those the arena has compiled */
    coras_str expr;
    const char *problem;
    struct gotmpl_regex_groups groups;
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

static void *allocate(PCRE2_SIZE size, void *arena)
{
    return gotmpl_alloc(arena, size);
}

/* The arena takes everything back at its end. */
static void release(void *memory, void *arena)
{
    (void)memory, (void)arena;
}

static pcre2_code *compile_text(struct gotmpl_arena *a, coras_str text)
{
    const uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY |
                             PCRE2_ALT_CIRCUMFLEX | PCRE2_NEVER_BACKSLASH_C;
    pcre2_general_context *memory = pcre2.general_context_create(allocate, release, a);
    pcre2_compile_context *context = pcre2.compile_context_create(memory);
    PCRE2_SIZE offset;
    int code;

    pcre2.set_newline(context, PCRE2_NEWLINE_LF);
    pcre2.set_parens_nest_limit(context, GOTMPL_LIMIT_REGEX_NESTING * 2);
    return pcre2.compile((PCRE2_SPTR)text.ptr, text.len, options, &code, &offset, context);
}

static bool knows_class(struct gotmpl_arena *a, coras_str name)
{
    return compile_text(a, gotmpl_format(a, "\\p{%.*s}", (int)name.len, name.ptr)) != NULL;
}

static void compile(struct gotmpl_arena *a, void *user)
{
    struct gotmpl_regex *re = user;
    coras_str text;

    if (re->expr.len > GOTMPL_LIMIT_REGEX_BYTES)
        gotmpl_fail(a, "error parsing regexp: expression too large");
    text = gotmpl_regex_translate(a, re->expr, knows_class, &re->groups);
    re->code = compile_text(a, text);
    if (!re->code)
        gotmpl_fail(a, "error parsing regexp: expression too large");
    re->data = pcre2.match_data_create_from_pattern(re->code, NULL);
    re->limits = pcre2.match_context_create(pcre2.general_context_create(allocate, release, a));
    pcre2.set_match_limit(re->limits, GOTMPL_LIMIT_REGEX_MATCH);
    pcre2.set_depth_limit(re->limits, GOTMPL_LIMIT_REGEX_MATCH);
    pcre2.set_heap_limit(re->limits, GOTMPL_LIMIT_REGEX_HEAP_KIB);
}

static struct gotmpl_regex *find_or_compile(struct gotmpl_arena *a, coras_str expr)
{
    struct gotmpl_regex *re;

    for (re = a->regexes; re; re = re->next)
        if (gotmpl_str_same(re->expr, expr))
            return re;
    re = gotmpl_alloc(a, sizeof(*re));
    re->expr = expr;
    if (!gotmpl_guard(a, compile, re)) {
        if (a->code != CORAS_ERR_INVALID_ARGUMENT)
            gotmpl_raise_again(a);
        a->code = 0;
        re->problem = a->message;
    }
    re->next = a->regexes;
    a->regexes = re;
    return re;
}

struct gotmpl_regex *gotmpl_regex_compile(struct gotmpl_arena *a, coras_str expr,
                                          const char **ret_problem)
{
    struct gotmpl_regex *re;

    pthread_once(&once, load);
    if (is_missing)
        gotmpl_raise(a, CORAS_ERR_UNSUPPORTED,
                     "regular expressions need the library PCRE2 (libpcre2-8.so.0), which cannot "
                     "be loaded");
    re = find_or_compile(a, expr);
    *ret_problem = re->problem;
    return re->problem ? NULL : re;
}

const struct gotmpl_regex_groups *gotmpl_regex_groups(const struct gotmpl_regex *re)
{
    return &re->groups;
}

bool gotmpl_regex_match(struct gotmpl_arena *a, struct gotmpl_regex *re, coras_str text,
                        size_t from, size_t *slots)
{
    const PCRE2_SIZE *ends;
    int found;

    gotmpl_step(a, GOTMPL_LIMIT_REGEX_STEPS);
    found = pcre2.match(re->code, (PCRE2_SPTR)text.ptr, text.len, from, PCRE2_NO_UTF_CHECK,
                        re->data, re->limits);
    if (found == PCRE2_ERROR_NOMATCH)
        return false;
    if (found < 0)
        gotmpl_raise(a, CORAS_ERR_TOO_LARGE,
                     "the regular expression has too many ways to match the text");
    ends = pcre2.get_ovector_pointer(re->data);
    for (size_t i = 0; i < 2 * re->groups.len; i++)
        slots[i] = ends[i] == PCRE2_UNSET || i >= 2 * (size_t)found ? GOTMPL_NOT_FOUND : ends[i];
    return true;
}
