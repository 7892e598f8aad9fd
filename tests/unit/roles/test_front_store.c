/* test_front_store.c - the latest results: what a scanner sends, sound or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "roles/front/store.h"

static struct message_process process_in(const char *group, enum process_state state)
{
    struct message_process process = {.state = state, .valid_until_ns = 100, .address_space = 1};
    strcpy(process.group, group);
    return process;
}

static enum status put(struct store *store, const char *group, int32_t pid, uint64_t ticks,
                       enum process_state state)
{
    struct error err;
    struct message_process process = process_in(group, state);
    struct snapshot *snapshot = snapshot_new(0, 0, 0, 0);
    snapshot->pid = pid;
    snapshot->start_time_ticks = ticks;
    enum status status = store_process(store, &process, snapshot, snapshot->total_bytes, &err);
    snapshot_unref(snapshot);
    return status;
}

static void test_hostile_frames(void **state)
{
    (void)state;
    struct store *store = store_new(STORE_BYTES_MAX);
    struct error err;
    struct message_process process = process_in("g", PROCESS_STATE_OK);
    struct snapshot *snapshot = snapshot_new(1, 0, 0, 0);
    size_t length = snapshot->total_bytes;
    snapshot->pid = 7;
    assert_int_equal(store_process(store, &process, snapshot, length, &err), STATUS_OK);
    assert_int_equal(store_process(store, &process, snapshot, length - 1, &err), STATUS_BAD_DATA);
    assert_int_equal(store_process(store, &process, snapshot, 0, &err), STATUS_BAD_DATA);
    snapshot->arena_count = UINT32_MAX;
    assert_int_equal(store_process(store, &process, snapshot, length, &err), STATUS_BAD_DATA);
    snapshot->arena_count = 1;
    snapshot->pid = -7;
    assert_int_equal(store_process(store, &process, snapshot, length, &err), STATUS_BAD_DATA);
    snapshot->pid = 8;
    memset(snapshot->labels.comm, 'x', sizeof snapshot->labels.comm);
    assert_int_equal(store_process(store, &process, snapshot, length, &err), STATUS_BAD_DATA);
    snapshot->labels.comm[3] = '\0';
    process.state = PROCESS_STATE_COUNT;
    assert_int_equal(store_process(store, &process, snapshot, length, &err), STATUS_BAD_DATA);
    process.state = PROCESS_STATE_OK;
    process.failure = FAILURE_COUNT;
    assert_int_equal(store_process(store, &process, snapshot, length, &err), STATUS_BAD_DATA);
    process.failure = 0;
    memset(process.group, 'x', sizeof process.group);
    assert_int_equal(store_process(store, &process, snapshot, length, &err), STATUS_BAD_DATA);
    assert_null(store_find(store, 8));
    snapshot_unref(snapshot);
    store_free(store);
}

static void test_hostile_groups(void **state)
{
    (void)state;
    struct store *store = store_new(STORE_BYTES_MAX);
    struct error err;
    struct message_group group = {.name = "g", .labels_count = 1};
    static const char good[] = "team\0cache";
    assert_int_equal(store_group(store, &group, good, sizeof good, &err), STATUS_OK);
    assert_int_equal(store_group(store, &group, good, sizeof good - 1, &err), STATUS_BAD_DATA);
    group.labels_count = 2;
    assert_int_equal(store_group(store, &group, good, sizeof good, &err), STATUS_BAD_DATA);
    group.labels_count = UINT32_MAX / 2 + 1; /* times two it is 0 in 32 bits */
    assert_int_equal(store_group(store, &group, NULL, 0, &err), STATUS_BAD_DATA);
    group.labels_count = 0;
    group.identify_by = IDENTIFY_NONE + 1;
    assert_int_equal(store_group(store, &group, NULL, 0, &err), STATUS_BAD_DATA);
    group.identify_by = 0;
    memset(group.name, 'x', sizeof group.name);
    assert_int_equal(store_group(store, &group, NULL, 0, &err), STATUS_BAD_DATA);
    struct message_settings settings = {.api_access = API_OPEN + 1};
    assert_int_equal(store_settings(store, &settings, &err), STATUS_BAD_DATA);
    store_free(store);
}

static void test_a_pid_that_is_used_again(void **state)
{
    (void)state;
    struct store *store = store_new(STORE_BYTES_MAX);
    assert_int_equal(put(store, "g", 7, 1, PROCESS_STATE_OK), STATUS_OK);
    /* the next process with that pid, not scanned yet: nothing of the first stays */
    assert_int_equal(put(store, "g", 7, 2, PROCESS_STATE_WAITING), STATUS_OK);
    struct store_process *found = store_find(store, 7);
    assert_int_equal(found->snapshot->start_time_ticks, 2);
    assert_int_equal(store_state_at(found, 0), PROCESS_STATE_WAITING);
    store_process_unref(found);
    store_process_gone(store, 7, true);
    assert_null(store_find(store, 7));
    assert_true(store_has_ended(store, 7));
    assert_false(store_has_ended(store, 0));
    for (int32_t pid = 1000; pid < 1000 + STORE_ENDED_MAX; pid++)
        store_process_gone(store, pid, true);
    assert_false(store_has_ended(store, 7)); /* the last 1,000 */
    store_free(store);
}

static void test_a_new_scanner(void **state)
{
    (void)state;
    struct store *store = store_new(STORE_BYTES_MAX);
    struct message_round round = {.all_tried = 1};
    assert_int_equal(put(store, "g", 7, 1, PROCESS_STATE_OK), STATUS_OK);
    assert_int_equal(put(store, "g", 8, 1, PROCESS_STATE_OK), STATUS_OK);
    store_set_epoch(store, 2);
    assert_int_equal(put(store, "g", 7, 1, PROCESS_STATE_WAITING), STATUS_OK);
    struct store_process *found = store_find(store, 7);
    assert_int_equal(store_state_at(found, 100), PROCESS_STATE_OK); /* its last result stays */
    assert_int_equal(store_state_at(found, 101), PROCESS_STATE_FAILED);
    assert_int_equal(store_failure_at(found, 101), FAILURE_STALE);
    store_process_unref(found);
    store_round(store, &round, 1);
    assert_null(store_find(store, 8)); /* it was not reported */
    scoped_view struct store_view view = {0};
    struct error err;
    assert_int_equal(store_view(store, &view, &err), STATUS_OK);
    assert_int_equal(view.process_count, 1);
    store_process_gone(store, 7, true);
    assert_int_equal(view.processes[0]->snapshot->pid, 7); /* a view holds what it shows */
    store_free(store);
}

static void test_counters_stay(void **state)
{
    (void)state;
    struct store *store = store_new(STORE_BYTES_MAX);
    struct error err;
    struct message_group group = {.name = "g", .totals = {.resyncs = 3}};
    assert_int_equal(store_group(store, &group, NULL, 0, &err), STATUS_OK);
    store_set_epoch(store, 2);
    group.totals.resyncs = 6; /* the next scanner goes on where the first one ended */
    assert_int_equal(store_group(store, &group, NULL, 0, &err), STATUS_OK);
    scoped_view struct store_view view = {0};
    assert_int_equal(store_view(store, &view, &err), STATUS_OK);
    assert_int_equal(view.group_count, 1);
    assert_int_equal(view.groups[0]->message.totals.resyncs, 6);
    store_free(store);
}

/* Whatever a scanner sends: what is held is bounded, and what was refused leaves the rest as it was. */
static void test_bytes_are_bounded(void **state)
{
    (void)state;
    struct store *store = store_new(1 << 20);
    struct error err;
    int32_t kept = 0;
    while (put(store, "g", kept + 1, 1, PROCESS_STATE_OK) == STATUS_OK)
        assert_true(++kept < 1000);
    assert_true(kept > 100);
    assert_int_equal(put(store, "g", kept + 1, 1, PROCESS_STATE_OK), STATUS_TOO_LARGE);
    assert_int_equal(put(store, "g", kept, 2, PROCESS_STATE_OK), STATUS_OK); /* in the place of another */
    static char labels[8192] = "name";
    struct message_group group = {.name = "g", .labels_count = 1};
    memset(labels + 5, 'x', sizeof labels - 6);
    assert_int_equal(store_group(store, &group, labels, sizeof labels, &err), STATUS_TOO_LARGE);
    for (int32_t pid = 1; pid <= 10; pid++)
        store_process_gone(store, pid, true);
    assert_int_equal(store_group(store, &group, labels, sizeof labels, &err), STATUS_OK);
    store_set_epoch(store, 2);
    store_round(store, &(struct message_round){.all_tried = 1}, 1); /* a new scanner knows none of them */
    store_group_gone(store, "g");
    for (int32_t pid = 1; pid <= kept; pid++)
        assert_int_equal(put(store, "g", pid, 1, PROCESS_STATE_OK), STATUS_OK);
    store_free(store);
}

static void put_group(struct store *store, const char *name, bool is_templated)
{
    struct error err;
    struct message_group group = {
        .processes = 2, .labels_count = 1, .is_templated = is_templated, .totals = {.resyncs = 3}};
    static const char labels[] = "team\0cache";
    strcpy(group.name, name);
    assert_int_equal(store_group(store, &group, labels, sizeof labels, &err), STATUS_OK);
}

/* Of a group of the store; false: there is none called @name. */
static bool group_says(struct store *store, const char *name, uint32_t *processes, uint64_t *resyncs)
{
    struct error err;
    bool is_found = false;
    scoped_view struct store_view view = {0};
    assert_int_equal(store_view(store, &view, &err), STATUS_OK);
    for (size_t i = 0; i < view.group_count; i++) {
        const struct store_group *group = view.groups[i];
        if (strcmp(group->message.name, name) != 0)
            continue;
        is_found = true;
        assert_memory_equal(group->labels, "team\0cache", group->labels_length);
        *processes = group->message.processes;
        *resyncs = group->message.totals.resyncs;
    }
    return is_found;
}

static void test_groups_that_a_new_scanner_does_not_know(void **state)
{
    (void)state;
    struct store *store = store_new(STORE_BYTES_MAX);
    struct message_round round = {.all_tried = 1};
    struct message_settings settings = {.group_ttl_ns = 1000};
    struct error err;
    uint32_t processes = 0;
    uint64_t resyncs = 0;
    assert_int_equal(store_settings(store, &settings, &err), STATUS_OK);
    put_group(store, "templated", true);
    put_group(store, "fixed", false);
    store_round(store, &round, 5);
    assert_true(group_says(store, "templated", &processes, &resyncs) && processes == 2);
    store_set_epoch(store, 2);
    assert_true(group_says(store, "templated", &processes, &resyncs) && processes == 2);
    store_round(store, &round, 10);
    assert_true(group_says(store, "templated", &processes, &resyncs));
    assert_int_equal(processes, 0);
    assert_int_equal(resyncs, 3);
    assert_false(group_says(store, "fixed", &processes, &resyncs));
    store_round(store, &round, 1010);
    assert_true(group_says(store, "templated", &processes, &resyncs));
    /* somebody is in it again: it goes on */
    put_group(store, "templated", true);
    store_round(store, &round, 1011);
    assert_true(group_says(store, "templated", &processes, &resyncs));
    assert_int_equal(processes, 2);
    assert_int_equal(resyncs, 3);
    store_set_epoch(store, 3);
    store_round(store, &round, 2000);
    store_round(store, &round, 3001);
    assert_false(group_says(store, "templated", &processes, &resyncs));
    store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_frames),
        cmocka_unit_test(test_hostile_groups),
        cmocka_unit_test(test_a_pid_that_is_used_again),
        cmocka_unit_test(test_a_new_scanner),
        cmocka_unit_test(test_counters_stay),
        cmocka_unit_test(test_groups_that_a_new_scanner_does_not_know),
        cmocka_unit_test(test_bytes_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
