/* test_snapshot.c - the block's arrays, and hostile blocks. */
#include "snapshot/snapshot.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct snapshot *example(void)
{
    struct snapshot *snapshot = snapshot_new(2, 3, 2, 1);
    assert_non_null(snapshot);
    snapshot->pid = 7;
    snapshot_arenas(snapshot)[1].index = 1;
    snapshot_bins(snapshot)[2].arena = 1;
    snapshot_heaps(snapshot)[1] = (struct heap_numbers){.start = 4096, .end = 8192, .arena = 1};
    snapshot_tcaches(snapshot)[0].tid = 7;
    return snapshot;
}

static void arrays_lie_behind_each_other(void **state)
{
    (void)state;
    struct snapshot *snapshot = example();
    assert_ptr_equal(snapshot_bins(snapshot), snapshot_arenas(snapshot) + 2);
    assert_ptr_equal(snapshot_tcaches(snapshot) + 1, (char *)snapshot + snapshot->total_bytes);
    assert_true(snapshot_is_valid(snapshot, snapshot->total_bytes));
    assert_ptr_equal(snapshot_ref(snapshot), snapshot);
    snapshot_unref(snapshot);
    assert_int_equal(snapshot->pid, 7);
    snapshot_unref(snapshot);
}

#define REFUSED(change)                                                     \
    do {                                                                    \
        struct snapshot *s = example();                                     \
        size_t length = s->total_bytes;                                     \
        change;                                                             \
        char *copy = malloc(length ? length : 1);                           \
        assert_non_null(copy);                                              \
        memcpy(copy, s, length < s->total_bytes ? length : s->total_bytes); \
        assert_false(snapshot_is_valid(copy, length));                      \
        free(copy);                                                         \
        snapshot_unref(s);                                                  \
    } while (0)

static void hostile_blocks_are_refused(void **state)
{
    (void)state;
    REFUSED(length = 0);
    REFUSED(length -= 1);
    REFUSED(length = sizeof(struct snapshot));
    REFUSED(s->arena_count = UINT32_MAX);
    REFUSED(s->bin_count += 1);
    REFUSED(s->pid = -1);
    REFUSED(s->start_time_seconds = NAN);
    REFUSED(memset(s->labels.comm, 'x', sizeof(s->labels.comm)));
    REFUSED(memset(s->labels.pod_uid, 'x', sizeof(s->labels.pod_uid)));
    REFUSED(s->numbers.found_by = FOUND_BY_COUNT);
    REFUSED(s->timing.mode = CONSISTENCY_COUNT);
    REFUSED(s->timing.why = MODE_WHY_COUNT);
    REFUSED(memset(&s->numbers.checks[3].is_known, 2, 1));
    REFUSED((s->numbers.completeness.notes_count = 1, s->numbers.completeness.notes[0].kind = NOTE_COUNT));
    REFUSED(snapshot_arenas(s)[0].index = 2);
    REFUSED(snapshot_bins(s)[1].kind = BIN_LARGE + 1);
    REFUSED(snapshot_bins(s)[1].bin = 127);
    REFUSED(snapshot_heaps(s)[0].arena = 9);
    REFUSED(snapshot_heaps(s)[1].end = 1);
    REFUSED(snapshot_tcaches(s)[0].tid = -1);
}

static void bounds_are_powers_of_four(void **state)
{
    (void)state;
    assert_int_equal(histogram_bound(0), 32);
    assert_int_equal(histogram_bound(1), 128);
    assert_int_equal(histogram_bound(10), 33554432);
    assert_true(histogram_bound(11) == UINT64_MAX);
    assert_int_equal(consistency_parse("sliced"), CONSISTENCY_SLICED);
    assert_int_equal(consistency_parse("exact"), -1);
}

static void sums_take_the_right_states(void **state)
{
    (void)state;
    struct scan_numbers numbers = {0};
    for (int i = 0; i < CHUNK_STATE_COUNT; i++)
        numbers.states[i].bytes = UINT64_C(1) << (4 * i);
    assert_int_equal(numbers_active_bytes(&numbers), 0x10000001);
    assert_int_equal(numbers_free_bytes(&numbers), 0x01111110);
    assert_int_equal(numbers_binned_bytes(&numbers), 0x00111000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_lie_behind_each_other),
        cmocka_unit_test(hostile_blocks_are_refused),
        cmocka_unit_test(bounds_are_powers_of_four),
        cmocka_unit_test(sums_take_the_right_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
