/*
 * The tree of a parsed template. Positions are byte offsets into the text; tpl_node_text() gives a
 * node as Go writes it into messages.
 */
#ifndef CORAS_GOTEMPLATE_AST_H
#define CORAS_GOTEMPLATE_AST_H

#include "gotemplate/value.h"

enum tpl_node_type {
    TPL_NODE_TEXT,
    TPL_NODE_ACTION, /* {{pipeline}} */
    TPL_NODE_IF,
    TPL_NODE_WITH,
    TPL_NODE_RANGE,
    TPL_NODE_TEMPLATE, /* {{template "name" pipeline}}, also what block leaves in place */
    TPL_NODE_BREAK,
    TPL_NODE_CONTINUE,
    TPL_NODE_END,  /* only while parsing */
    TPL_NODE_ELSE, /* only while parsing */
    TPL_NODE_PIPE,
    TPL_NODE_COMMAND,
    TPL_NODE_IDENTIFIER, /* a function */
    TPL_NODE_FIELD,      /* .a.b */
    TPL_NODE_VARIABLE,   /* $x.a */
    TPL_NODE_CHAIN,      /* (pipeline).a */
    TPL_NODE_DOT,
    TPL_NODE_NIL,
    TPL_NODE_BOOL,
    TPL_NODE_NUMBER,
    TPL_NODE_STRING,
};

struct tpl_node;

struct tpl_nodes {
    struct tpl_node **items;
    size_t len, cap;
};
struct tpl_names {
    coras_str *items;
    size_t len, cap;
};

/* A literal keeps every type that can hold it, as Go's ideal constants do. */
struct tpl_number {
    bool is_int, is_uint, is_float, is_complex;
    int64_t i;
    uint64_t u;
    double f;
    struct tpl_complex c;
};

struct tpl_node {
    enum tpl_node_type type;
    size_t pos;
    coras_str text; /* text; identifier; literal as written; name of a template or of the keyword */
    union {
        struct tpl_nodes list;  /* COMMAND: arguments */
        struct tpl_names names; /* FIELD, VARIABLE (with $) */
        coras_str value;        /* STRING */
        bool truth;             /* BOOL */
        struct tpl_number number;
        struct {
            struct tpl_node *base;
            struct tpl_names fields;
        } chain;
        struct {
            struct tpl_nodes decl; /* variables */
            struct tpl_nodes commands;
            bool is_assign;
        } pipe;
        struct {
            struct tpl_node *pipe; /* NULL: {{template "x"}} */
            struct tpl_nodes body, otherwise;
            bool has_else;
        } control; /* ACTION, IF, WITH, RANGE, TEMPLATE */
    };
};

struct tpl_node *tpl_node_new(struct tpl_arena *a, enum tpl_node_type type, size_t pos);
void tpl_nodes_add(struct tpl_arena *a, struct tpl_nodes *list, struct tpl_node *node);
void tpl_names_add(struct tpl_arena *a, struct tpl_names *list, coras_str name);
void tpl_node_text(struct tpl_text *t, const struct tpl_node *node);

#endif
