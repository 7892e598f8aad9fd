/*
 * test_holder.c - a stop ends, whatever happens: let go, its budget over, or the holder killed; and no signal
 * is lost or doubled by it.
 */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "link/hold_client.h"
#include "roles/holder/holder.h"
#include "roles/holder/tracer.h"

#define BUDGET_NS (4 * NS_PER_SECOND)
#define SHORT_BUDGET_NS (100 * NS_PER_MS)
#define ROUNDS_MAX 40
#define PATIENCE_NS (60 * NS_PER_SECOND)

/* Shared with the target: it counts as long as it runs, and the real-time signals that it got. */
struct shared {
    atomic_uint_fast64_t beats;
    atomic_uint_fast64_t signals;
};

struct fixture {
    struct shared *shared;
    pid_t target;
    struct forked_helper child;
    struct hold_client client;
};

static struct shared *target_shared;

static void count_signal(int signal)
{
    (void)signal;
    atomic_fetch_add(&target_shared->signals, 1);
}

static _Noreturn void run_target(struct shared *shared)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    target_shared = shared;
    signal(SIGRTMIN, count_signal);
    for (;;) {
        atomic_fetch_add(&shared->beats, 1);
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
}

/* Wait until the target has beaten @more times; false: it does not run. */
static bool beats_on(struct shared *shared, uint64_t more)
{
    uint64_t goal = atomic_load(&shared->beats) + more, end = clock_monotonic_ns() + PATIENCE_NS;
    while (atomic_load(&shared->beats) < goal)
        if (clock_monotonic_ns() > end)
            return false;
    return true;
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture.shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(fixture.shared != MAP_FAILED);
    fixture.target = fork();
    if (fixture.target == 0)
        run_target(fixture.shared);
    assert_true(fixture.target > 0);
    assert_true(beats_on(fixture.shared, 3));
    fixture.child = (struct forked_helper){.main = holder_main, .ends_by_itself = true};
    hold_client_init(&fixture.client, forked_helper_launcher(&fixture.child));
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    kill(fixture->target, SIGKILL);
    waitpid(fixture->target, NULL, 0);
    munmap(fixture->shared, 4096);
    return 0;
}

static enum status begin_for(struct fixture *fixture, uint64_t budget_ns)
{
    struct error err = {0};
    return fixture->client.holder.ops->begin(&fixture->client.holder, fixture->target, budget_ns, &err);
}

/* On a busy machine it may not stop within a quarter of that; another round does. */
static enum status begin_shortly(struct fixture *fixture)
{
    enum status status = STATUS_TIMEOUT;
    for (int i = 0; i < ROUNDS_MAX && status == STATUS_TIMEOUT; i++)
        status = begin_for(fixture, SHORT_BUDGET_NS);
    return status;
}

static enum status begin(struct fixture *fixture)
{
    return begin_for(fixture, BUDGET_NS);
}

static struct hold_report end(struct fixture *fixture)
{
    struct hold_report report;
    fixture->client.holder.ops->end(&fixture->client.holder, &report);
    return report;
}

/* The target stands still: over 20 beats' time none is counted. */
static void assert_stands_still(struct shared *shared)
{
    uint64_t before = atomic_load(&shared->beats), until = clock_monotonic_ns() + 2 * NS_PER_MS;
    while (clock_monotonic_ns() < until)
        assert_int_equal(atomic_load(&shared->beats), before);
}

static void test_stops_and_goes_on(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(begin(fixture), STATUS_OK);
        assert_stands_still(fixture->shared);
        struct hold_report report = end(fixture);
        assert_true(report.is_confirmed);
        assert_int_equal(report.threads, 1);
        assert_in_range(report.pause_ns, 2 * NS_PER_MS, BUDGET_NS);
        assert_true(beats_on(fixture->shared, 2));
    }
}

/* Nobody lets it go: the holder does, and tells how long it was. On a busy machine it may come to see the end
 * of it late; another round does not. */
static void test_budget_ends_it(void **state)
{
    struct fixture *fixture = *state;
    struct hold_report report = {.pause_ns = UINT64_MAX};
    for (int i = 0; i < ROUNDS_MAX && report.pause_ns > SHORT_BUDGET_NS + NS_PER_MS; i++) {
        if (begin_for(fixture, SHORT_BUDGET_NS) != STATUS_OK)
            continue;
        assert_true(beats_on(fixture->shared, 2));
        report = end(fixture);
        assert_false(report.is_confirmed);
        assert_true(report.pause_ns >= SHORT_BUDGET_NS / 2);
    }
    assert_int_equal(report.threads, 1);
    assert_in_range(report.pause_ns, SHORT_BUDGET_NS / 2, SHORT_BUDGET_NS + NS_PER_MS);
}

/* The process that tells: with its end all ends, and nobody tells. */
static void test_killed_holder_lets_go(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(begin(fixture), STATUS_OK);
    assert_int_equal(kill(fixture->child.pid, SIGKILL), 0);
    assert_true(beats_on(fixture->shared, 2));
    struct hold_report report = end(fixture);
    assert_false(report.is_confirmed);
    assert_int_equal(report.threads, 0);
}

static void test_stopped_holder_lets_go(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(begin_shortly(fixture), STATUS_OK);
    assert_int_equal(kill(fixture->child.pid, SIGSTOP), 0);
    assert_true(beats_on(fixture->shared, 2));
    assert_false(end(fixture).is_confirmed);
}

/* The process that holds, as the kernel names it. */
static pid_t tracer_of(pid_t target)
{
    pid_t tracer = task_tracer(target);
    assert_true(tracer > 0);
    return tracer;
}

static bool may_have_precedence(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1}) != 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void test_has_precedence_where_it_may(void **state)
{
    struct fixture *fixture = *state;
    int wanted = may_have_precedence() ? SCHED_FIFO : SCHED_OTHER;
    assert_int_equal(begin(fixture), STATUS_OK);
    assert_int_equal(sched_getscheduler(tracer_of(fixture->target)), wanted);
    assert_int_equal(sched_getscheduler(fixture->child.pid), wanted);
    assert_true(end(fixture).is_confirmed);
}

static void test_killed_tracer_lets_go(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(begin(fixture), STATUS_OK);
    assert_true(tracer_of(fixture->target) != fixture->child.pid);
    assert_int_equal(kill(tracer_of(fixture->target), SIGKILL), 0);
    assert_true(beats_on(fixture->shared, 2));
    struct hold_report report = end(fixture);
    assert_false(report.is_confirmed);
    assert_int_equal(report.threads, 1);
    assert_true(report.pause_ns < BUDGET_NS);
}

/* The kernel's timer must end it, and how long it was is told all the same. */
static void test_stopped_tracer_lets_go(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(begin_shortly(fixture), STATUS_OK);
    assert_int_equal(kill(tracer_of(fixture->target), SIGSTOP), 0);
    assert_true(beats_on(fixture->shared, 2));
    struct hold_report report = end(fixture);
    assert_false(report.is_confirmed);
    assert_int_equal(report.threads, 1);
    assert_true(report.pause_ns >= SHORT_BUDGET_NS / 2);
}

static void test_signals_are_neither_lost_nor_doubled(void **state)
{
    struct fixture *fixture = *state;
    uint64_t sent = 0;
    for (int i = 0; i < 50; i++) {
        /* one that may arrive while the thread stops, two that arrive while it stands still */
        assert_int_equal(sigqueue(fixture->target, SIGRTMIN, (union sigval){.sival_int = i}), 0);
        assert_int_equal(begin(fixture), STATUS_OK);
        for (int k = 0; k < 2; k++)
            assert_int_equal(sigqueue(fixture->target, SIGRTMIN, (union sigval){.sival_int = i}), 0);
        sent += 3;
        assert_true(end(fixture).is_confirmed);
        assert_true(beats_on(fixture->shared, 2));
    }
    uint64_t until = clock_monotonic_ns() + PATIENCE_NS;
    while (atomic_load(&fixture->shared->signals) < sent && clock_monotonic_ns() < until)
        continue;
    assert_true(beats_on(fixture->shared, 5));
    assert_int_equal(atomic_load(&fixture->shared->signals), sent);
}

/* As who started us may have left it: the end of a child is then nobody's to see. */
static void test_ends_of_children_are_ignored(void **state)
{
    struct fixture *fixture = *state;
    signal(SIGCHLD, SIG_IGN);
    assert_int_equal(begin(fixture), STATUS_OK);
    struct hold_report report = end(fixture);
    signal(SIGCHLD, SIG_DFL);
    assert_true(report.is_confirmed);
    assert_int_equal(report.threads, 1);
    assert_true(beats_on(fixture->shared, 2));
}

static void test_traced_process_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ptrace(PTRACE_SEIZE, fixture->target, NULL, NULL), 0);
    assert_int_equal(begin(fixture), STATUS_TRACED);
    assert_int_equal(fixture->client.holder.vain_pause_ns, 0);
    assert_true(beats_on(fixture->shared, 2));
}

static void test_ended_process(void **state)
{
    struct fixture *fixture = *state;
    kill(fixture->target, SIGKILL);
    waitpid(fixture->target, NULL, 0);
    assert_int_equal(begin(fixture), STATUS_GONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_stops_and_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_budget_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed_holder_lets_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stopped_holder_lets_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_has_precedence_where_it_may, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed_tracer_lets_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stopped_tracer_lets_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_signals_are_neither_lost_nor_doubled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ends_of_children_are_ignored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_traced_process_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ended_process, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
