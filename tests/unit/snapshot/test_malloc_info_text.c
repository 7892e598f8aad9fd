/* test_malloc_info_text.c - the text rebuilt from a snapshot that was filled by hand, with its sums. */
#include "support/malloc_info_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"

/* In the form of glibc 2.36's malloc_info(3). A bin's sizes count one byte more a chunk: its P bit. */
static const char expected[] = "<malloc version=\"1\">\n"
                               "<heap nr=\"0\">\n<sizes>\n"
                               "  <size from=\"17\" to=\"32\" total=\"64\" count=\"2\"/>\n"
                               "  <size from=\"1169\" to=\"1169\" total=\"1169\" count=\"1\"/>\n"
                               "</sizes>\n"
                               "<total type=\"fast\" count=\"2\" size=\"64\"/>\n"
                               "<total type=\"rest\" count=\"2\" size=\"132961\"/>\n"
                               "<system type=\"current\" size=\"135168\"/>\n"
                               "<system type=\"max\" size=\"135168\"/>\n"
                               "<aspace type=\"total\" size=\"135168\"/>\n"
                               "<aspace type=\"mprotect\" size=\"135168\"/>\n"
                               "</heap>\n"
                               "<total type=\"fast\" count=\"2\" size=\"64\"/>\n"
                               "<total type=\"rest\" count=\"2\" size=\"132961\"/>\n"
                               "<total type=\"mmap\" count=\"1\" size=\"503808\"/>\n"
                               "<system type=\"current\" size=\"135168\"/>\n"
                               "<system type=\"max\" size=\"135168\"/>\n"
                               "<aspace type=\"total\" size=\"135168\"/>\n"
                               "<aspace type=\"mprotect\" size=\"135168\"/>\n"
                               "</malloc>\n"
                               "arena 135168\nordblks 2\nsmblks 2\nhblks 1\nhblkhd 503808\nusmblks 0\n"
                               "fsmblks 64\nuordblks 2144\nfordblks 133024\nkeepcost 131792\n";

static void test_one_arena(void **state)
{
    (void)state;
    struct snapshot *snapshot = snapshot_new(1, 2, 0, 0);
    assert_non_null(snapshot);
    struct arena_numbers *arena = snapshot_arenas(snapshot);
    arena->is_main = 1;
    arena->system_bytes = arena->system_peak_bytes = 135168;
    arena->states[CHUNK_TOP] = (struct tally){1, 131792};
    arena->states[CHUNK_FASTBIN] = (struct tally){2, 64};
    arena->states[CHUNK_LARGE] = (struct tally){1, 1168};
    snapshot->numbers.states[CHUNK_MMAPPED] = (struct tally){1, 503808};
    struct bin_numbers *bins = snapshot_bins(snapshot);
    bins[0] = (struct bin_numbers){.kind = BIN_FAST, .tally = {2, 64}, .min_bytes = 32, .max_bytes = 32};
    bins[1] =
        (struct bin_numbers){.kind = BIN_LARGE, .tally = {1, 1168}, .min_bytes = 1168, .max_bytes = 1168};
    scoped_free char *text = malloc_info_text(snapshot, 36);
    assert_string_equal(text, expected);
    snapshot_unref(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_arena)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
