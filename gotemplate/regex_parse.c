/* Regular expressions: from text over a tree to a program. */
#include "gotemplate/regex.h"

#include "gotemplate/unicode.h"

enum { REPEAT_LIMIT = 1000, DEPTH_LIMIT = 500, CODE_LIMIT = 50000, UNBOUNDED = -1 };

enum node_type { EMPTY, SET, CAT, ALTERNATE, REPEAT, GROUP, ASSERT };

struct node {
    enum node_type type;
    struct node *left, *right;
    struct tpl_regex_set *set;
    enum tpl_regex_assert assert;
    int min, max; /* REPEAT */
    bool lazy;
    uint32_t group;
};

struct flags {
    bool fold_case, multi_line, dot_newline, swap_greed;
};

struct compiler {
    struct tpl_arena *a;
    coras_str expr;
    size_t pos;
    struct flags flags;
    int depth;
    struct tpl_regex *re;
    struct {
        coras_str *items;
        size_t len, cap;
    } names;
};

static struct node *parse_alternatives(struct compiler *c);

_Noreturn static void refuse(struct compiler *c, const char *what, size_t from, size_t to)
{
    coras_str s = tpl_sub(c->expr, from, to);

    tpl_fail(c->a, "error parsing regexp: %s: `%.*s`", what, (int)s.len, s.ptr);
}

static struct node *new_node(struct compiler *c, enum node_type type)
{
    struct node *n = tpl_alloc(c->a, sizeof(*n));

    n->type = type;
    return n;
}

static bool at_end(const struct compiler *c)
{
    return c->pos >= c->expr.len;
}

static bool next_is(const struct compiler *c, const char *s)
{
    return tpl_has_prefix(tpl_sub(c->expr, c->pos, c->expr.len), s);
}

static uint32_t take(struct compiler *c)
{
    uint32_t r;
    size_t n = coras_utf8_decode(c->expr.ptr + c->pos, c->expr.len - c->pos, &r);

    if (n == 1 && r == 0xfffd)
        refuse(c, "invalid UTF-8", 0, c->expr.len);
    c->pos += n;
    return r;
}

/* ---- sets ---- */

static void add_item(struct compiler *c, struct tpl_regex_set *s, struct tpl_regex_range item)
{
    if (s->len == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 4;
        s->items = tpl_regrow(c->a, s->items, s->len, s->cap, sizeof(*s->items));
    }
    s->items[s->len++] = item;
}

static void add_range(struct compiler *c, struct tpl_regex_set *s, uint32_t low, uint32_t high)
{
    add_item(c, s, (struct tpl_regex_range){.low = low, .high = high});
}

/* Sorted pairs of bounds, or all that lies outside of them. */
static void add_pairs(struct compiler *c, struct tpl_regex_set *s, const char *pairs, bool negated)
{
    uint32_t from = 0;

    for (; *pairs; pairs += 2) {
        if (!negated)
            add_range(c, s, (unsigned char)pairs[0], (unsigned char)pairs[1]);
        else if ((unsigned char)pairs[0] > from)
            add_range(c, s, from, (unsigned char)pairs[0] - 1u);
        from = (unsigned char)pairs[1] + 1u;
    }
    if (negated)
        add_range(c, s, from, 0x10ffff);
}

/* \d \s \w and their capitals; false when the letter is none of them. */
static bool add_perl_class(struct compiler *c, struct tpl_regex_set *s, uint32_t letter)
{
    bool negated = letter < 'a';

    switch (letter | 0x20) {
    case 'd':
        add_pairs(c, s, "09", negated);
        return true;
    case 's':
        add_pairs(c, s, "\t\n\f\r  ", negated);
        return true;
    case 'w':
        add_pairs(c, s, "09AZ__az", negated);
        return true;
    default:
        return false;
    }
}

/* [:alpha:] within brackets. */
static void add_posix_class(struct compiler *c, struct tpl_regex_set *s)
{
    static const struct {
        const char *name, *pairs;
    } classes[] = {
        {"alnum", "09AZaz"},
        {"alpha", "AZaz"},
        {"ascii", "\001\177"},
        {"blank", "\t\t  "},
        {"cntrl", "\001\037\177\177"},
        {"digit", "09"},
        {"graph", "!~"},
        {"lower", "az"},
        {"print", " ~"},
        {"punct", "!/:@[`{~"},
        {"space", "\t\r  "},
        {"upper", "AZ"},
        {"word", "09AZ__az"},
        {"xdigit", "09AFaf"},
    };
    size_t start = c->pos,
           end = start + tpl_find(tpl_sub(c->expr, start, c->expr.len), CORAS_STR(":]")) + 2;
    bool negated = c->expr.ptr[start + 2] == '^';
    coras_str name = tpl_sub(c->expr, start + 2 + negated, end - 2);

    c->pos = end;
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (coras_str_eq(name, classes[i].name)) {
            add_pairs(c, s, classes[i].pairs, negated);
            return;
        }
    refuse(c, "invalid character class range", start, end);
}

/* After \p or \P. */
static void add_unicode_class(struct compiler *c, struct tpl_regex_set *s, size_t start)
{
    static const struct {
        const char *name;
        bool (*is)(uint32_t c);
    } classes[] = {{"L", tpl_is_letter}, {"Lu", tpl_is_upper}, {"Ll", tpl_is_lower},
                   {"N", tpl_is_digit},  {"Nd", tpl_is_digit}, {"P", tpl_is_punct},
                   {"Z", tpl_is_space}};
    bool negated = c->expr.ptr[start + 1] == 'P';
    coras_str name;
    size_t from = c->pos;

    if (at_end(c))
        refuse(c, "invalid character class range", start, c->pos);
    if (c->expr.ptr[c->pos] == '{') {
        const char *close = memchr(c->expr.ptr + from, '}', c->expr.len - from);
        if (!close)
            refuse(c, "invalid character class range", start, c->expr.len);
        c->pos = (size_t)(close - c->expr.ptr) + 1;
        name = tpl_sub(c->expr, from + 1, c->pos - 1);
        if (name.len && name.ptr[0] == '^') {
            negated = !negated;
            name = tpl_sub(name, 1, name.len);
        }
    } else {
        take(c);
        name = tpl_sub(c->expr, from, c->pos);
    }
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (coras_str_eq(name, classes[i].name)) {
            add_item(c, s, (struct tpl_regex_range){.is = classes[i].is, .is_not = negated});
            return;
        }
    refuse(c, "invalid character class range", start, c->pos);
}

static int hex_value(uint32_t r)
{
    if (r >= '0' && r <= '9')
        return (int)(r - '0');
    r |= 0x20;
    return r >= 'a' && r <= 'f' ? (int)(r - 'a' + 10) : -1;
}

static uint32_t take_hex(struct compiler *c, size_t start)
{
    uint32_t value = 0;
    bool braces = next_is(c, "{");
    size_t digits = 0;

    if (braces)
        c->pos++;
    while (!at_end(c) && (braces || digits < 2)) {
        uint32_t r = take(c);
        if (braces && r == '}' && digits)
            return value;
        if (hex_value(r) < 0 || (value = value * 16 + (uint32_t)hex_value(r)) > 0x10ffff) {
            if (!braces && !digits && !at_end(c))
                (void)take(c); /* both digits are read before either is looked at */
            refuse(c, "invalid escape sequence", start, c->pos);
        }
        digits++;
    }
    if (braces || digits < 2)
        refuse(c, "invalid escape sequence", start, c->pos);
    return value;
}

/* A single character written with a backslash, which is at the position. */
static uint32_t take_escape(struct compiler *c)
{
    static const char letters[] = "afnrtv", values[] = "\a\f\n\r\t\v";
    size_t start = c->pos++;
    const char *at;
    uint32_t r;

    if (at_end(c))
        refuse(c, "trailing backslash at end of expression", c->pos, c->pos);
    r = take(c);
    if (r >= '1' && r <= '7' &&
        (at_end(c) || c->expr.ptr[c->pos] < '0' || c->expr.ptr[c->pos] > '7'))
        refuse(c, "invalid escape sequence", start, c->pos);
    if (r >= '0' && r <= '7') {
        r -= '0';
        for (int i = 1;
             i < 3 && !at_end(c) && c->expr.ptr[c->pos] >= '0' && c->expr.ptr[c->pos] <= '7'; i++)
            r = r * 8 + (take(c) - '0');
        return r;
    }
    if (r == 'x')
        return take_hex(c, start);
    at = r && r < 0x80 ? strchr(letters, (int)r) : NULL;
    if (at)
        return (uint32_t)values[at - letters];
    if (r >= 0x80 || coras_is_alnum((char)r))
        refuse(c, "invalid escape sequence", start, c->pos);
    return r;
}

/* \d, \pL and the like at the position; false when it is something else. */
static bool take_class(struct compiler *c, struct tpl_regex_set *s)
{
    size_t start = c->pos;
    char letter;

    if (start + 1 >= c->expr.len || c->expr.ptr[start] != '\\')
        return false;
    letter = c->expr.ptr[start + 1];
    if (letter == 'p' || letter == 'P') {
        c->pos += 2;
        add_unicode_class(c, s, start);
        return true;
    }
    if (!letter || !strchr("dswDSW", letter))
        return false;
    c->pos += 2;
    return add_perl_class(c, s, (uint32_t)letter);
}

static uint32_t take_class_char(struct compiler *c, size_t start)
{
    if (at_end(c))
        refuse(c, "missing closing ]", start, c->expr.len);
    return c->expr.ptr[c->pos] == '\\' ? take_escape(c) : take(c);
}

static struct node *set_node(struct compiler *c)
{
    struct node *n = new_node(c, SET);

    n->set = tpl_alloc(c->a, sizeof(*n->set));
    n->set->fold_case = c->flags.fold_case;
    return n;
}

static struct node *parse_brackets(struct compiler *c)
{
    struct node *n = set_node(c);
    size_t start = c->pos++;
    bool first = true;

    if (next_is(c, "^")) {
        n->set->negated = true;
        c->pos++;
    }
    for (; at_end(c) || c->expr.ptr[c->pos] != ']' || first; first = false) {
        size_t from = c->pos;
        uint32_t low, high;
        if (at_end(c))
            refuse(c, "missing closing ]", start, c->expr.len);
        if (next_is(c, "-") && !first && !next_is(c, "-]") && c->pos + 1 < c->expr.len) {
            take(c);
            take(c);
            refuse(c, "invalid character class range", from, c->pos);
        }
        if (next_is(c, "[:") &&
            tpl_find(tpl_sub(c->expr, from, c->expr.len), CORAS_STR(":]")) != TPL_NOT_FOUND) {
            add_posix_class(c, n->set);
            continue;
        }
        if (take_class(c, n->set))
            continue;
        low = high = take_class_char(c, start);
        if (next_is(c, "-") && !next_is(c, "-]") && c->pos + 1 < c->expr.len) {
            c->pos++;
            high = take_class_char(c, start);
            if (high < low)
                refuse(c, "invalid character class range", from, c->pos);
        }
        add_range(c, n->set, low, high);
    }
    c->pos++;
    return n;
}

/* ---- the grammar ---- */

static struct node *assertion(struct compiler *c, enum tpl_regex_assert assert)
{
    struct node *n = new_node(c, ASSERT);

    n->assert = assert;
    return n;
}

static struct node *literal(struct compiler *c, uint32_t r)
{
    struct node *n = set_node(c);

    add_range(c, n->set, r, r);
    return n;
}

static struct node *concat(struct compiler *c, struct node *left, struct node *right)
{
    struct node *n;

    if (!left || left->type == EMPTY)
        return right;
    n = new_node(c, CAT);
    n->left = left;
    n->right = right;
    return n;
}

static struct node *parse_repeats(struct compiler *c, struct node *body);

static struct node *parse_quoted(struct compiler *c)
{
    struct node *n = new_node(c, EMPTY), *last = NULL;

    for (c->pos += 2; !at_end(c) && !next_is(c, "\\E");) {
        if (last)
            n = concat(c, n, last);
        last = literal(c, take(c));
    }
    if (!at_end(c))
        c->pos += 2;
    /* A repetition behind it takes the last character. */
    return last ? concat(c, n, parse_repeats(c, last)) : n;
}

static struct node *parse_backslash(struct compiler *c)
{
    static const char letters[] = "AzbB";
    static const enum tpl_regex_assert asserts[] = {TPL_RE_TEXT_START, TPL_RE_TEXT_END,
                                                    TPL_RE_WORD_EDGE, TPL_RE_NO_WORD_EDGE};
    char letter = c->pos + 1 < c->expr.len ? c->expr.ptr[c->pos + 1] : '\0';
    const char *at = letter ? strchr(letters, letter) : NULL;
    struct node *n;

    if (at) {
        c->pos += 2;
        return assertion(c, asserts[at - letters]);
    }
    if (letter == 'Q')
        return parse_quoted(c);
    n = set_node(c);
    return take_class(c, n->set) ? n : literal(c, take_escape(c));
}

static struct node *parse_dot(struct compiler *c)
{
    struct node *n = set_node(c);

    c->pos++;
    if (c->flags.dot_newline)
        add_range(c, n->set, 0, 0x10ffff);
    else
        add_pairs(c, n->set, "\n\n", true);
    return n;
}

static coras_str take_group_name(struct compiler *c, size_t start)
{
    const char *close = memchr(c->expr.ptr + c->pos, '>', c->expr.len - c->pos);
    coras_str name;

    if (!close)
        refuse(c, "invalid named capture", start, c->expr.len);
    name = tpl_sub(c->expr, c->pos, (size_t)(close - c->expr.ptr));
    c->pos += name.len + 1;
    for (size_t i = 0; i < name.len; i++)
        if (!coras_is_alnum(name.ptr[i]) && name.ptr[i] != '_')
            name.len = 0;
    if (name.len == 0)
        refuse(c, "invalid named capture", start, c->pos);
    return name;
}

/* After "(?": flags up to ) or :, true when a group follows. */
static bool take_flags(struct compiler *c, size_t start)
{
    bool on = true, any = false;

    while (!at_end(c)) {
        uint32_t r = take(c);
        switch (r) {
        case 'i':
            c->flags.fold_case = on;
            break;
        case 'm':
            c->flags.multi_line = on;
            break;
        case 's':
            c->flags.dot_newline = on;
            break;
        case 'U':
            c->flags.swap_greed = on;
            break;
        case '-':
            if (!on)
                refuse(c, "invalid or unsupported Perl syntax", start, c->pos);
            on = false;
            any = false;
            continue;
        case ':':
        case ')':
            if (!on && !any)
                refuse(c, "invalid or unsupported Perl syntax", start, c->pos);
            return r == ':';
        default:
            refuse(c, "invalid or unsupported Perl syntax", start, c->pos);
        }
        any = true;
    }
    refuse(c, "invalid or unsupported Perl syntax", start, c->expr.len);
}

static void add_name(struct compiler *c, coras_str name)
{
    if (c->names.len == c->names.cap) {
        c->names.cap = c->names.cap ? c->names.cap * 2 : 8;
        c->names.items =
            tpl_regrow(c->a, c->names.items, c->names.len, c->names.cap, sizeof(*c->names.items));
    }
    c->names.items[c->names.len++] = name;
}

/* A parenthesis; NULL when it only set flags for what follows. */
static struct node *parse_group(struct compiler *c)
{
    struct flags outer = c->flags;
    size_t start = c->pos++;
    struct node *n = new_node(c, GROUP), *body;
    coras_str name = CORAS_STR("");
    bool capture = true;

    if (next_is(c, "?P<") || next_is(c, "?<")) {
        c->pos += next_is(c, "?P<") ? 3 : 2;
        name = take_group_name(c, start);
    } else if (next_is(c, "?")) {
        c->pos++;
        capture = false;
        if (!take_flags(c, start))
            return NULL;
    }
    if (capture) {
        n->group = (uint32_t)c->names.len;
        add_name(c, name);
    }
    if (++c->depth > DEPTH_LIMIT)
        refuse(c, "expression nests too deeply", 0, c->expr.len);
    body = parse_alternatives(c);
    c->depth--;
    if (!next_is(c, ")"))
        refuse(c, "missing closing )", 0, c->expr.len);
    c->pos++;
    c->flags = outer;
    n->left = body;
    return capture ? n : body;
}

/* {2}, {2,}, {2,5}; false when the brace is no repetition. */
static bool take_counts(struct compiler *c, int *min, int *max)
{
    size_t start = c->pos, at = start + 1;
    int *into = min;
    bool digits = false, comma = false;

    *min = *max = 0;
    for (; at < c->expr.len && c->expr.ptr[at] != '}'; at++) {
        char ch = c->expr.ptr[at];
        if (ch == ',' && digits && !comma) {
            comma = true;
            digits = false;
            into = max;
        } else if (coras_is_digit(ch)) {
            digits = true;
            *into = *into > REPEAT_LIMIT ? *into : *into * 10 + (ch - '0');
        } else {
            return false;
        }
    }
    if (at >= c->expr.len || (!digits && !comma))
        return false;
    if (!comma)
        *max = *min;
    else if (!digits)
        *max = UNBOUNDED;
    c->pos = at + 1;
    if (*min > REPEAT_LIMIT || *max > REPEAT_LIMIT || (*max != UNBOUNDED && *max < *min))
        refuse(c, "invalid repeat count", start, c->pos);
    return true;
}

static bool take_repeat(struct compiler *c, int *min, int *max)
{
    char ch = at_end(c) ? '\0' : c->expr.ptr[c->pos];

    if (ch == '{')
        return take_counts(c, min, max);
    if (ch != '*' && ch != '+' && ch != '?')
        return false;
    c->pos++;
    *min = ch == '+';
    *max = ch == '?' ? 1 : UNBOUNDED;
    return true;
}

static struct node *parse_repeats(struct compiler *c, struct node *body)
{
    size_t last = 0;
    int min, max;

    for (size_t start = c->pos; take_repeat(c, &min, &max); start = c->pos) {
        struct node *n = new_node(c, REPEAT);
        if (last)
            refuse(c, "invalid nested repetition operator", last - 1, c->pos);
        n->lazy = c->flags.swap_greed;
        if (next_is(c, "?")) {
            n->lazy = !n->lazy;
            c->pos++;
        }
        n->left = body;
        n->min = min;
        n->max = max;
        body = n;
        last = start + 1;
    }
    return body;
}

static struct node *parse_atom(struct compiler *c)
{
    size_t start = c->pos;
    int min, max;

    switch (c->expr.ptr[c->pos]) {
    case '(':
        return parse_group(c);
    case '[':
        return parse_brackets(c);
    case '.':
        return parse_dot(c);
    case '^':
        c->pos++;
        return assertion(c, c->flags.multi_line ? TPL_RE_LINE_START : TPL_RE_TEXT_START);
    case '$':
        c->pos++;
        return assertion(c, c->flags.multi_line ? TPL_RE_LINE_END : TPL_RE_TEXT_END);
    case '\\':
        return parse_backslash(c);
    default:
        if (take_repeat(c, &min, &max)) {
            if (next_is(c, "?"))
                c->pos++;
            refuse(c, "missing argument to repetition operator", start, c->pos);
        }
        return literal(c, take(c));
    }
}

static struct node *parse_alternatives(struct compiler *c)
{
    struct node *n = new_node(c, EMPTY), *whole = NULL;

    for (;;) {
        if (!at_end(c) && !next_is(c, "|") && !next_is(c, ")")) {
            struct node *atom = parse_atom(c);
            if (atom)
                n = concat(c, n, parse_repeats(c, atom));
            continue;
        }
        if (whole) {
            whole->right = n;
            n = whole;
            whole = NULL;
        }
        if (!next_is(c, "|"))
            return n;
        c->pos++;
        whole = new_node(c, ALTERNATE);
        whole->left = n;
        n = new_node(c, EMPTY);
    }
}

/* ---- the program ---- */

static uint32_t emit(struct compiler *c, enum tpl_regex_op op)
{
    struct tpl_regex *re = c->re;

    if (re->len >= CODE_LIMIT)
        refuse(c, "expression too large", 0, c->expr.len);
    if (re->len == re->cap) {
        re->cap = re->cap ? re->cap * 2 : 32;
        re->code = tpl_regrow(c->a, re->code, re->len, re->cap, sizeof(*re->code));
    }
    re->code[re->len].op = op;
    return re->len++;
}

static void generate(struct compiler *c, const struct node *n, int depth);

static void set_split(struct compiler *c, uint32_t at, uint32_t body, uint32_t past, bool lazy)
{
    c->re->code[at].x = lazy ? past : body;
    c->re->code[at].y = lazy ? body : past;
}

static void generate_repeat(struct compiler *c, const struct node *n, int depth)
{
    uint32_t split, jump;

    for (int i = 0; i < n->min; i++)
        generate(c, n->left, depth + 1);
    if (n->max == UNBOUNDED) {
        split = emit(c, TPL_RE_SPLIT);
        generate(c, n->left, depth + 1);
        jump = emit(c, TPL_RE_JUMP);
        c->re->code[jump].x = split;
        set_split(c, split, split + 1, c->re->len, n->lazy);
        return;
    }
    for (int i = n->min; i < n->max; i++) {
        split = emit(c, TPL_RE_SPLIT);
        generate(c, n->left, depth + 1);
        set_split(c, split, split + 1, c->re->len, n->lazy);
    }
}

static void generate_alternate(struct compiler *c, const struct node *n, int depth)
{
    uint32_t split = emit(c, TPL_RE_SPLIT), jump;

    generate(c, n->left, depth + 1);
    jump = emit(c, TPL_RE_JUMP);
    set_split(c, split, split + 1, c->re->len, false);
    generate(c, n->right, depth + 1);
    c->re->code[jump].x = c->re->len;
}

static void generate(struct compiler *c, const struct node *n, int depth)
{
    enum { NODE_DEPTH = 20000 };
    uint32_t at;

    if (depth > NODE_DEPTH)
        refuse(c, "expression nests too deeply", 0, c->expr.len);
    switch (n->type) {
    case EMPTY:
        break;
    case SET:
        at = emit(c, TPL_RE_SET);
        c->re->code[at].set = n->set;
        break;
    case CAT:
        generate(c, n->left, depth + 1);
        generate(c, n->right, depth + 1);
        break;
    case ALTERNATE:
        generate_alternate(c, n, depth);
        break;
    case REPEAT:
        generate_repeat(c, n, depth);
        break;
    case GROUP:
        at = emit(c, TPL_RE_SAVE);
        c->re->code[at].x = 2 * n->group;
        generate(c, n->left, depth + 1);
        at = emit(c, TPL_RE_SAVE);
        c->re->code[at].x = 2 * n->group + 1;
        break;
    case ASSERT:
        at = emit(c, TPL_RE_ASSERT);
        c->re->code[at].assert = n->assert;
        break;
    }
}

static void compile(struct tpl_arena *a, void *user)
{
    struct compiler *c = user;
    struct node *whole;

    add_name(c, CORAS_STR(""));
    c->re = tpl_alloc(a, sizeof(*c->re));
    whole = new_node(c, GROUP);
    whole->left = parse_alternatives(c);
    if (!at_end(c))
        refuse(c, "unexpected )", 0, c->expr.len);
    generate(c, whole, 0);
    emit(c, TPL_RE_MATCH);
    c->re->groups = (uint32_t)c->names.len;
    c->re->names = c->names.items;
}

struct tpl_regex *tpl_regex_compile(struct tpl_arena *a, coras_str expr, const char **ret_problem)
{
    struct compiler c = {.a = a, .expr = expr};

    if (tpl_guard(a, compile, &c))
        return c.re;
    if (a->code != CORAS_ERR_INVALID_ARGUMENT)
        tpl_raise_again(a);
    a->code = 0;
    *ret_problem = a->message;
    return NULL;
}
