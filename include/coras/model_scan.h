/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/model_scan.h
 * What in a model runs code, or may: imports in pickles, scripts, templates, links.
 */
#ifndef CORAS_MODEL_SCAN_H
#define CORAS_MODEL_SCAN_H

#include "coras/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How bad a finding is. Higher values are worse. */
enum coras_severity {
    CORAS_SEVERITY_LOW = 1, /**< runs code by its nature, and shows nothing unusual */
    CORAS_SEVERITY_MEDIUM,  /**< runs code of its own that nobody knows */
    CORAS_SEVERITY_HIGH     /**< reaches programs, files or hosts, or hides what it reaches */
};

#ifdef __cplusplus
}
#endif

#endif
