/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens and trees: where tokens end, what they are, and how a tree is written in messages. */
#include "support.h"

#include "gotemplate/gotemplate.h"
#include "gotemplate/lex.h"
#include "gotemplate/parse.h"

enum { ARENA = 1024 * 1024 };

/* One letter a token: T text, L R delimiters, _ space, and so on. */
static char letter_of(enum gotmpl_token_type type)
{
    switch (type) {
    case GOTMPL_TOK_ERROR:
        return '!';
    case GOTMPL_TOK_TEXT:
        return 'T';
    case GOTMPL_TOK_LEFT_DELIM:
        return 'L';
    case GOTMPL_TOK_RIGHT_DELIM:
        return 'R';
    case GOTMPL_TOK_SPACE:
        return '_';
    case GOTMPL_TOK_ASSIGN:
    case GOTMPL_TOK_DECLARE:
        return '=';
    case GOTMPL_TOK_PIPE:
        return '|';
    case GOTMPL_TOK_LEFT_PAREN:
        return '(';
    case GOTMPL_TOK_RIGHT_PAREN:
        return ')';
    case GOTMPL_TOK_STRING:
    case GOTMPL_TOK_RAW_STRING:
    case GOTMPL_TOK_CHAR_CONSTANT:
        return 's';
    case GOTMPL_TOK_NUMBER:
        return 'n';
    case GOTMPL_TOK_FIELD:
        return 'f';
    case GOTMPL_TOK_VARIABLE:
        return 'v';
    case GOTMPL_TOK_IDENTIFIER:
        return 'i';
    case GOTMPL_TOK_DOT:
        return '.';
    case GOTMPL_TOK_CHAR:
        return ',';
    default:
        return type > GOTMPL_TOK_KEYWORD || type == GOTMPL_TOK_BOOL ? 'k' : '?';
    }
}

struct lexing {
    const char *text;
    char letters[64];
};

static void lex_all(struct gotmpl_arena *a, void *user)
{
    struct lexing *l = user;
    struct gotmpl_lexer lexer = {.arena = a, .input = coras_str_of(l->text), .line = 1};
    size_t len = 0;

    for (;;) {
        struct gotmpl_token t = gotmpl_lex(&lexer);
        if (t.type == GOTMPL_TOK_EOF)
            break;
        assert_true(len + 1 < sizeof(l->letters));
        l->letters[len++] = letter_of(t.type);
    }
}

static void test_tokens(void **state)
{
    static const struct {
        const char *text, *letters;
    } cases[] = {
        {"", ""},
        {"a{b", "T"},
        {"{{.a.b}}", "LffR"},
        {"{{.a .b}}", "Lf_fR"},
        {"a {{- .x -}} b", "TLfRT"},
        {"{{- 1 -}}", "LnR"},
        {"{{-1}}", "LnR"},
        {"{{/* c */}}x", "T"},
        {"{{/* c", "!"},
        {"{{$x := $y.z | f `r` 'c'}}", "Lv_=_vf_|_i_s_sR"},
        {"{{(f .)}}", "L(i_.)R"},
        {"{{if true}}{{end}}", "Lk_kRLkR"},
        {"{{\"}}\"}}", "LsR"},
        {"{{\"a", "L!"},
        {"{{0x1F 1e3 1_0 .5}}", "Ln_n_n_nR"},
        {"{{3x}}", "L!"},
        {"{{1+2}}", "L!"},
        {"{{(1}}", "L(n!"},
        {"{{)}}", "L!"},
        {"{{a,b}}", "Li,iR"},
        {"{{a@}}", "L!"},
        {"{{\x01}}", "L!"},
        {"{{.a", "Lf!"},
        {"{{\n.a\n}}", "L_f_R"},
        {"{{\xc3\xa9}}", "LiR"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        jmp_buf unused;
        struct gotmpl_arena a = GOTMPL_ARENA(ARENA, &unused);
        struct lexing l = {.text = cases[i].text};
        assert_true(gotmpl_guard(&a, lex_all, &l));
        if (strcmp(l.letters, cases[i].letters) != 0)
            fail_msg("%s: %s, not %s", cases[i].text, l.letters, cases[i].letters);
        gotmpl_arena_clear(&a);
    }
}

/* What the tree says of itself, which messages show, is the template in one form of writing. */
static void test_trees_are_written_as_go_writes_them(void **state)
{
    static const struct {
        const char *text, *tree;
    } cases[] = {
        {"{{ .a.b  |  upper }}", "{{.a.b | upper}}"},
        {"{{if .a}}x{{else if .b}}y{{end}}", "{{if .a}}x{{else}}{{if .b}}y{{end}}{{end}}"},
        {"{{range $i,$e := .l}}{{$e}}{{break}}{{end}}",
         "{{range $i, $e := .l}}{{$e}}{{break}}{{end}}"},
        {"{{with (index .a 0).b}}{{.}}{{end}}", "{{with (index .a 0).b}}{{.}}{{end}}"},
        {"{{template `x` .}}{{define \"x\"}}{{end}}", "{{template \"x\" .}}"},
        {"{{print nil true 'a' 0x10}}", "{{print nil true 'a' 0x10}}"},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(cases); i++) {
        coras_auto(gotmpl_template) t = NULL;
        coras_auto(coras_error) err = NULL;
        jmp_buf unused;
        struct gotmpl_arena a = GOTMPL_ARENA(ARENA, &unused);
        struct gotmpl_text text = GOTMPL_TEXT(&a);
        const struct gotmpl_tree *tree;
        assert_ok(gotmpl_template_parse("t", cases[i].text, &t, &err), err);
        tree = gotmpl_tree_find(t, CORAS_STR("t"));
        assert_non_null(tree);
        for (size_t k = 0; k < tree->root.len; k++)
            gotmpl_node_text(&text, tree->root.items[k]);
        assert_string_equal(gotmpl_text_str(&text).ptr, cases[i].tree);
        gotmpl_arena_clear(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_trees_are_written_as_go_writes_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
