/*
 * test_proof.c - what a scan calls corrupt: damage in a program that sleeps or runs, and nothing that a
 * thread may have left which gets no processor in the midst of malloc. The target's heap is damaged just so;
 * that its thread stands in user mode, stopped from outside, is all that a scan can know of such a moment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "support/fixture.h"
#include "support/scan.h"
#include "target/live.h"

static uint64_t damaged_at;

static void ask(const char *command)
{
    scoped_free char *answer = spawn_ask(&subject, command);
    assert_non_null(answer);
    assert_string_not_equal(answer, "unknown");
}

static void damage(void)
{
    scoped_free char *answer = spawn_ask(&subject, "size");
    assert_non_null(answer);
    damaged_at = strtoull(answer, NULL, 16);
}

static uint64_t user_ticks(void)
{
    struct proc_stat stat;
    assert_int_equal(proc_stat_read("/proc", subject.pid, &stat, NULL), STATUS_OK);
    return stat.user_ticks;
}

/* Its first thread leaves the system call that it sleeps in, and runs on. */
static void let_run(void)
{
    uint64_t before = user_ticks();
    assert_int_equal(kill(subject.pid, SIGUSR1), 0);
    while (user_ticks() == before) {
        nanosleep(&(struct timespec){.tv_nsec = (long)NS_PER_MS}, NULL);
    }
}

/* Its first thread sleeps in a signal's handler. */
static void let_sleep_in_handler(void)
{
    char path[40], text[160] = "";
    snprintf(path, sizeof path, "/proc/%d/syscall", (int)subject.pid);
    assert_int_equal(kill(subject.pid, SIGHUP), 0);
    while (atoi(text) != SYS_rt_sigsuspend) {
        nanosleep(&(struct timespec){.tv_nsec = (long)NS_PER_MS}, NULL);
        FILE *file = fopen(path, "re");
        assert_non_null(file);
        if (!fgets(text, sizeof text, file))
            text[0] = '\0';
        fclose(file);
    }
}

static void stop_subject(void)
{
    int status;
    assert_int_equal(kill(subject.pid, SIGSTOP), 0);
    assert_int_equal(waitpid(subject.pid, &status, WUNTRACED), subject.pid);
    assert_true(WIFSTOPPED(status));
}

static void assert_corrupt(enum consistency consistency)
{
    struct snapshot *snapshot = scan_once(subject.pid, consistency, NULL);
    assert_non_null(snapshot);
    const struct completeness *completeness = &snapshot->numbers.completeness;
    assert_int_equal(completeness->corrupt_count, 1);
    assert_int_equal(completeness->notes[0].kind, NOTE_BAD_SIZE);
    assert_int_equal(completeness->notes[0].address, damaged_at);
    assert_true(completeness->unread_bytes > 0);
    snapshot_unref(snapshot);
}

/* Nothing is called corrupt, and what could not be walked is said. */
static void assert_unread(enum consistency consistency)
{
    struct snapshot *snapshot = scan_once(subject.pid, consistency, NULL);
    assert_non_null(snapshot);
    const struct completeness *completeness = &snapshot->numbers.completeness;
    assert_int_equal(completeness->corrupt_count, 0);
    assert_int_equal(completeness->notes[0].address, damaged_at);
    assert_true(completeness->unread_bytes > 0);
    assert_false(snapshot->numbers.is_complete);
    assert_false(snapshot->numbers.checks[CHECK_SYSTEM_BYTES].is_known);
    snapshot_unref(snapshot);
}

static void assert_check(enum check check, bool is_known)
{
    struct snapshot *snapshot = scan_once(subject.pid, CONSISTENCY_LIVE, NULL);
    assert_non_null(snapshot);
    const struct check_result *result = &snapshot->numbers.checks[check];
    assert_int_equal(result->is_known, is_known);
    assert_true(!is_known || !result->is_reconciled);
    snapshot_unref(snapshot);
}

/* Books that do not agree with the heap: a thread in the midst of malloc leaves such ones too. */
static void assert_books(enum check check)
{
    assert_check(check, true);
    let_run();
    stop_subject();
    assert_check(check, false);
    assert_int_equal(kill(subject.pid, SIGCONT), 0);
    assert_check(check, true);
}

static void books(void **state)
{
    (void)state;
    ask("system");
    assert_books(CHECK_SYSTEM_BYTES);
}

static void mmapped_books(void **state)
{
    (void)state;
    ask("mmapped");
    assert_books(CHECK_MMAPPED_CHUNKS);
}

static void asleep(void **state)
{
    (void)state;
    damage();
    assert_corrupt(CONSISTENCY_LIVE);
}

static void running(void **state)
{
    (void)state;
    damage();
    let_run();
    assert_corrupt(CONSISTENCY_LIVE);
}

/* Stopped in a system call: it was not in malloc. */
static void stopped_asleep(void **state)
{
    (void)state;
    damage();
    stop_subject();
    assert_corrupt(CONSISTENCY_LIVE);
}

/* The signal can have come in the midst of malloc. */
static void asleep_in_a_handler(void **state)
{
    (void)state;
    damage();
    let_sleep_in_handler();
    assert_unread(CONSISTENCY_LIVE);
    assert_unread(CONSISTENCY_SNAPSHOT);
    assert_int_equal(kill(subject.pid, SIGUSR2), 0);
    assert_corrupt(CONSISTENCY_LIVE);
    assert_corrupt(CONSISTENCY_SNAPSHOT);
}

static void gets_no_processor(void **state)
{
    (void)state;
    damage();
    let_run();
    stop_subject();
    assert_unread(CONSISTENCY_LIVE);
    assert_unread(CONSISTENCY_SNAPSHOT);
    assert_int_equal(kill(subject.pid, SIGCONT), 0);
    assert_corrupt(CONSISTENCY_LIVE);
    assert_corrupt(CONSISTENCY_SNAPSHOT);
}

/* With two threads whoever is at work on an arena has its lock. */
static void threads(void **state)
{
    (void)state;
    ask("thread");
    damage();
    let_run();
    stop_subject();
    assert_corrupt(CONSISTENCY_LIVE);
}

static void threads_and_lock(void **state)
{
    (void)state;
    ask("thread");
    damage();
    ask("lock");
    let_run();
    stop_subject();
    assert_unread(CONSISTENCY_LIVE);
    assert_int_equal(kill(subject.pid, SIGCONT), 0);
    assert_corrupt(CONSISTENCY_LIVE);
    assert_int_equal(kill(subject.pid, SIGUSR2), 0);
    assert_corrupt(CONSISTENCY_LIVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(asleep, begin_faults, end_subject),
        cmocka_unit_test_setup_teardown(running, begin_faults, end_subject),
        cmocka_unit_test_setup_teardown(stopped_asleep, begin_faults, end_subject),
        cmocka_unit_test_setup_teardown(asleep_in_a_handler, begin_faults, end_subject),
        cmocka_unit_test_setup_teardown(gets_no_processor, begin_faults, end_subject),
        cmocka_unit_test_setup_teardown(books, begin_faults, end_subject),
        cmocka_unit_test_setup_teardown(mmapped_books, begin_faults, end_subject),
        cmocka_unit_test_setup_teardown(threads, begin_faults, end_subject),
        cmocka_unit_test_setup_teardown(threads_and_lock, begin_faults, end_subject),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
