/* test_faults.c - faults planted into a heap are told as the checks promise, each by what it is and no more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "support/scan.h"
#include "support/spawn.h"

#define BIT(check) (1u << CHECK_##check)

static struct spawned target;

static int set_up(void **state)
{
    (void)state;
    return spawn_target(&target, "faults", NULL) ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    spawn_end(&target);
    return 0;
}

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
    struct snapshot *sound = scan_once(target.pid, CONSISTENCY_SNAPSHOT, NULL);
    assert_non_null(sound);
    assert_checks(sound, 0, 0);
    assert_int_equal(sound->numbers.completeness.corrupt_count, 0);
    snapshot_unref(sound);
    scoped_free char *answer = spawn_ask(&target, fault);
    assert_non_null(answer);
    *said = strtoull(answer, NULL, base);
    struct snapshot *snapshot = scan_once(target.pid, CONSISTENCY_SNAPSHOT, NULL);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_system, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mmapped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ring, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_size, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
