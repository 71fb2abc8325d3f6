/*
 * Template text to a tree. The tree and all named templates live in the template's arena.
 */
#ifndef CORAS_GOTEMPLATE_PARSE_H
#define CORAS_GOTEMPLATE_PARSE_H

#include "gotemplate/ast.h"

struct tpl_tree {
    coras_str name;
    struct tpl_nodes root;
};

struct coras_template {
    struct tpl_arena arena;
    const char *name;
    coras_str text;
    struct {
        struct tpl_tree *items;
        size_t len, cap;
    } trees; /* the template itself under its own name, and those it defines */
};

/* Raises with Go's message ("template: NAME:LINE: …"). */
void tpl_parse(struct coras_template *t);
const struct tpl_tree *tpl_tree_find(const struct coras_template *t, coras_str name);

#endif
