/* test_live_memory.c - the memory of a running process: reads up to holes, in parts, and what its pages are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/forked.h"
#include "target/live.h"

#define PAGE 4096

/* Six pages: 0 and 1 written, 2 a hole, 3 never touched, 4 and 5 written. */
static const uint8_t PAGES[6] = {PAGE_PRESENT, PAGE_PRESENT, PAGE_ABSENT,
                                 PAGE_ABSENT,  PAGE_PRESENT, PAGE_PRESENT};

static uint8_t *lay_out(void)
{
    uint8_t *pages = mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(pages, MAP_FAILED);
    for (int i = 0; i < 6; i++)
        if (i != 2 && i != 3)
            memset(pages + i * PAGE, 0x10 + i, PAGE);
    assert_int_equal(munmap(pages + 2 * PAGE, PAGE), 0);
    return pages;
}

static void reads_to_a_hole(void **state)
{
    (void)state;
    uint8_t *pages = lay_out(), data[6 * PAGE];
    struct forked child = forked_start(FORKED_EXITS);
    scoped_target struct target *target = forked_open(&child);
    uint64_t base = (uintptr_t)pages;
    assert_int_equal(target->word_bytes, sizeof(void *));
    assert_int_equal(target_read(target, base + 100, data, sizeof data), 2 * PAGE - 100);
    assert_int_equal(data[0], 0x10);
    assert_int_equal(data[2 * PAGE - 101], 0x11);
    assert_int_equal(target_read(target, base + 2 * PAGE, data, 1), 0);
    assert_int_equal(target_read(target, base + 4 * PAGE, data, 2 * PAGE), 2 * PAGE);
    assert_int_equal(data[PAGE], 0x15);
    assert_int_equal(target->read_bytes, 4 * PAGE - 100);
    forked_reap(&child);
}

static void reads_parts(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    uint8_t *pages = lay_out();
    static struct target_part parts[COUNT];
    static uint8_t data[COUNT][16];
    /* Every third part crosses into the hole, one is empty, one lies at the end of the address space. */
    for (size_t i = 0; i < COUNT; i++)
        parts[i] = (struct target_part){.address = (uintptr_t)pages + (i % 3 == 2 ? 2 * PAGE - 8 : i % PAGE),
                                        .data = data[i],
                                        .length = 16};
    parts[1500].length = 0;
    parts[1501].address = UINT64_MAX - 4;
    struct forked child = forked_start(FORKED_EXITS);
    scoped_target struct target *target = forked_open(&child);
    target_read_parts(target, parts, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        bool is_readable = i % 3 != 2 && i != 1501;
        assert_int_equal(parts[i].is_read, is_readable);
        if (is_readable && parts[i].length)
            assert_int_equal(data[i][0], 0x10);
    }
    forked_reap(&child);
}

static void page_states(void **state)
{
    (void)state;
    uint8_t *pages = lay_out(), states[6];
    struct forked child = forked_start(FORKED_EXITS);
    scoped_target struct target *target = forked_open(&child);
    memset(states, 0xff, sizeof states);
    assert_int_equal(target_page_states(target, (uintptr_t)pages, 6, states, NULL), STATUS_OK);
    assert_memory_equal(states, PAGES, sizeof states);
    forked_reap(&child);
}

/* The same as page_states where the kernel has no PAGEMAP_SCAN: a filter refuses it to a forked reader. */
static void page_states_of_an_old_kernel(void **state)
{
    (void)state;
    uint8_t *pages = lay_out();
    struct forked child = forked_start(FORKED_EXITS);
    pid_t pid = fork();
    if (pid == 0) {
        uint8_t states[6];
        struct target *target;
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        bool is_right = filter && seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 0) == 0 &&
                        seccomp_load(filter) == 0 &&
                        target_live_open("/proc", child.pid, &target, NULL) == STATUS_OK;
        for (int round = 0; round < 2; round++)
            is_right = is_right &&
                       target_page_states(target, (uintptr_t)pages, 6, states, NULL) == STATUS_OK &&
                       memcmp(states, PAGES, sizeof states) == 0;
        _exit(is_right ? 0 : 1);
    }
    int result;
    assert_int_equal(waitpid(pid, &result, 0), pid);
    assert_int_equal(result, 0);
    forked_reap(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_to_a_hole),
        cmocka_unit_test(reads_parts),
        cmocka_unit_test(page_states),
        cmocka_unit_test(page_states_of_an_old_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
