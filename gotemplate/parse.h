/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Template text to a tree. The tree and all named templates live in the template's arena.
 */
#ifndef GOTMPL_PARSE_H
#define GOTMPL_PARSE_H

#include "gotemplate/ast.h"

struct gotmpl_tree {
    coras_str name;
    struct gotmpl_nodes root;
};

struct gotmpl_template {
    struct gotmpl_arena arena;
    const char *name;
    coras_str text;
    size_t bytes;   /* and */
    uint64_t steps; /* that one run may take */
    struct {
        struct gotmpl_tree *items;
        size_t len, cap;
    } trees; /* the template itself under its own name, and those it defines */
};

/* Raises with Go's message ("template: NAME:LINE: …"). */
void gotmpl_parse(struct gotmpl_template *t);
const struct gotmpl_tree *gotmpl_tree_find(const struct gotmpl_template *t, coras_str name);

#endif
