/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which code points Go prints as they are in %q.
 */
#ifndef CORAS_GOSPELL_UNICODE_PRINT_H
#define CORAS_GOSPELL_UNICODE_PRINT_H

#include <stdbool.h>
#include <stdint.h>

bool coras_unicode_is_print(uint32_t cp);

#endif
