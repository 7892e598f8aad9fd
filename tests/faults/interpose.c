/*
 * interpose.c - linked into the exporter in front of the C library: one allocation fails, by
 * the orders that a test shares with all of its processes (a memfd, inherited as ORDERS_FD).
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ORDERS_FD 900

/* As injector.py packs it. */
struct orders {
    _Atomic uint64_t nth;         /* which allocation of the role fails, from 1; 0: none */
    _Atomic uint64_t seen;        /* allocations of the role */
    _Atomic uint32_t role, fired; /* enum role; 0: any */
};

enum role { ROLE_ANY, ROLE_MAIN, ROLE_HELPER, ROLE_FRONT, ROLE_SCANNER };

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static struct orders *orders;
static enum role own_role = ROLE_MAIN;

static void become_helper(void)
{
    own_role = ROLE_HELPER;
}

__attribute__((constructor)) static void take_orders(void)
{
    char line[512] = "";
    void *memory = mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, ORDERS_FD, 0);
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, line, sizeof line) : 0;
    if (fd >= 0)
        close(fd);
    if (length > 0 && memmem(line, (size_t)length, "--role=front", strlen("--role=front")))
        own_role = ROLE_FRONT;
    if (length > 0 && memmem(line, (size_t)length, "--role=scanner", strlen("--role=scanner")))
        own_role = ROLE_SCANNER;
    pthread_atfork(NULL, NULL, become_helper);
    if (memory != MAP_FAILED)
        orders = memory;
}

static bool fails(void)
{
    if (!orders || atomic_load(&orders->nth) == 0)
        return false;
    uint32_t role = atomic_load(&orders->role);
    if ((role != ROLE_ANY && role != own_role) ||
        atomic_fetch_add(&orders->seen, 1) + 1 != atomic_load(&orders->nth))
        return false;
    atomic_fetch_add(&orders->fired, 1);
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    return fails() ? NULL : __libc_realloc(block, size);
}

void *reallocarray(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || fails()) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_realloc(block, bytes);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    void *made = fails() ? NULL : __libc_memalign(alignment, size);
    if (!made)
        return ENOMEM;
    *block = made;
    return 0;
}
