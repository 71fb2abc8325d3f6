/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGINT and SIGTERM: the first asks the running operation to stop, the second ends the program.
 */
#ifndef CORAS_CLI_APP_INTERRUPT_H
#define CORAS_CLI_APP_INTERRUPT_H

#include "coras/client.h"

/* `cancel` must outlive interrupt_remove(). */
void interrupt_install(coras_cancel *cancel);
void interrupt_remove(void);

/*
 * Wait until `fd` has something to read (or its end). CORAS_ERR_CANCELLED when a signal came before
 * or comes meanwhile: there is no moment at which it could be missed.
 */
CORAS_MUST_CHECK int interrupt_wait_readable(int fd, coras_error **err);

#endif
