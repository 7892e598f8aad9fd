/* kill_timer.c - see kill_timer.h. */
#include "roles/holder/kill_timer.h"

#include <signal.h>

#include "base/clock.h"

bool kill_timer_set(timer_t timer, uint64_t at_ns)
{
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(at_ns / NS_PER_SECOND), .tv_nsec = (long)(at_ns % NS_PER_SECOND)}};
    return timer_settime(timer, TIMER_ABSTIME, &when, NULL) == 0;
}

bool kill_timer_start(uint64_t at_ns, timer_t *ret)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    return timer_create(CLOCK_MONOTONIC, &event, ret) == 0 && kill_timer_set(*ret, at_ns);
}
