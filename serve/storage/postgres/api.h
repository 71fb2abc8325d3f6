/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of libpq that are used, from the library that is loaded when a database of
 * PostgreSQL is asked for: nobody else needs it to be installed.
 */
#ifndef SERVE_STORAGE_POSTGRES_API_H
#define SERVE_STORAGE_POSTGRES_API_H

#include <libpq-fe.h>
#include "base/common.h"

#define SERVE_PQ_FUNCTIONS(X)                                                                      \
    X(PQconninfoParse)                                                                             \
    X(PQconninfoFree)                                                                              \
    X(PQfreemem)                                                                                   \
    X(PQconnectdbParams)                                                                           \
    X(PQsetNoticeProcessor)                                                                        \
    X(PQsetnonblocking)                                                                            \
    X(PQstatus)                                                                                    \
    X(PQtransactionStatus)                                                                         \
    X(PQerrorMessage)                                                                              \
    X(PQsocket)                                                                                    \
    X(PQsendQuery)                                                                                 \
    X(PQsendPrepare)                                                                               \
    X(PQsendQueryPrepared)                                                                         \
    X(PQflush)                                                                                     \
    X(PQconsumeInput)                                                                              \
    X(PQisBusy)                                                                                    \
    X(PQgetResult)                                                                                 \
    X(PQresultStatus)                                                                              \
    X(PQresultErrorField)                                                                          \
    X(PQntuples)                                                                                   \
    X(PQgetvalue)                                                                                  \
    X(PQgetlength)                                                                                 \
    X(PQgetisnull)                                                                                 \
    X(PQcmdTuples)                                                                                 \
    X(PQclear)                                                                                     \
    X(PQfinish)

struct serve_pq {
#define SERVE_PQ_MEMBER(function) __typeof__(function) *function;
    SERVE_PQ_FUNCTIONS(SERVE_PQ_MEMBER)
#undef SERVE_PQ_MEMBER
};

/* UNSUPPORTED when the library is not installed. */
CORAS_MUST_CHECK int serve_pq_load(const struct serve_pq **ret, coras_error **err);

#endif
