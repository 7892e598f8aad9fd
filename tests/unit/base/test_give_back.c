/* test_give_back.c - what was freed between blocks that stay leaves the memory of the process. */
#include "base/give_back.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

#define BLOCKS 10000
#define BLOCK_BYTES 4000
#define STAYS 100 /* each hundredth */
#define NOW (1000 * NS_PER_SECOND)

/* With another malloc there is nothing to give back. */
#if defined(__SANITIZE_ADDRESS__)
#define HAS_GLIBC_MALLOC false
#else
#define HAS_GLIBC_MALLOC true
#endif

static uint64_t resident_bytes(void)
{
    unsigned long size, resident;
    FILE *file = fopen("/proc/self/statm", "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu", &size, &resident), 2);
    fclose(file);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void test_give_back(void **state)
{
    static void *blocks[BLOCKS];
    (void)state;
    if (!HAS_GLIBC_MALLOC)
        skip();
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK_BYTES);
        assert_non_null(blocks[i]);
        memset(blocks[i], 1, BLOCK_BYTES);
    }
    assert_false(give_back_if_due(NOW)); /* nobody wants it */
    for (int i = 0; i < BLOCKS; i++)
        if (i % STAYS)
            free(blocks[i]);
    uint64_t before = resident_bytes();
    give_back_want();
    assert_true(give_back_if_due(NOW));
    assert_true(resident_bytes() < before - (uint64_t)BLOCKS * BLOCK_BYTES * 8 / 10);
    /* not all the time */
    give_back_want();
    assert_false(give_back_if_due(NOW + NS_PER_SECOND));
    assert_true(give_back_if_due(NOW + 11 * NS_PER_SECOND));
    assert_false(give_back_if_due(NOW + 30 * NS_PER_SECOND));
    for (int i = 0; i < BLOCKS; i += STAYS)
        free(blocks[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_give_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
