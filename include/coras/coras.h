/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/coras.h
 * libcoras: artifacts in OCI registries. This header includes all others.
 */
#ifndef CORAS_CORAS_H
#define CORAS_CORAS_H

#include "coras/attach.h"
#include "coras/backup.h"
#include "coras/blob.h"
#include "coras/cache.h"
#include "coras/client.h"
#include "coras/descriptor.h"
#include "coras/digest.h"
#include "coras/environment.h"
#include "coras/discover.h"
#include "coras/error.h"
#include "coras/event.h"
#include "coras/index.h"
#include "coras/mediatype.h"
#include "coras/model.h"
#include "coras/model_diff.h"
#include "coras/model_get.h"
#include "coras/model_path.h"
#include "coras/model_push.h"
#include "coras/model_scan.h"
#include "coras/model_store.h"
#include "coras/ops.h"
#include "coras/plan.h"
#include "coras/read.h"
#include "coras/platform.h"
#include "coras/reference.h"
#include "coras/select.h"
#include "coras/target.h"
#include "coras/version.h"

#endif
