/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/plan.h
 * What an operation would move, told without moving it.
 */
#ifndef CORAS_PLAN_H
#define CORAS_PLAN_H

#include "coras/descriptor.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What would happen to one piece of content. */
enum coras_plan_action {
    CORAS_PLAN_DOWNLOAD = 1, /**< it would be moved */
    CORAS_PLAN_PRESENT,      /**< it is there already, with these bytes */
    CORAS_PLAN_SKIP          /**< it would stay away: not chosen, or it has no file name */
};

/** One piece of content. */
typedef struct coras_planned {
    char *path; /**< the file that it becomes, as the artifact names it, cleaned; NULL: none */
    coras_descriptor desc; /**< as the manifest has it */
    enum coras_plan_action action;
} coras_planned;

/** What an operation would do, in the order of the manifests. All zero is an empty one. */
typedef struct coras_plan {
    coras_planned *items;
    size_t len;    /**< how many items */
    size_t cap;    /**< for the library */
    int64_t bytes; /**< that would be moved: content that has several names counts once */
} coras_plan;
#define CORAS_PLAN_INIT CORAS_ZERO_INIT

/**
 * Release what a plan holds, which is empty again.
 *
 * @param plan  all zero, or filled by an operation
 *
 * Never blocks. Thread-safe for distinct plans.
 * Since 0.1.
 * Source: src/ops/plan.c.
 */
CORAS_API void coras_plan_clear(coras_plan *plan);

#ifdef __cplusplus
}
#endif
#endif
