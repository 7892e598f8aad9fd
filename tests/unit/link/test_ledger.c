/* test_ledger.c - counters that outlive a scanner, and what one that was taken over may leave in them. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "link/ledger.h"

static void count(struct ledger_row *row)
{
    const struct group_counters one = {.resyncs = 1};
    assert_non_null(row);
    group_counters_add(&row->totals, &one);
}

static uint64_t counted(struct ledger *ledger, const char *name, uint64_t now_ns)
{
    const struct ledger_row *row = ledger_take(ledger, name, now_ns);
    assert_non_null(row);
    return row->totals.resyncs;
}

static void test_the_next_scanner_goes_on(void **state)
{
    (void)state;
    scoped_fd int fd = -1;
    struct ledger first, next;
    assert_int_equal(ledger_make(&fd, NULL), STATUS_OK);
    assert_int_equal(ledger_open(fd, 1, &first, NULL), STATUS_OK);
    for (int i = 0; i < 3; i++)
        count(ledger_take(&first, "group", 1));
    count(ledger_take(&first, "other", 1));
    count(ledger_take(&first, "ended", 1));
    ledger_drop(&first, ledger_take(&first, "ended", 1));
    ledger_drop(&first, NULL);
    assert_int_equal(ledger_open(fd, 2, &next, NULL), STATUS_OK);
    ledger_close(&first);
    assert_int_equal(counted(&next, "group", 2), 3);
    assert_int_equal(counted(&next, "other", 2), 1);
    assert_int_equal(counted(&next, "ended", 2), 0);
    ledger_close(&next);
    ledger_close(&next);
    assert_null(ledger_take(&next, "group", 2));
}

static void test_what_is_not_in_use_expires(void **state)
{
    (void)state;
    scoped_fd int fd = -1;
    struct ledger ledger;
    assert_int_equal(ledger_make(&fd, NULL), STATUS_OK);
    assert_int_equal(ledger_open(fd, 1, &ledger, NULL), STATUS_OK);
    count(ledger_take(&ledger, "old", 10));
    count(ledger_take(&ledger, "young", 20));
    ledger_expire(&ledger, 20);
    assert_int_equal(counted(&ledger, "young", 20), 1);
    assert_int_equal(counted(&ledger, "old", 20), 0);
    ledger_close(&ledger);
    /* its time begins again with the next scanner, which may not have seen the group yet */
    assert_int_equal(ledger_open(fd, 30, &ledger, NULL), STATUS_OK);
    ledger_expire(&ledger, 30);
    assert_int_equal(counted(&ledger, "young", 30), 1);
    ledger_close(&ledger);
}

static void fill(struct ledger *ledger)
{
    char name[32];
    for (int i = 0; i < LEDGER_ROWS_MAX; i++) {
        snprintf(name, sizeof name, "%d", i);
        assert_ptr_equal(ledger_take(ledger, name, 1), &ledger->memory->rows[i]);
    }
}

static void test_it_is_full(void **state)
{
    (void)state;
    scoped_fd int fd = -1;
    struct ledger ledger;
    char name[32];
    assert_int_equal(ledger_make(&fd, NULL), STATUS_OK);
    assert_int_equal(ledger_open(fd, 1, &ledger, NULL), STATUS_OK);
    fill(&ledger);
    assert_null(ledger_take(&ledger, "one more", 1));
    snprintf(name, sizeof name, "%d", LEDGER_ROWS_MAX - 1);
    assert_ptr_equal(ledger_take(&ledger, name, 1), &ledger.memory->rows[LEDGER_ROWS_MAX - 1]);
    ledger_drop(&ledger, &ledger.memory->rows[7]);
    assert_ptr_equal(ledger_take(&ledger, "one more", 1), &ledger.memory->rows[7]);
    ledger_close(&ledger);
}

/* Rows that may not be touched: who went through them would be seen. */
static void test_a_row_is_found_without_a_look_at_others(void **state)
{
    (void)state;
    scoped_fd int fd = -1;
    struct ledger ledger;
    const size_t half = sizeof(struct ledger_memory) / 2 / 4096 * 4096;
    assert_int_equal(ledger_make(&fd, NULL), STATUS_OK);
    assert_int_equal(ledger_open(fd, 1, &ledger, NULL), STATUS_OK);
    fill(&ledger);
    ledger_close(&ledger);
    assert_int_equal(ledger_open(fd, 1, &ledger, NULL), STATUS_OK);
    struct ledger_row *last = &ledger.memory->rows[LEDGER_ROWS_MAX - 1];
    struct ledger_row *dropped = last - 1;
    char name[sizeof last->name];
    snprintf(name, sizeof name, "%s", last->name);
    ledger_drop(&ledger, dropped);
    assert_int_equal(mprotect(ledger.memory, half, PROT_NONE), 0);
    assert_ptr_equal(ledger_take(&ledger, name, 1), last);
    assert_ptr_equal(ledger_take(&ledger, "new", 1), dropped);
    assert_null(ledger_take(&ledger, "one more", 1));
    ledger_close(&ledger);
}

/* Who has the memory too writes while this scanner has it. */
static void test_what_changes_under_the_scanner(void **state)
{
    (void)state;
    scoped_fd int fd = -1;
    struct ledger ledger;
    assert_int_equal(ledger_make(&fd, NULL), STATUS_OK);
    assert_int_equal(ledger_open(fd, 1, &ledger, NULL), STATUS_OK);
    struct ledger_row *row = ledger_take(&ledger, "group", 1);
    ledger.memory->used = UINT64_MAX;
    for (int i = 0; i < 2 * LEDGER_ROWS_MAX; i++) { /* a row that is free says that it is not */
        row->kept_ns = 1;
        ledger_drop(&ledger, row);
    }
    count(ledger_take(&ledger, "group", 1));
    assert_ptr_equal(ledger_take(&ledger, "group", 1), row);
    memset(row->name, 'x', sizeof row->name);
    struct ledger_row *next = ledger_take(&ledger, "group", 1);
    assert_true(next == row + 1);
    assert_int_equal(next->totals.resyncs, 0);
    ledger_close(&ledger);
}

static void test_what_a_hostile_scanner_leaves(void **state)
{
    (void)state;
    scoped_fd int fd = -1;
    struct ledger ledger;
    assert_int_equal(ledger_make(&fd, NULL), STATUS_OK);
    assert_int_equal(ledger_open(fd, 1, &ledger, NULL), STATUS_OK);
    struct ledger_memory *memory = ledger.memory;
    count(ledger_take(&ledger, "sound", 1));
    memset(memory->rows[1].name, 'x', sizeof memory->rows[1].name); /* without an end */
    memory->rows[1].kept_ns = memory->rows[2].kept_ns = 1;          /* the second without a name */
    memory->used = UINT64_MAX;
    ledger_close(&ledger);
    /* nor can it take memory away under the next one */
    assert_int_not_equal(ftruncate(fd, 0), 0);
    assert_int_not_equal(ftruncate(fd, 1 << 30), 0);
    assert_int_not_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
    assert_int_equal(ledger_open(fd, 1, &ledger, NULL), STATUS_OK);
    assert_int_equal(counted(&ledger, "sound", 1), 1);
    assert_int_equal(ledger.memory->rows[1].kept_ns, 0);
    assert_int_equal(ledger.memory->rows[2].kept_ns, 0);
    assert_int_equal(ledger.memory->used, LEDGER_ROWS_MAX);
    ledger_close(&ledger);
}

static void test_what_is_no_ledger(void **state)
{
    (void)state;
    struct ledger ledger;
    scoped_fd int unsealed = memfd_create("ledger", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    scoped_fd int small = memfd_create("ledger", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(unsealed, sizeof(struct ledger_memory)), 0);
    assert_int_equal(fcntl(small, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
    assert_int_equal(ledger_open(unsealed, 1, &ledger, NULL), STATUS_BAD_DATA);
    assert_int_equal(ledger_open(small, 1, &ledger, NULL), STATUS_BAD_DATA);
    assert_int_equal(ledger_open(-1, 1, &ledger, NULL), STATUS_BAD_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_next_scanner_goes_on),
        cmocka_unit_test(test_what_is_not_in_use_expires),
        cmocka_unit_test(test_it_is_full),
        cmocka_unit_test(test_a_row_is_found_without_a_look_at_others),
        cmocka_unit_test(test_what_changes_under_the_scanner),
        cmocka_unit_test(test_what_a_hostile_scanner_leaves),
        cmocka_unit_test(test_what_is_no_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
