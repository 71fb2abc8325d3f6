/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns: something expensive is done by a few at a time, and those who want to are not served in
 * the order in which they came but by party: each has one turn at a time, and then goes to the end
 * of the line. So however many times one party asks, another waits for one turn of each at most.
 *
 * Threads: everything may be called from any thread.
 */
#ifndef SERVE_ACCESS_TURNS_H
#define SERVE_ACCESS_TURNS_H

#include "base/common.h"

typedef struct serve_turns serve_turns;
typedef struct serve_party serve_party;

/* NULL when out of memory. */
serve_turns *serve_turns_new(unsigned at_once);
void serve_turns_free(serve_turns *t); /* nobody waits or works */
CORAS_DEFINE_AUTO(serve_turns, serve_turns_free)

/*
 * Wait for a turn of the party of this name. `late`: after all parties of which this is not said.
 * The result is what to give back; NULL when out of memory, without a turn.
 */
serve_party *serve_turn_take(serve_turns *t, const char *name, bool late);
void serve_turn_give(serve_turns *t, serve_party *party);

#endif
