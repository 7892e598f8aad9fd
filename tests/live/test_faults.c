/* test_faults.c - faults planted into a heap are told as the checks promise, each by what it is and no more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "support/fixture.h"
#include "support/scan.h"

#define BIT(check) (1u << CHECK_##check)
#define PIECE_BYTES 0x1230u /* as tests/targets/faults.c has it */

/* All checks agree but those in @wrong, and those in @absent are not there. */
static void assert_checks(const struct snapshot *snapshot, unsigned wrong, unsigned absent)
{
    for (unsigned check = 0; check < CHECK_COUNT; check++) {
        const struct check_result *result = &snapshot->numbers.checks[check];
        bool is_known = (absent >> check & 1) == 0, is_reconciled = (wrong >> check & 1) == 0;
        if (result->is_known != is_known || (is_known && result->is_reconciled != is_reconciled)) {
            fail_msg("check %s: known %d reconciled %d", check_name((enum check)check), result->is_known,
                     result->is_reconciled);
        }
    }
}

static struct snapshot *scan_with(const char *fault, uint64_t *said, int base)
{
    struct snapshot *sound = scan_once(subject.pid, CONSISTENCY_SNAPSHOT, NULL);
    assert_non_null(sound);
    assert_checks(sound, 0, 0);
    assert_int_equal(sound->numbers.completeness.corrupt_count, 0);
    snapshot_unref(sound);
    scoped_free char *answer = spawn_ask(&subject, fault);
    assert_non_null(answer);
    *said = strtoull(answer, NULL, base);
    struct snapshot *snapshot = scan_once(subject.pid, CONSISTENCY_SNAPSHOT, NULL);
    assert_non_null(snapshot);
    return snapshot;
}

static void test_system(void **state)
{
    (void)state;
    uint64_t said;
    struct snapshot *snapshot = scan_with("system", &said, 10);
    assert_checks(snapshot, BIT(SYSTEM_BYTES), 0);
    assert_int_equal(snapshot->numbers.checks[CHECK_SYSTEM_BYTES].difference_bytes, 4096);
    assert_int_equal(snapshot->numbers.completeness.corrupt_count, 0);
    snapshot_unref(snapshot);
}

static void test_mmapped(void **state)
{
    (void)state;
    uint64_t bytes;
    struct snapshot *snapshot = scan_with("mmapped", &bytes, 10);
    assert_checks(snapshot, BIT(MMAPPED_CHUNKS) | BIT(MMAPPED_BYTES), 0);
    assert_int_equal(snapshot->numbers.checks[CHECK_MMAPPED_BYTES].difference_bytes, bytes);
    snapshot_unref(snapshot);
}

static void test_ring(void **state)
{
    (void)state;
    uint64_t said;
    struct snapshot *snapshot = scan_with("ring", &said, 10);
    assert_true(snapshot->numbers.checks[CHECK_ARENA_RING].is_known);
    assert_false(snapshot->numbers.checks[CHECK_ARENA_RING].is_reconciled);
    snapshot_unref(snapshot);
}

static void test_size(void **state)
{
    (void)state;
    uint64_t address;
    struct snapshot *snapshot = scan_with("size", &address, 16);
    const struct completeness *completeness = &snapshot->numbers.completeness;
    assert_checks(snapshot, 0, BIT(SYSTEM_BYTES) | BIT(TOP) | BIT(BINS));
    assert_int_equal(completeness->corrupt_count, 1);
    assert_true(completeness->unread_bytes > 0);
    assert_false(snapshot->numbers.is_complete);
    assert_int_equal(completeness->notes[0].kind, NOTE_BAD_SIZE);
    assert_int_equal(completeness->notes[0].address, address);
    snapshot_unref(snapshot);
}

/* A thread stands in the midst of malloc, top being cut: all is walked up to there, and what could not be is
 * said. */
static void assert_cut(const struct snapshot *sound, enum consistency consistency, uint64_t top,
                       bool is_corrupt)
{
    struct snapshot *snapshot = scan_once(subject.pid, consistency, NULL);
    assert_non_null(snapshot);
    const struct scan_numbers *numbers = &snapshot->numbers, *before = &sound->numbers;
    assert_int_equal(numbers->completeness.corrupt_count, is_corrupt);
    assert_int_equal(numbers->completeness.notes_count, 1);
    assert_int_equal(numbers->completeness.notes[0].kind, NOTE_BAD_SIZE);
    assert_int_equal(numbers->completeness.notes[0].address, top);
    assert_int_equal(numbers->completeness.unread_bytes, before->states[CHUNK_TOP].bytes - PIECE_BYTES);
    assert_false(numbers->is_complete);
    assert_int_equal(numbers->states[CHUNK_IN_USE].chunks, before->states[CHUNK_IN_USE].chunks + 1);
    assert_int_equal(numbers->states[CHUNK_IN_USE].bytes, before->states[CHUNK_IN_USE].bytes + PIECE_BYTES);
    assert_int_equal(numbers->states[CHUNK_TOP].chunks, 0);
    for (unsigned state = CHUNK_IN_USE + 1; state < CHUNK_STATE_COUNT; state++)
        assert_true(state == CHUNK_TOP || numbers->states[state].bytes == before->states[state].bytes);
    assert_checks(snapshot, 0, BIT(SYSTEM_BYTES) | BIT(TOP) | BIT(BINS));
    snapshot_unref(snapshot);
}

static void assert_cut_as(const char *fault, bool is_corrupt_held)
{
    struct snapshot *sound = scan_once(subject.pid, CONSISTENCY_SNAPSHOT, NULL);
    assert_non_null(sound);
    scoped_free char *answer = spawn_ask(&subject, fault);
    assert_non_null(answer);
    uint64_t top = strtoull(answer, NULL, 16);
    assert_cut(sound, CONSISTENCY_LIVE, top, false);
    assert_cut(sound, CONSISTENCY_SLICED, top, false);
    assert_cut(sound, CONSISTENCY_SNAPSHOT, top, is_corrupt_held);
    snapshot_unref(sound);
}

static void test_cut(void **state)
{
    (void)state;
    assert_cut_as("cut", false);
}

static void test_cut_stale(void **state)
{
    (void)state;
    assert_cut_as("cut-stale", false);
}

/* The same as a header of top that was overwritten: who stands in malloc is let run before a second stop. */
static void test_cut_headless(void **state)
{
    (void)state;
    assert_cut_as("cut-headless", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_system, begin_faults, end_subject),
        cmocka_unit_test_setup_teardown(test_mmapped, begin_faults, end_subject),
        cmocka_unit_test_setup_teardown(test_ring, begin_faults, end_subject),
        cmocka_unit_test_setup_teardown(test_size, begin_faults, end_subject),
        cmocka_unit_test_setup_teardown(test_cut, begin_faults, end_subject),
        cmocka_unit_test_setup_teardown(test_cut_stale, begin_faults, end_subject),
        cmocka_unit_test_setup_teardown(test_cut_headless, begin_faults, end_subject),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
