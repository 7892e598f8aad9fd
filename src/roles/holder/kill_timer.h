/* kill_timer.h - the end of this process by the kernel at a set time, whatever it does then
 * (timer_create(2)). */
#ifndef ROLES_HOLDER_KILL_TIMER_H
#define ROLES_HOLDER_KILL_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/** SIGKILL to this process at @at_ns, monotonic; *@ret: the timer. False: the kernel has none. */
bool kill_timer_start(uint64_t at_ns, timer_t *ret);

/** At @at_ns instead. False: it stays as it was. */
bool kill_timer_set(timer_t timer, uint64_t at_ns);

#endif
