/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking for ways out of the sandbox in chat templates.
 */
#include "model/template_check.h"

/* How a word must be used to mean something: variables may have any name. */
enum coras_template_use {
    CORAS_USE_ANY,
    CORAS_USE_LITERAL,   /* in code and in literals, which can name attributes */
    CORAS_USE_ATTRIBUTE, /* behind a dot */
    CORAS_USE_OBJECT,    /* beside a dot, on either side */
    CORAS_USE_CALL,      /* before a parenthesis */
    CORAS_USE_METHOD,    /* both */
    CORAS_USE_FILTER,    /* behind a bar */
};

struct coras_template_word {
    const char *word;
    enum coras_severity severity;
    enum coras_template_use use;
};

/* Words stand alone: "os" is not in "position". */
static const struct coras_template_word words[] = {
    {"__class__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"__base__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"__bases__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"__mro__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"__subclasses__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"__globals__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"__builtins__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"__import__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"__init__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"__dict__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"__code__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"__call__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"__self__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"__func__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"__getattribute__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"__getitem__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"__reduce__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"__module__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"__loader__", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"gi_frame", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"f_globals", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"func_globals", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"os", CORAS_SEVERITY_HIGH, CORAS_USE_OBJECT},
    {"sys", CORAS_SEVERITY_HIGH, CORAS_USE_ATTRIBUTE},
    {"subprocess", CORAS_SEVERITY_HIGH, CORAS_USE_ANY},
    {"system", CORAS_SEVERITY_HIGH, CORAS_USE_METHOD},
    {"popen", CORAS_SEVERITY_HIGH, CORAS_USE_ANY},
    {"eval", CORAS_SEVERITY_HIGH, CORAS_USE_CALL},
    {"exec", CORAS_SEVERITY_HIGH, CORAS_USE_CALL},
    {"open", CORAS_SEVERITY_HIGH, CORAS_USE_CALL},
    {"socket", CORAS_SEVERITY_HIGH, CORAS_USE_OBJECT},
    {"builtins", CORAS_SEVERITY_HIGH, CORAS_USE_OBJECT},
    {"importlib", CORAS_SEVERITY_HIGH, CORAS_USE_ANY},
    {"lipsum", CORAS_SEVERITY_MEDIUM, CORAS_USE_ANY},
    {"cycler", CORAS_SEVERITY_MEDIUM, CORAS_USE_ANY},
    {"joiner", CORAS_SEVERITY_MEDIUM, CORAS_USE_ANY},
    {"attr", CORAS_SEVERITY_MEDIUM, CORAS_USE_FILTER},
    {"getattr", CORAS_SEVERITY_MEDIUM, CORAS_USE_ANY},
    {"format_map", CORAS_SEVERITY_MEDIUM, CORAS_USE_ATTRIBUTE},
    {"import", CORAS_SEVERITY_MEDIUM, CORAS_USE_ANY},
    {"include", CORAS_SEVERITY_MEDIUM, CORAS_USE_ANY},
    {"extends", CORAS_SEVERITY_MEDIUM, CORAS_USE_ANY},
    {"url_for", CORAS_SEVERITY_MEDIUM, CORAS_USE_ANY},
    {"get_flashed_messages", CORAS_SEVERITY_MEDIUM, CORAS_USE_ANY},
    {"self", CORAS_SEVERITY_MEDIUM, CORAS_USE_OBJECT},
};
/* Halves of names that are put together later, and names spelled in numbers. */
static const struct coras_template_word pieces[] = {
    {"\\x5f", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"\\u005f", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
    {"\\137", CORAS_SEVERITY_HIGH, CORAS_USE_LITERAL},
};

struct coras_template_walk {
    coras_str text;
    size_t at;
    char quote;         /* of the literal that it is in; or NUL */
    const char *closer; /* "}}", "%}" or "#}" in brackets; or NULL */
    enum coras_severity worst;
    const char *word;
    size_t offset;
};

static bool is_word_byte(char c)
{
    return coras_is_alnum(c) || c == '_';
}

static bool stands_at(const struct coras_template_walk *w, const char *what)
{
    size_t len = strlen(what);
    return len <= w->text.len - w->at && memcmp(w->text.ptr + w->at, what, len) == 0;
}

static void note(struct coras_template_walk *w, const struct coras_template_word *found)
{
    if (found->severity <= w->worst)
        return;
    w->worst = found->severity;
    w->word = found->word;
    w->offset = w->at;
}

/* What stands beside [at, end), blanks left out; NUL at the ends. */
static char before(const struct coras_template_walk *w)
{
    size_t at = w->at;
    while (at > 0 && coras_is_space(w->text.ptr[at - 1]))
        at--;
    return at > 0 ? w->text.ptr[at - 1] : '\0';
}

static char behind(const struct coras_template_walk *w, size_t end)
{
    while (end < w->text.len && coras_is_space(w->text.ptr[end]))
        end++;
    return end < w->text.len ? w->text.ptr[end] : '\0';
}

static bool is_used_so(const struct coras_template_walk *w, size_t end, enum coras_template_use use)
{
    char left = before(w), right = behind(w, end);

    switch (use) {
    case CORAS_USE_LITERAL:
        return true;
    case CORAS_USE_ANY:
        return !w->quote;
    case CORAS_USE_ATTRIBUTE:
        return !w->quote && left == '.';
    case CORAS_USE_OBJECT:
        return !w->quote && (left == '.' || right == '.');
    case CORAS_USE_CALL:
        return !w->quote && right == '(';
    case CORAS_USE_METHOD:
        return !w->quote && left == '.' && right == '(';
    case CORAS_USE_FILTER:
        return !w->quote && left == '|';
    }
    return false;
}

/* One whole word, and behind it. */
static void take_word(struct coras_template_walk *w)
{
    size_t end = w->at;

    while (end < w->text.len && is_word_byte(w->text.ptr[end]))
        end++;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(words); i++)
        if (strlen(words[i].word) == end - w->at && stands_at(w, words[i].word) &&
            is_used_so(w, end, words[i].use))
            note(w, &words[i]);
    w->at = end;
}

static void take_literal_byte(struct coras_template_walk *w)
{
    char c = w->text.ptr[w->at];

    for (size_t i = 0; i < CORAS_ARRAY_LEN(pieces); i++)
        if (stands_at(w, pieces[i].word))
            note(w, &pieces[i]);
    if (c == '\\' && w->at + 1 < w->text.len)
        w->at++;
    else if (c == w->quote)
        w->quote = '\0';
    w->at++;
}

static void take_code(struct coras_template_walk *w)
{
    char c = w->text.ptr[w->at];

    if (w->quote ? is_word_byte(c) : is_word_byte(c) && w->closer[0] != '#')
        take_word(w);
    else if (w->quote)
        take_literal_byte(w);
    else if (stands_at(w, w->closer)) {
        w->closer = NULL;
        w->at += 2;
    } else {
        if ((c == '\'' || c == '"') && w->closer[0] != '#')
            w->quote = c;
        w->at++;
    }
}

static void take_text(struct coras_template_walk *w)
{
    static const struct {
        const char *opener, *closer;
    } brackets[] = {{"{{", "}}"}, {"{%", "%}"}, {"{#", "#}"}};

    for (size_t i = 0; i < CORAS_ARRAY_LEN(brackets); i++)
        if (stands_at(w, brackets[i].opener)) {
            w->closer = brackets[i].closer;
            w->at += 2;
            return;
        }
    w->at++;
}

enum coras_severity coras_template_check(coras_str text, const char **ret_word, size_t *ret_offset)
{
    struct coras_template_walk w = {.text = text, .worst = CORAS_SEVERITY_LOW};

    while (w.at < text.len) {
        if (w.closer)
            take_code(&w);
        else
            take_text(&w);
    }
    *ret_word = w.word;
    *ret_offset = w.offset;
    return w.worst;
}
