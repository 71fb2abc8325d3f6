/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clean-up attributes for the library's public types, which are plain C and have none:
 * `coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;`.
 */
#ifndef CORAS_CLI_APP_AUTO_H
#define CORAS_CLI_APP_AUTO_H

#include "base/common.h"
#include "coras/attach.h"
#include "coras/discover.h"

CORAS_DEFINE_AUTO(coras_artifact, coras_artifact_free)
CORAS_DEFINE_AUTO_VALUE(coras_annotations, coras_annotations_clear)
CORAS_DEFINE_AUTO_VALUE(coras_attached, coras_attached_clear)
CORAS_DEFINE_AUTO_VALUE(coras_descriptor, coras_descriptor_clear)
CORAS_DEFINE_AUTO_VALUE(coras_plan, coras_plan_clear)
CORAS_DEFINE_AUTO_VALUE(coras_platform, coras_platform_clear)

#endif
