/* page_lock.c - see page_lock.h. */
#include "roles/holder/page_lock.h"

#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* code of ours around a function, and of one call of the C library */
#define AROUND_BYTES 16384
#define CALL_BYTES 512u

void page_lock(const void *from, size_t bytes)
{
    (void)mlock(from, bytes);
}

void page_lock_code(const void *code)
{
    extern const char __executable_start[], etext[];
    const char *at = code;
    const char *from = at - __executable_start > AROUND_BYTES ? at - AROUND_BYTES : __executable_start;
    const char *to = etext - at > AROUND_BYTES ? at + AROUND_BYTES : etext;
    page_lock(from, (size_t)(to - from));
}

void page_lock_calls(void)
{
    const void *const calls[] = {
        (const void *)(uintptr_t)&ptrace,        (const void *)(uintptr_t)&waitid,
        (const void *)(uintptr_t)&nanosleep,     (const void *)(uintptr_t)&clock_gettime,
        (const void *)(uintptr_t)&timer_settime, (const void *)(uintptr_t)&syscall,
        (const void *)(uintptr_t)&ppoll,         (const void *)(uintptr_t)&send,
        (const void *)(uintptr_t)&recv,          (const void *)(uintptr_t)&clone};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        page_lock(calls[i], CALL_BYTES);
}
