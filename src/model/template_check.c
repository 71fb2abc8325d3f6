/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking for ways out of the sandbox in chat templates.
 */
#include "model/template_check.h"

struct coras_template_word {
    const char *word;
    enum coras_severity severity;
    bool in_literals; /* a text can be used as the name of an attribute */
};

/* Words stand alone: "os" is not in "position". */
static const struct coras_template_word words[] = {
    {"__class__", CORAS_SEVERITY_HIGH, true},
    {"__base__", CORAS_SEVERITY_HIGH, true},
    {"__bases__", CORAS_SEVERITY_HIGH, true},
    {"__mro__", CORAS_SEVERITY_HIGH, true},
    {"__subclasses__", CORAS_SEVERITY_HIGH, true},
    {"__globals__", CORAS_SEVERITY_HIGH, true},
    {"__builtins__", CORAS_SEVERITY_HIGH, true},
    {"__import__", CORAS_SEVERITY_HIGH, true},
    {"__init__", CORAS_SEVERITY_HIGH, true},
    {"__dict__", CORAS_SEVERITY_HIGH, true},
    {"__code__", CORAS_SEVERITY_HIGH, true},
    {"__call__", CORAS_SEVERITY_HIGH, true},
    {"__self__", CORAS_SEVERITY_HIGH, true},
    {"__func__", CORAS_SEVERITY_HIGH, true},
    {"__getattribute__", CORAS_SEVERITY_HIGH, true},
    {"__getitem__", CORAS_SEVERITY_HIGH, true},
    {"__reduce__", CORAS_SEVERITY_HIGH, true},
    {"__module__", CORAS_SEVERITY_HIGH, true},
    {"__loader__", CORAS_SEVERITY_HIGH, true},
    {"gi_frame", CORAS_SEVERITY_HIGH, true},
    {"f_globals", CORAS_SEVERITY_HIGH, true},
    {"func_globals", CORAS_SEVERITY_HIGH, true},
    {"os", CORAS_SEVERITY_HIGH, false},
    {"sys", CORAS_SEVERITY_HIGH, false},
    {"subprocess", CORAS_SEVERITY_HIGH, false},
    {"popen", CORAS_SEVERITY_HIGH, false},
    {"eval", CORAS_SEVERITY_HIGH, false},
    {"exec", CORAS_SEVERITY_HIGH, false},
    {"open", CORAS_SEVERITY_HIGH, false},
    {"socket", CORAS_SEVERITY_HIGH, false},
    {"builtins", CORAS_SEVERITY_HIGH, false},
    {"importlib", CORAS_SEVERITY_HIGH, false},
    {"lipsum", CORAS_SEVERITY_MEDIUM, false},
    {"cycler", CORAS_SEVERITY_MEDIUM, false},
    {"joiner", CORAS_SEVERITY_MEDIUM, false},
    {"attr", CORAS_SEVERITY_MEDIUM, false},
    {"getattr", CORAS_SEVERITY_MEDIUM, false},
    {"format_map", CORAS_SEVERITY_MEDIUM, false},
    {"import", CORAS_SEVERITY_MEDIUM, false},
    {"include", CORAS_SEVERITY_MEDIUM, false},
    {"extends", CORAS_SEVERITY_MEDIUM, false},
    {"url_for", CORAS_SEVERITY_MEDIUM, false},
    {"get_flashed_messages", CORAS_SEVERITY_MEDIUM, false},
    {"self", CORAS_SEVERITY_MEDIUM, false},
};
/* Halves of names that are put together later, and names spelled in numbers. */
static const struct coras_template_word pieces[] = {
    {"\\x5f", CORAS_SEVERITY_HIGH, true},
    {"\\u005f", CORAS_SEVERITY_HIGH, true},
    {"\\137", CORAS_SEVERITY_HIGH, true},
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

/* One whole word, and behind it. */
static void take_word(struct coras_template_walk *w)
{
    size_t end = w->at;

    while (end < w->text.len && is_word_byte(w->text.ptr[end]))
        end++;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(words); i++)
        if (strlen(words[i].word) == end - w->at && stands_at(w, words[i].word) &&
            (words[i].in_literals || !w->quote))
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
