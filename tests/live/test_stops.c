/*
 * test_stops.c - stops of processes in states of their own: stopped by a signal, in a vfork, with thousands
 * of threads, without their leader, ending meanwhile. Each goes on as if nothing had been.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "link/hold_client.h"
#include "odd_targets.h"
#include "roles/holder/holder.h"
#include "target/live.h"

#define BUDGET_NS (20 * NS_PER_SECOND)
#define LONG_BUDGET_NS (2 * NS_PER_SECOND)

struct fixture {
    pid_t target;
    struct forked_helper child;
    struct hold_client client;
};

static struct fixture fixture;
static void begin_target(void (*run)(void))
{
    fixture.target = fork();
    if (fixture.target == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run();
        _exit(98);
    }
    assert_true(odd_beats_on());
}

static int set_up(void **state)
{
    (void)state;
    assert_true(odd_share());
    fixture = (struct fixture){.child = {.main = holder_main, .ends_by_itself = true}};
    hold_client_init(&fixture.client, forked_helper_launcher(&fixture.child));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    atomic_store(&odd_shared->must_end, 1); /* a child of its own would outlive it */
    if (fixture.target > 0) {
        kill(fixture.target, SIGKILL);
        waitpid(fixture.target, NULL, 0);
    }
    odd_unshare();
    return 0;
}

static enum status begin(uint64_t budget_ns)
{
    struct error err = {0};
    return fixture.client.holder.ops->begin(&fixture.client.holder, fixture.target, budget_ns, &err);
}

static struct hold_report end(void)
{
    struct hold_report report;
    fixture.client.holder.ops->end(&fixture.client.holder, &report);
    return report;
}

static void assert_stands_still(void)
{
    uint64_t before = atomic_load(&odd_shared->beats), until = clock_monotonic_ns() + 2 * NS_PER_MS;
    while (clock_monotonic_ns() < until)
        assert_int_equal(atomic_load(&odd_shared->beats), before);
}

/* Nothing of it changed that its parent could be told. */
static void assert_parent_sees_nothing(void)
{
    assert_int_equal(waitpid(fixture.target, NULL, WNOHANG | WUNTRACED | WCONTINUED), 0);
}

static void assert_ends_as_its_own(void)
{
    int status;
    atomic_store(&odd_shared->must_end, 1);
    assert_int_equal(waitpid(fixture.target, &status, WUNTRACED | WCONTINUED), fixture.target);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), ODD_EXIT_CODE);
    fixture.target = 0;
}

static bool has_state(uint64_t wanted)
{
    struct proc_stat stat;
    return proc_stat_read("/proc", fixture.target, &stat, NULL) == STATUS_OK && stat.state == (char)wanted;
}

static void test_leader_has_ended(void **state)
{
    (void)state;
    begin_target(odd_without_leader);
    assert_true(odd_waits_until(has_state, 'Z')); /* else it is a thread that is stopped too */
    for (int i = 0; i < 10; i++) {
        assert_int_equal(begin(BUDGET_NS), STATUS_OK);
        assert_stands_still();
        struct hold_report report = end();
        assert_true(report.is_confirmed);
        assert_int_equal(report.threads, 1);
        assert_true(odd_beats_on());
    }
    assert_parent_sees_nothing();
    assert_ends_as_its_own();
}

static void test_stopped_by_a_signal(void **state)
{
    int status;
    (void)state;
    begin_target(odd_plain);
    kill(fixture.target, SIGSTOP);
    assert_int_equal(waitpid(fixture.target, &status, WUNTRACED), fixture.target);
    assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(begin(BUDGET_NS), STATUS_OK);
        assert_stands_still();
        assert_true(end().is_confirmed);
        assert_true(odd_waits_until(has_state, 'T'));
        assert_stands_still();
        assert_parent_sees_nothing();
    }
    kill(fixture.target, SIGCONT);
    assert_int_equal(waitpid(fixture.target, &status, WCONTINUED), fixture.target);
    assert_true(WIFCONTINUED(status));
    assert_true(odd_beats_on());
    assert_ends_as_its_own();
}

static void test_vfork_parent(void **state)
{
    (void)state;
    begin_target(odd_in_vfork);
    assert_true(odd_waits_until(odd_is_ready, 0));
    odd_rest();
    /* the other thread stands still meanwhile, for a quarter of it; less where the holder is slow to begin */
    int long_pauses = 0;
    for (int i = 0; i < 20 && long_pauses < 3; i++) {
        assert_int_equal(begin(40 * NS_PER_MS), STATUS_TIMEOUT);
        long_pauses += fixture.client.holder.vain_pause_ns >= 10 * NS_PER_MS;
        assert_true(odd_beats_on());
    }
    assert_int_equal(long_pauses, 3);
    assert_parent_sees_nothing();
    assert_ends_as_its_own();
}

static void test_many_threads(void **state)
{
    (void)state;
    fixture.target = fork();
    if (fixture.target == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        odd_many();
    }
    assert_true(odd_waits_until(odd_is_ready, 0));
    /* they could not be let go in that time: nothing is begun (a loaded machine may not even come to say so)
     */
    enum status refusal = begin(5 * NS_PER_MS);
    assert_true(refusal == STATUS_TOO_LARGE || refusal == STATUS_TIMEOUT);
    assert_true(odd_beats_on());
    assert_int_equal(begin(60 * NS_PER_SECOND), STATUS_OK);
    assert_stands_still();
    struct hold_report report = end();
    assert_true(report.is_confirmed);
    assert_int_equal(report.threads, ODD_MANY_THREADS + 1);
    assert_true(odd_beats_on());
    assert_parent_sees_nothing();
    assert_ends_as_its_own();
}

/* Nobody lets them go: the end of the budget does, and it is told how long they stood still. On a busy
 * machine that end may be seen late; another round does not. */
static void test_many_threads_until_the_budget_ends(void **state)
{
    (void)state;
    struct hold_report report = {.pause_ns = UINT64_MAX};
    begin_target(odd_many);
    assert_true(odd_waits_until(odd_is_ready, 0));
    for (int i = 0; i < 20 && report.pause_ns > LONG_BUDGET_NS + 10 * NS_PER_MS; i++) {
        assert_int_equal(begin(LONG_BUDGET_NS), STATUS_OK);
        assert_true(odd_beats_on());
        report = end();
        assert_false(report.is_confirmed);
        assert_int_equal(report.threads, ODD_MANY_THREADS + 1);
        assert_true(report.pause_ns >= LONG_BUDGET_NS / 4 * 3);
    }
    assert_true(report.pause_ns <= LONG_BUDGET_NS + 10 * NS_PER_MS);
    assert_parent_sees_nothing();
    assert_ends_as_its_own();
}

static void test_threads_come_and_go(void **state)
{
    unsigned held = 0;
    (void)state;
    begin_target(odd_breeding);
    for (int i = 0; i < 50; i++) {
        enum status status = begin(BUDGET_NS);
        if (status == STATUS_OK) {
            assert_stands_still();
            held += end().is_confirmed;
        } else {
            assert_true(status == STATUS_TIMEOUT || status == STATUS_TOO_LARGE);
        }
        assert_true(odd_beats_on());
    }
    assert_true(held > 0);
    assert_parent_sees_nothing();
    assert_ends_as_its_own();
}

static void test_killed_while_it_stands_still(void **state)
{
    int status;
    (void)state;
    begin_target(odd_plain);
    assert_int_equal(begin(BUDGET_NS), STATUS_OK);
    kill(fixture.target, SIGKILL);
    end();
    assert_int_equal(waitpid(fixture.target, &status, WUNTRACED | WCONTINUED), fixture.target);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    fixture.target = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_leader_has_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stopped_by_a_signal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_vfork_parent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_threads_until_the_budget_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_threads_come_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed_while_it_stands_still, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
