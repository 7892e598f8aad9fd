/*
 * test_budget.c - whatever becomes of who asked for a stop, the target runs again within its budget and 10
 * ms: a scanner that is stopped or hangs, a reader that waits in the kernel for ever, a holder that is
 * stopped, a standard error that takes no more.
 *
 * A thread of the target looks at the clock all the time and keeps the longest gap. On a busy machine it has
 * gaps by itself: those of just as long without a stop are allowed on top, and a round in which the machine
 * was at fault is made again. A stop that does not end in time does not in any round.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "link/hold_client.h"
#include "roles/holder/holder.h"

#define BUDGET_NS (60 * NS_PER_MS)
#define PROMISE_NS (BUDGET_NS + 10 * NS_PER_MS)
#define ROUNDS_MAX 40
#define PAGE_BYTES 4096u
/* to be had of the target again, or it stands still for good */
#define PATIENCE_NS (60 * NS_PER_SECOND)

/* Shared by all. */
struct shared {
    atomic_uint_fast64_t beats;
    atomic_uint_fast64_t longest_ns; /* between two beats, since it was set to 0 */
    atomic_uintptr_t watched;        /* page of the target that nobody may read; 0: the kernel gives none */
    atomic_bool is_ready;
    atomic_uint stops;
};

static struct shared *shared;
static pid_t target;
static struct forked_helper child = {.main = holder_main, .ends_by_itself = true};

static void rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

static uintptr_t watched_page(void)
{
    struct uffdio_api api = {.api = UFFD_API};
    void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct uffdio_register range = {.range = {.start = (uintptr_t)page, .len = PAGE_BYTES},
                                    .mode = UFFDIO_REGISTER_MODE_MISSING};
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    bool is_watched = fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0 && ioctl(fd, UFFDIO_REGISTER, &range) == 0;
    return is_watched ? (uintptr_t)page : 0;
}

static _Noreturn void run_target(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    atomic_store(&shared->watched, watched_page());
    atomic_store(&shared->is_ready, true);
    for (uint64_t before = clock_monotonic_ns();; rest()) {
        uint64_t now = clock_monotonic_ns(), gap = now - before;
        if (gap > atomic_load(&shared->longest_ns))
            atomic_store(&shared->longest_ns, gap);
        atomic_fetch_add(&shared->beats, 1);
        before = now;
    }
}

/* The target beats some more; false: it stands still. */
static bool beats_on(void)
{
    uint64_t goal = atomic_load(&shared->beats) + 3, end = clock_monotonic_ns() + PATIENCE_NS;
    while (atomic_load(&shared->beats) < goal) {
        if (clock_monotonic_ns() > end)
            return false;
        rest();
    }
    return true;
}

static int begin_target(void **state)
{
    (void)state;
    shared = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    target = fork();
    if (target == 0)
        run_target();
    while (!atomic_load(&shared->is_ready))
        rest();
    return 0;
}

static int end_target(void **state)
{
    (void)state;
    kill(target, SIGKILL);
    waitpid(target, NULL, 0);
    munmap(shared, PAGE_BYTES);
    return 0;
}

/* The longest gap of the target while @run goes on, which must leave it running. */
static uint64_t gap_of(void (*run)(void *), void *context)
{
    assert_true(beats_on());
    atomic_store(&shared->longest_ns, 0);
    run(context);
    assert_true(beats_on());
    return atomic_load(&shared->longest_ns);
}

static void do_nothing(void *context)
{
    (void)context;
    for (uint64_t end = clock_monotonic_ns() + PROMISE_NS; clock_monotonic_ns() < end;)
        rest();
}

/* What the one that asked for the stop does once the target stands still; it never lets it go. */
typedef void after_fn(void);

static void be_stopped(void)
{
    raise(SIGSTOP);
}

static void hang(void)
{
    while (pause() < 0)
        continue;
}

static void stop_the_holder(void)
{
    kill(child.pid, SIGSTOP);
    hang();
}

/* In the kernel, where no signal but SIGKILL reaches it. */
static void read_what_never_comes(void)
{
    char byte;
    struct iovec ours = {.iov_base = &byte, .iov_len = 1};
    struct iovec theirs = {.iov_base = (void *)atomic_load(&shared->watched), .iov_len = 1};
    process_vm_readv(target, &ours, 1, &theirs, 1, 0);
    _exit(1); /* it came */
}

static _Noreturn void run_scanner(after_fn *after)
{
    struct hold_client client;
    struct error err = {0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    hold_client_init(&client, forked_helper_launcher(&child));
    if (client.holder.ops->begin(&client.holder, target, BUDGET_NS, &err) != STATUS_OK)
        _exit(0); /* the machine is too busy for it now */
    atomic_fetch_add(&shared->stops, 1);
    after();
    _exit(1);
}

/* A scanner of which something becomes while it has the target stopped; it is ended when that runs again. */
static void lose_scanner(void *after)
{
    uint64_t before = atomic_load(&shared->stops);
    pid_t scanner = fork();
    if (scanner == 0)
        run_scanner(*(after_fn **)after);
    int status = 0;
    while (atomic_load(&shared->stops) == before && waitpid(scanner, &status, WNOHANG) == 0)
        rest();
    if (atomic_load(&shared->stops) == before) {
        waitpid(scanner, NULL, 0);
        return;
    }
    bool runs_on = beats_on();
    kill(scanner, SIGKILL);
    waitpid(scanner, &status, 0);
    assert_true(runs_on);
    assert_false(WIFEXITED(status)); /* it was still at it */
}

/* Rounds until one shows that the promise is kept, of a stop that lasted as long as it may at least. */
static void check_runs_in_time(void (*run)(void *), void *context, uint64_t least_ns)
{
    uint64_t gap = 0, by_itself = 0;
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        unsigned before = atomic_load(&shared->stops);
        by_itself = gap_of(do_nothing, NULL);
        gap = gap_of(run, context);
        if (gap <= PROMISE_NS + by_itself && gap >= least_ns && atomic_load(&shared->stops) > before)
            return;
    }
    fail_msg("the target stood still for %.1f ms, by itself for %.1f ms", (double)gap / 1e6,
             (double)by_itself / 1e6);
}

static void check_lost(after_fn *after)
{
    check_runs_in_time(lose_scanner, &after, BUDGET_NS / 2);
}

static void test_scanner_is_stopped(void **state)
{
    (void)state;
    check_lost(be_stopped);
}

static void test_scanner_hangs(void **state)
{
    (void)state;
    check_lost(hang);
}

static void test_holder_is_stopped(void **state)
{
    (void)state;
    check_lost(stop_the_holder);
}

static void test_reader_waits_in_the_kernel(void **state)
{
    (void)state;
    if (!atomic_load(&shared->watched))
        skip();
    check_lost(read_what_never_comes);
}

/* A pipe that takes no more. */
static int full_pipe(int *reader)
{
    int ends[2];
    char block[4096] = {0};
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    while (write(ends[1], block, sizeof block) > 0)
        continue;
    while (write(ends[1], block, 1) > 0)
        continue;
    fcntl(ends[1], F_SETFL, 0); /* from here on who writes waits */
    *reader = ends[0];
    return ends[1];
}

/* The program itself, which says on its standard error what it does. */
static void scan_with_full_stderr(void *context)
{
    int reader, writer = full_pipe(&reader), null = open("/dev/null", O_RDWR | O_CLOEXEC);
    char path[4096], pid[16];
    snprintf(path, sizeof path, "%s/src/malloc_exporter", getenv("BUILD_ROOT"));
    snprintf(pid, sizeof pid, "%d", (int)target);
    (void)context;
    pid_t program = fork();
    if (program == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(writer, STDERR_FILENO);
        execl(path, path, "scan", pid, "--format", "json", "--consistency", "snapshot",
              "--snapshot-max-pause", "60ms", (char *)NULL);
        _exit(126);
    }
    close(writer);
    close(null);
    /* what it has to say of a scan that was not to be had it can not; the target runs all the same */
    int status = 0;
    for (uint64_t end = clock_monotonic_ns() + NS_PER_SECOND;
         waitpid(program, &status, WNOHANG) == 0 && clock_monotonic_ns() < end; status = -1)
        rest();
    if (status == -1) {
        kill(program, SIGKILL);
        waitpid(program, NULL, 0);
    }
    close(reader);
    /* else its budget was over, on a busy machine */
    if (status == 0)
        atomic_fetch_add(&shared->stops, 1);
}

static void test_stderr_takes_no_more(void **state)
{
    (void)state;
    check_runs_in_time(scan_with_full_stderr, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_scanner_is_stopped, begin_target, end_target),
        cmocka_unit_test_setup_teardown(test_scanner_hangs, begin_target, end_target),
        cmocka_unit_test_setup_teardown(test_holder_is_stopped, begin_target, end_target),
        cmocka_unit_test_setup_teardown(test_reader_waits_in_the_kernel, begin_target, end_target),
        cmocka_unit_test_setup_teardown(test_stderr_takes_no_more, begin_target, end_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
