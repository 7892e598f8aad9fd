/*
 * test_held.c - between "held" and "released" a reader only reads and computes. The scan runs in a process
 * of its own that this one traces: each system call that it makes while its target stands still must be one
 * that reads, and none may be for memory. malloc(3) itself is watched too, since most calls of it reach no
 * kernel; and pages that were not there when they were touched, since each is a wait.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "allocator/allocator.h"
#include "base/checked.h"
#include "base/clock.h"
#include "call_trace.h"
#include "link/hold_client.h"
#include "roles/holder/holder.h"
#include "support/fixture.h"
#include "target/live.h"

#define BUDGET_NS (20 * NS_PER_SECOND)
#define TIME_NS (120 * NS_PER_SECOND)
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PAGE_FAULTS_MAX UINT64_MAX /* those of its shadow */
#else
/* stack and data of who forked the holder, which are copied at the first write to them */
#define PAGE_FAULTS_MAX 40u
#endif

/* What the scanner says, and what is seen of it. */
struct shared {
    atomic_bool is_held; /* its target stands still */
    atomic_uint stops;
    atomic_uint allocations; /* while held */
    atomic_uint chunks;
    uint64_t page_faults; /* while held, in the stop that had most */
    unsigned status;      /* enum status of the scan */
    unsigned mode;
};

static struct shared *shared;
static bool is_scanner;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* The C library's own, behind the ones of this program. */
extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *memory, size_t bytes);
extern void __libc_free(void *memory);

static void count_allocation(void)
{
    if (is_scanner && shared && atomic_load(&shared->is_held))
        atomic_fetch_add(&shared->allocations, 1);
}

void *malloc(size_t bytes)
{
    count_allocation();
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    count_allocation();
    return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes)
{
    count_allocation();
    return __libc_realloc(memory, bytes);
}

void free(void *memory)
{
    if (memory)
        count_allocation();
    __libc_free(memory);
}
#endif

static uint64_t count_page_faults(void)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_minflt + usage.ru_majflt);
}

/* A real holder, between this and which the scanner says what is going on. */
struct told_holder {
    struct holder holder; /* first */
    struct holder *real;
    const char *before_first; /* asked of the target when the first stop is about to begin */
    uint64_t page_faults;     /* up to the begin of the stop */
};

static enum status told_begin(struct holder *holder, pid_t pid, uint64_t budget_ns, struct error *err)
{
    struct told_holder *told = (struct told_holder *)holder;
    if (told->before_first && atomic_load(&shared->stops) == 0)
        free(spawn_ask(&subject, told->before_first));
    enum status status = told->real->ops->begin(told->real, pid, budget_ns, err);
    holder->release_by_ns = told->real->release_by_ns;
    if (status == STATUS_OK) {
        atomic_fetch_add(&shared->stops, 1);
        told->page_faults = count_page_faults();
        atomic_store(&shared->is_held, true);
    }
    return status;
}

static void told_end(struct holder *holder, struct hold_report *ret)
{
    struct told_holder *told = (struct told_holder *)holder;
    atomic_store(&shared->is_held, false);
    shared->page_faults = max_u64(shared->page_faults, count_page_faults() - told->page_faults);
    told->real->ops->end(told->real, ret);
}

static const struct hold_ops TOLD_OPS = {.begin = told_begin, .end = told_end};

/* A dump that keeps nothing. */
static bool count_chunks(struct chunk_sink *sink, const struct chunk *chunks, size_t count)
{
    (void)sink;
    (void)chunks;
    atomic_fetch_add(&shared->chunks, (unsigned)count);
    return true;
}

static void forget_chunks(struct chunk_sink *sink)
{
    (void)sink;
    atomic_store(&shared->chunks, 0);
}

struct question {
    enum consistency consistency;
    bool is_dump;
    const char *before_first;
};

static enum status scan(const struct question *question)
{
    struct target *scoped_target process = NULL;
    struct snapshot *snapshot = NULL;
    struct forked_helper child = {.main = holder_main, .ends_by_itself = true};
    struct hold_client client;
    char name[32] = "";
    struct chunk_sink dump = {.consume = count_chunks, .restart = forget_chunks};
    hold_client_init(&client, forked_helper_launcher(&child));
    struct told_holder told = {
        .holder.ops = &TOLD_OPS, .real = &client.holder, .before_first = question->before_first};
    enum status status = target_live_open("/proc", subject.pid, &process, NULL);
    if (status != STATUS_OK)
        return status;
    const struct scan_request request = {.consistency = question->consistency,
                                         .deadline_ns = clock_monotonic_ns() + TIME_NS,
                                         .snapshot_budget_ns = BUDGET_NS,
                                         .slice_budget_ns = BUDGET_NS,
                                         .want_residency = true,
                                         .want_details = true,
                                         .holder = &told.holder,
                                         .chunks = question->is_dump ? &dump : NULL};
    status = allocator_scan(process, &request, name, &snapshot, NULL);
    shared->mode = snapshot ? (unsigned)snapshot->timing.mode : UINT32_MAX;
    snapshot_unref(snapshot);
    return status;
}

static _Noreturn void run_scanner(const struct question *question)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    is_scanner = true;
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    shared->status = (unsigned)scan(question);
    _exit(0);
}

static void check(const struct question *question)
{
    struct calls calls = {0};
    memset(shared, 0, sizeof *shared);
    pid_t scanner = fork();
    if (scanner == 0)
        run_scanner(question);
    assert_true(trace_calls(scanner, &shared->is_held, &calls));
    for (size_t i = 0; i < calls.count; i++)
        print_error("a system call while the target stood still: number %u\n", (unsigned)calls.numbers[i]);
    assert_int_equal(shared->status, STATUS_OK);
    assert_int_equal(shared->mode, question->consistency);
    assert_int_equal(calls.count, 0);
    assert_int_equal(atomic_load(&shared->allocations), 0);
    assert_true(shared->page_faults <= PAGE_FAULTS_MAX);
    assert_true(calls.reads > 0 && atomic_load(&shared->stops) > 0);
    assert_true(!question->is_dump || atomic_load(&shared->chunks) > 0);
}

static void check_target(const char *name, const char *const arguments[])
{
    assert_true(spawn_target(&subject, name, arguments));
    check(&(struct question){.consistency = CONSISTENCY_SNAPSHOT});
    check(&(struct question){.consistency = CONSISTENCY_SNAPSHOT, .is_dump = true});
    check(&(struct question){.consistency = CONSISTENCY_SLICED});
    check(&(struct question){.consistency = CONSISTENCY_SLICED, .is_dump = true});
}

static void test_single(void **state)
{
    (void)state;
    check_target("single", NULL);
}

static void test_threads(void **state)
{
    (void)state;
    check_target("threads", NULL);
}

/* Runs of the main arena that are searched for. */
static void test_fragmented(void **state)
{
    (void)state;
    check_target("fragmented", NULL);
}

/* Bins and unsorted are long: the links of free chunks are noted. */
static void test_long_lists(void **state)
{
    (void)state;
    check_target("bench", (const char *const[]){"shuffled", "32", NULL});
}

/* Marks are held for 512 MiB at a time. */
static void test_large(void **state)
{
    (void)state;
    assert_true(spawn_target(&subject, "bench", (const char *const[]){"unsorted", "540", NULL}));
    check(&(struct question){.consistency = CONSISTENCY_SLICED});
}

/* What a rehearsal saw is too little: there are 60,000 mappings more. */
static void test_grows_before_the_stop(void **state)
{
    (void)state;
    const struct question question = {
        .consistency = CONSISTENCY_SNAPSHOT, .is_dump = true, .before_first = "mappings"};
    assert_true(spawn_target(&subject, "threads", NULL));
    check(&question);
    assert_true(atomic_load(&shared->stops) > 1);
}

int main(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_single, end_subject),
        cmocka_unit_test_teardown(test_threads, end_subject),
        cmocka_unit_test_teardown(test_fragmented, end_subject),
        cmocka_unit_test_teardown(test_long_lists, end_subject),
        cmocka_unit_test_teardown(test_large, end_subject),
        cmocka_unit_test_teardown(test_grows_before_the_stop, end_subject),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
