/* Regular expressions: Pike's machine, which runs all alternatives in step. */
#include "gotemplate/regex.h"

#include "gotemplate/unicode.h"

#define NO_RUNE UINT32_MAX

/* States that wait at one position, the preferred first, each with its captures. */
struct threads {
    uint32_t *pcs;
    size_t *slots; /* len * width */
    uint32_t len;
};

/* A state to follow, or (restore) a slot to set back after those that followed it. */
struct pending {
    uint32_t pc;
    bool restore;
    size_t old;
};

struct tpl_regex_machine {
    const struct tpl_regex *re;
    coras_str text;
    size_t width; /* slots */
    struct threads now, next;
    uint32_t *seen; /* step in which a state was added last */
    uint32_t step;
    struct pending *stack;
    size_t *work; /* captures of the state being followed */
};

static bool in_range(const struct tpl_regex_set *s, uint32_t c)
{
    for (size_t i = 0; i < s->len; i++) {
        const struct tpl_regex_range *r = &s->items[i];
        if (r->is ? r->is(c) != r->is_not : c >= r->low && c <= r->high)
            return true;
    }
    return false;
}

static bool in_set(const struct tpl_regex_set *s, uint32_t c)
{
    bool in = in_range(s, c);

    if (!in && s->fold_case)
        in = in_range(s, tpl_to_lower(c)) || in_range(s, tpl_to_upper(c)) ||
             in_range(s, tpl_to_lower(tpl_to_upper(c))); /* a long s is an s */
    return in != s->negated;
}

static bool is_word_char(uint32_t c)
{
    return c < 0x80 && (coras_is_alnum((char)c) || c == '_');
}

static bool holds(enum tpl_regex_assert assert, uint32_t before, uint32_t after)
{
    switch (assert) {
    case TPL_RE_TEXT_START:
        return before == NO_RUNE;
    case TPL_RE_TEXT_END:
        return after == NO_RUNE;
    case TPL_RE_LINE_START:
        return before == NO_RUNE || before == '\n';
    case TPL_RE_LINE_END:
        return after == NO_RUNE || after == '\n';
    case TPL_RE_WORD_EDGE:
        return is_word_char(before) != is_word_char(after);
    case TPL_RE_NO_WORD_EDGE:
        return is_word_char(before) == is_word_char(after);
    }
    return false;
}

/* Follow state `pc` at `pos` to the states that read a character; m->work has the captures. */
static void add_thread(struct tpl_regex_machine *m, struct threads *to, uint32_t pc, size_t pos,
                       uint32_t before, uint32_t after)
{
    size_t depth = 0;

    m->stack[depth++] = (struct pending){.pc = pc};
    while (depth > 0) {
        struct pending p = m->stack[--depth];
        const struct tpl_regex_inst *inst;
        if (p.restore) {
            m->work[p.pc] = p.old;
            continue;
        }
        if (m->seen[p.pc] == m->step)
            continue;
        m->seen[p.pc] = m->step;
        inst = &m->re->code[p.pc];
        switch (inst->op) {
        case TPL_RE_JUMP:
            m->stack[depth++] = (struct pending){.pc = inst->x};
            break;
        case TPL_RE_SPLIT:
            m->stack[depth++] = (struct pending){.pc = inst->y};
            m->stack[depth++] = (struct pending){.pc = inst->x};
            break;
        case TPL_RE_SAVE:
            m->stack[depth++] =
                (struct pending){.pc = inst->x, .restore = true, .old = m->work[inst->x]};
            m->work[inst->x] = pos;
            m->stack[depth++] = (struct pending){.pc = p.pc + 1};
            break;
        case TPL_RE_ASSERT:
            if (holds(inst->assert, before, after))
                m->stack[depth++] = (struct pending){.pc = p.pc + 1};
            break;
        default:
            memcpy(to->slots + to->len * m->width, m->work, m->width * sizeof(*m->work));
            to->pcs[to->len++] = p.pc;
        }
    }
}

static void new_step(struct tpl_regex_machine *m)
{
    m->step++;
    m->next.len = 0;
}

static void init_threads(struct tpl_arena *a, struct threads *t, uint32_t states, size_t width)
{
    t->pcs = tpl_alloc_array(a, states, sizeof(*t->pcs));
    t->slots = tpl_alloc_array(a, states * width, sizeof(*t->slots));
}

/* Advance all threads over `c`; true when one of them matched (its captures are in `slots`). */
static bool advance(struct tpl_regex_machine *m, uint32_t c, size_t next_pos, uint32_t after,
                    size_t *slots)
{
    for (uint32_t i = 0; i < m->now.len; i++) {
        const struct tpl_regex_inst *inst = &m->re->code[m->now.pcs[i]];
        const size_t *captures = m->now.slots + i * m->width;
        if (inst->op == TPL_RE_MATCH) {
            memcpy(slots, captures, m->width * sizeof(*slots));
            return true; /* what comes after is less preferred */
        }
        if (c != NO_RUNE && in_set(inst->set, c)) {
            memcpy(m->work, captures, m->width * sizeof(*slots));
            add_thread(m, &m->next, m->now.pcs[i] + 1, next_pos, c, after);
        }
    }
    return false;
}

static uint32_t rune_at(coras_str s, size_t pos, size_t *ret_len)
{
    uint32_t c;

    *ret_len = coras_utf8_decode(s.ptr + pos, s.len - pos, &c);
    return *ret_len ? c : NO_RUNE;
}

static uint32_t rune_before(coras_str s, size_t pos)
{
    size_t start = pos, len;
    uint32_t c;

    if (pos == 0)
        return NO_RUNE;
    do
        start--;
    while (start > 0 && pos - start < 4 && ((unsigned char)s.ptr[start] & 0xc0) == 0x80);
    c = rune_at(s, start, &len);
    return start + len == pos ? c : 0xfffd;
}

static bool search(struct tpl_regex_machine *m, size_t from, size_t *slots)
{
    uint32_t before = rune_before(m->text, from);
    bool matched = false;

    m->now.len = 0;
    memset(m->seen, 0, m->re->len * sizeof(*m->seen));
    m->step = 1;
    for (size_t pos = from, len, unused;; pos += len) {
        uint32_t c = rune_at(m->text, pos, &len);
        uint32_t after = rune_at(m->text, pos + len, &unused);
        struct threads swap;
        if (!matched) { /* a match may start here, but those begun earlier are preferred */
            memset(m->work, 0xff, m->width * sizeof(*m->work));
            add_thread(m, &m->now, 0, pos, before, c);
        }
        if (m->now.len == 0 && (matched || c == NO_RUNE))
            return matched;
        new_step(m);
        matched |= advance(m, c, pos + len, after, slots);
        if (c == NO_RUNE)
            return matched;
        swap = m->now;
        m->now = m->next;
        m->next = swap;
        before = c;
    }
}

static struct tpl_regex_machine *new_machine(struct tpl_arena *a, const struct tpl_regex *re)
{
    struct tpl_regex_machine *m = tpl_alloc(a, sizeof(*m));

    m->re = re;
    m->width = 2 * (size_t)re->groups;
    init_threads(a, &m->now, re->len, m->width);
    init_threads(a, &m->next, re->len, m->width);
    m->seen = tpl_alloc_array(a, re->len, sizeof(*m->seen));
    m->stack = tpl_alloc_array(a, 2 * (size_t)re->len + 2, sizeof(*m->stack));
    m->work = tpl_alloc_array(a, m->width, sizeof(*m->work));
    return m;
}

bool tpl_regex_match(struct tpl_arena *a, struct tpl_regex *re, coras_str text, size_t from,
                     size_t *slots)
{
    if (!re->machine)
        re->machine = new_machine(a, re);
    re->machine->text = text;
    return search(re->machine, from, slots);
}
