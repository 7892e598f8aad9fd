/*
 * test_churn.c - a live scan of a heap that never rests makes no false claim: nothing is corrupt, nothing is
 * unread, no check fails. What moved while it was read is read again, and counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/fixture.h"
#include "support/scan.h"

#define SCANS_DEFAULT 25

static void assert_no_false_claim(const struct snapshot *snapshot, size_t number)
{
    const struct completeness *completeness = &snapshot->numbers.completeness;
    if (completeness->corrupt_count != 0 || completeness->unread_bytes != 0) {
        const struct completeness_note *note = &completeness->notes[0];
        fail_msg("scan %zu: corrupt %llu, unread %llu bytes; first note: %s at 0x%llx", number,
                 (unsigned long long)completeness->corrupt_count,
                 (unsigned long long)completeness->unread_bytes,
                 completeness->notes_count ? note_text((enum note_kind)note->kind) : "none",
                 (unsigned long long)note->address);
    }
    for (int check = 0; check < CHECK_COUNT; check++) {
        const struct check_result *result = &snapshot->numbers.checks[check];
        if (result->is_known && !result->is_reconciled) {
            fail_msg("scan %zu: check %s fails by %llu", number, check_name((enum check)check),
                     (unsigned long long)result->difference_bytes);
        }
    }
}

/* SCANS in the environment: how many, for a long run by hand. */
static size_t scan_count(void)
{
    const char *scans = getenv("SCANS");
    return scans != NULL ? strtoul(scans, NULL, 10) : SCANS_DEFAULT;
}

static void test_program(void **state)
{
    const char *const arguments[] = {*state, NULL};
    uint64_t resyncs = 0, absent = 0;
    assert_true(spawn_target(&subject, "churn", arguments));
    for (size_t i = 0; i < scan_count(); i++) {
        struct snapshot *snapshot = scan_once(subject.pid, CONSISTENCY_LIVE, NULL);
        assert_non_null(snapshot);
        assert_no_false_claim(snapshot, i);
        resyncs += snapshot->numbers.completeness.resync_count;
        for (int check = 0; check < CHECK_COUNT; check++) {
            absent += !snapshot->numbers.checks[check].is_known;
        }
        snapshot_unref(snapshot);
    }
    print_message("%s: %zu scans, %llu resyncs, %llu checks absent\n", (const char *)*state, scan_count(),
                  (unsigned long long)resyncs, (unsigned long long)absent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"threads", test_program, NULL, end_subject, (void *)(uintptr_t) "threads"},
        {"growing", test_program, NULL, end_subject, (void *)(uintptr_t) "growing"},
        {"brk", test_program, NULL, end_subject, (void *)(uintptr_t) "brk"},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
