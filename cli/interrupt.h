/*
 * SIGINT and SIGTERM: the first asks the running operation to stop, the second ends the program.
 */
#ifndef CORAS_CLI_INTERRUPT_H
#define CORAS_CLI_INTERRUPT_H

#include "coras/client.h"

/* `cancel` must outlive interrupt_remove(). */
void interrupt_install(coras_cancel *cancel);
void interrupt_remove(void);

#endif
