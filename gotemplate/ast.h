/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of a parsed template. Positions are byte offsets into the text; gotmpl_node_text() gives
 * a node as Go writes it into messages.
 */
#ifndef GOTMPL_AST_H
#define GOTMPL_AST_H

#include "gotemplate/value.h"

enum gotmpl_node_type {
    GOTMPL_NODE_TEXT,
    GOTMPL_NODE_ACTION, /* {{pipeline}} */
    GOTMPL_NODE_IF,
    GOTMPL_NODE_WITH,
    GOTMPL_NODE_RANGE,
    GOTMPL_NODE_TEMPLATE, /* {{template "name" pipeline}}, also what block leaves in place */
    GOTMPL_NODE_BREAK,
    GOTMPL_NODE_CONTINUE,
    GOTMPL_NODE_END,  /* only while parsing */
    GOTMPL_NODE_ELSE, /* only while parsing */
    GOTMPL_NODE_PIPE,
    GOTMPL_NODE_COMMAND,
    GOTMPL_NODE_IDENTIFIER, /* a function */
    GOTMPL_NODE_FIELD,      /* .a.b */
    GOTMPL_NODE_VARIABLE,   /* $x.a */
    GOTMPL_NODE_CHAIN,      /* (pipeline).a */
    GOTMPL_NODE_DOT,
    GOTMPL_NODE_NIL,
    GOTMPL_NODE_BOOL,
    GOTMPL_NODE_NUMBER,
    GOTMPL_NODE_STRING,
};

struct gotmpl_node;

struct gotmpl_nodes {
    struct gotmpl_node **items;
    size_t len, cap;
};
struct gotmpl_names {
    coras_str *items;
    size_t len, cap;
};

/* A literal keeps every type that can hold it, as Go's ideal constants do. */
struct gotmpl_number {
    bool is_int, is_uint, is_float;
    int64_t i;
    uint64_t u;
    double f;
};

struct gotmpl_node {
    enum gotmpl_node_type type;
    size_t pos;
    coras_str text; /* text; identifier; literal as written; name of a template or of the keyword */
    union {
        struct gotmpl_nodes list;  /* COMMAND: arguments */
        struct gotmpl_names names; /* FIELD, VARIABLE (with $) */
        coras_str value;           /* STRING */
        bool truth;                /* BOOL */
        struct gotmpl_number number;
        struct {
            struct gotmpl_node *base;
            struct gotmpl_names fields;
        } chain;
        struct {
            struct gotmpl_nodes decl; /* variables */
            struct gotmpl_nodes commands;
            bool is_assign;
        } pipe;
        struct {
            struct gotmpl_node *pipe; /* NULL: {{template "x"}} */
            struct gotmpl_nodes body, otherwise;
            bool has_else;
        } control; /* ACTION, IF, WITH, RANGE, TEMPLATE */
    };
};

struct gotmpl_node *gotmpl_node_new(struct gotmpl_arena *a, enum gotmpl_node_type type, size_t pos);
void gotmpl_nodes_add(struct gotmpl_arena *a, struct gotmpl_nodes *list, struct gotmpl_node *node);
void gotmpl_names_add(struct gotmpl_arena *a, struct gotmpl_names *list, coras_str name);
void gotmpl_node_text(struct gotmpl_text *t, const struct gotmpl_node *node);

#endif
