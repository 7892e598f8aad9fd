/*
 * test_sliced.c - a walk in slices: what was not held throughout is walked again and counted once; where the
 * target cannot be stopped the rest is walked live; a heap that churns between the slices is not called
 * corrupt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "allocator/allocator.h"
#include "base/clock.h"
#include "link/hold_client.h"
#include "roles/holder/holder.h"
#include "support/fixture.h"
#include "target/live.h"

/* generous: what is looked at is what is done with a stop, on a machine however loaded */
#define BUDGET_NS (20 * NS_PER_SECOND)
#define TIME_NS (600 * NS_PER_SECOND)
#define REFUSED_NS 5000u

/* A holder that hands on to a real one (or to none) and fails as it is told. */
struct told_holder {
    struct holder holder; /* first */
    struct holder *real;
    unsigned begun;
    unsigned unconfirmed_of; /* every n-th stop was not held throughout; 0: none */
    unsigned refuse_from;    /* stops from this one on are refused; 0: none */
    enum status refusal;
    uint64_t pause_ns; /* sum of what its stops took, those that were refused, too */
};

static enum status told_begin(struct holder *holder, pid_t pid, uint64_t budget_ns, struct error *err)
{
    struct told_holder *told = (struct told_holder *)holder;
    told->begun++;
    if (told->refuse_from && told->begun >= told->refuse_from) {
        holder->vain_pause_ns = REFUSED_NS;
        told->pause_ns += REFUSED_NS;
        return error_set(err, told->refusal, "told to refuse");
    }
    holder->release_by_ns = clock_monotonic_ns() + budget_ns;
    if (!told->real)
        return STATUS_OK;
    enum status status = told->real->ops->begin(told->real, pid, budget_ns, err);
    holder->release_by_ns = told->real->release_by_ns;
    return status;
}

static void told_end(struct holder *holder, struct hold_report *ret)
{
    struct told_holder *told = (struct told_holder *)holder;
    *ret = (struct hold_report){.pause_ns = 1000, .threads = 1, .is_confirmed = true};
    if (told->real)
        told->real->ops->end(told->real, ret);
    if (told->unconfirmed_of && told->begun % told->unconfirmed_of == 0)
        ret->is_confirmed = false;
    told->pause_ns += ret->pause_ns;
}

static const struct hold_ops TOLD_OPS = {.begin = told_begin, .end = told_end};

static struct snapshot *scan(struct told_holder *told, enum consistency consistency)
{
    struct error err = {0};
    struct target *scoped_target process = NULL;
    struct snapshot *snapshot = NULL;
    char name[32] = "";
    told->holder.ops = &TOLD_OPS;
    told->begun = 0;
    assert_int_equal(target_live_open("/proc", subject.pid, &process, &err), STATUS_OK);
    const struct scan_request request = {.consistency = consistency,
                                         .deadline_ns = clock_monotonic_ns() + TIME_NS,
                                         .slice_budget_ns = BUDGET_NS,
                                         .snapshot_budget_ns = BUDGET_NS,
                                         .want_residency = true,
                                         .holder = &told->holder};
    if (allocator_scan(process, &request, name, &snapshot, &err) != STATUS_OK)
        fail_msg("%s: %s", name, err.message);
    return snapshot;
}

static void assert_same(const struct scan_numbers *a, const struct scan_numbers *b)
{
    assert_memory_equal(a->states, b->states, sizeof a->states);
    assert_memory_equal(&a->used_sizes, &b->used_sizes, sizeof a->used_sizes);
    assert_memory_equal(&a->free_sizes, &b->free_sizes, sizeof a->free_sizes);
    for (int check = 0; check < CHECK_COUNT; check++) {
        assert_int_equal(a->checks[check].is_known, b->checks[check].is_known);
        assert_int_equal(a->checks[check].is_reconciled, b->checks[check].is_reconciled);
        assert_int_equal(a->checks[check].difference_bytes, b->checks[check].difference_bytes);
    }
    assert_int_equal(a->overhead_bytes, b->overhead_bytes);
    assert_int_equal(a->completeness.unread_bytes, b->completeness.unread_bytes);
    assert_int_equal(a->free.resident_bytes, b->free.resident_bytes);
    assert_int_equal(a->trimmable_bytes, b->trimmable_bytes);
}

/* An idle heap with more chunks than a slice keeps: the same numbers however the stops go. */
static void test_idle(void **state)
{
    static const struct {
        struct told_holder told;
        enum consistency mode;
        enum mode_why why;
    } CASES[] = {
        {{.unconfirmed_of = 0}, CONSISTENCY_SLICED, MODE_WHY_REQUESTED},
        {{.unconfirmed_of = 2}, CONSISTENCY_SLICED, MODE_WHY_REQUESTED},
        {{.unconfirmed_of = 3}, CONSISTENCY_SLICED, MODE_WHY_REQUESTED},
        {{.unconfirmed_of = 1}, CONSISTENCY_LIVE, MODE_WHY_SLOW},
        {{.refuse_from = 1, .refusal = STATUS_TRACED}, CONSISTENCY_LIVE, MODE_WHY_TRACED},
        {{.refuse_from = 3, .refusal = STATUS_TRACED}, CONSISTENCY_LIVE, MODE_WHY_TRACED},
        {{.refuse_from = 2, .refusal = STATUS_TOO_LARGE}, CONSISTENCY_LIVE, MODE_WHY_THREADS},
        {{.refuse_from = 2, .refusal = STATUS_TIMEOUT}, CONSISTENCY_LIVE, MODE_WHY_THREADS},
    };
    (void)state;
    const char *const arguments[] = {"unsorted", "128", NULL};
    struct told_holder told = {0};
    assert_true(spawn_target(&subject, "bench", arguments));
    struct snapshot *live = scan(&told, CONSISTENCY_LIVE);
    assert_int_equal(told.begun, 0);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        told = CASES[i].told;
        struct snapshot *sliced = scan(&told, CONSISTENCY_SLICED);
        assert_same(&sliced->numbers, &live->numbers);
        assert_int_equal(sliced->numbers.completeness.corrupt_count, 0);
        assert_int_equal(sliced->timing.mode, CASES[i].mode);
        assert_int_equal(sliced->timing.why, CASES[i].why);
        assert_int_equal(sliced->timing.pause_ns, told.pause_ns);
        if (!CASES[i].told.refuse_from)
            assert_true(told.begun > 2);
        snapshot_unref(sliced);
    }
    snapshot_unref(live);
}

/* Threads stood still for a stop that was refused, too. */
static void test_refused_stop_is_told(void **state)
{
    (void)state;
    assert_true(spawn_target(&subject, "single", NULL));
    for (enum consistency consistency = CONSISTENCY_SLICED; consistency < CONSISTENCY_COUNT; consistency++) {
        struct told_holder told = {.refuse_from = 1, .refusal = STATUS_TOO_LARGE};
        struct snapshot *snapshot = scan(&told, consistency);
        assert_int_equal(snapshot->timing.mode, CONSISTENCY_LIVE);
        assert_int_equal(snapshot->timing.why, MODE_WHY_THREADS);
        assert_int_equal(snapshot->timing.pause_ns, REFUSED_NS);
        assert_int_equal(snapshot->timing.max_pause_ns, REFUSED_NS);
        snapshot_unref(snapshot);
    }
}

static void test_lost_process(void **state)
{
    (void)state;
    struct told_holder told = {.refuse_from = 1, .refusal = STATUS_GONE, .holder.ops = &TOLD_OPS};
    struct error err = {0};
    struct target *scoped_target process = NULL;
    struct snapshot *snapshot = NULL;
    char name[32] = "";
    assert_true(spawn_target(&subject, "single", NULL));
    assert_int_equal(target_live_open("/proc", subject.pid, &process, &err), STATUS_OK);
    const struct scan_request request = {.consistency = CONSISTENCY_SLICED,
                                         .deadline_ns = clock_monotonic_ns() + TIME_NS,
                                         .slice_budget_ns = BUDGET_NS,
                                         .holder = &told.holder};
    assert_int_equal(allocator_scan(process, &request, name, &snapshot, &err), STATUS_GONE);
    assert_null(snapshot);
}

/* Threads that never rest, under real stops, some of which do not count: bounds hold and nothing is corrupt.
 */
static void test_churn(void **state)
{
    (void)state;
    const char *const arguments[] = {"threads", NULL};
    struct forked_helper child = {.main = holder_main, .ends_by_itself = true};
    struct hold_client client;
    hold_client_init(&client, forked_helper_launcher(&child));
    assert_true(spawn_target(&subject, "churn", arguments));
    for (int i = 0; i < 6; i++) {
        struct told_holder told = {.real = &client.holder, .unconfirmed_of = i % 3 == 2 ? 2 : 0};
        struct snapshot *snapshot = scan(&told, CONSISTENCY_SLICED);
        const struct scan_numbers *numbers = &snapshot->numbers;
        uint64_t sum = numbers->overhead_bytes + numbers->completeness.unread_bytes;
        for (int chunk = 0; chunk < CHUNK_MMAPPED; chunk++)
            sum += numbers->states[chunk].bytes;
        assert_int_equal(snapshot->timing.mode, CONSISTENCY_SLICED);
        assert_int_equal(numbers->completeness.corrupt_count, 0);
        assert_int_equal(numbers->completeness.unread_bytes, 0);
        assert_true(numbers->states[CHUNK_IN_USE].bytes > 0);
        assert_in_range(sum, numbers->system_bytes - numbers->system_bytes / 4,
                        numbers->system_bytes + numbers->system_bytes / 4);
        assert_true(snapshot->timing.max_pause_ns > 0 &&
                    snapshot->timing.pause_ns >= snapshot->timing.max_pause_ns);
        snapshot_unref(snapshot);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_idle, end_subject),
        cmocka_unit_test_teardown(test_refused_stop_is_told, end_subject),
        cmocka_unit_test_teardown(test_lost_process, end_subject),
        cmocka_unit_test_teardown(test_churn, end_subject),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
