/* cells.c - see cells.h. */
#include "cells.h"

#define TUNE(value)                          \
    {                                        \
        "GLIBC_TUNABLES=glibc.malloc." value \
    }
#define EVERYTHING                                                                      \
    {                                                                                   \
        "holes", "subheaps", "sbrk", "memalign", "mmapped", "mremap", "blocked", "trim" \
    }
/* without sub-heaps of 64 MiB: they cost most of the time */
#define MOST                                                                \
    {                                                                       \
        "holes", "sbrk", "memalign", "mmapped", "mremap", "blocked", "trim" \
    }

#define SITUATION(what)                                                                        \
    {                                                                                          \
        .name = "fragmented " what, .program = "fragmented", .link = "", .arguments = { what } \
    }
#define THREADS_TUNED(value)                                                                   \
    {                                                                                          \
        .name = "threads " value, .program = "threads", .link = "", .environment = TUNE(value) \
    }
#define SINGLE_TUNED(value)                                                                  \
    {                                                                                        \
        .name = "single " value, .program = "single", .link = "", .environment = TUNE(value) \
    }
#define MOST_TUNED(value)                                                              \
    {                                                                                  \
        .name = "most " value, .program = "fragmented", .link = "", .arguments = MOST, \
        .environment = TUNE(value), .is_short = true                                   \
    }
#define LINKED(how)                                                                   \
    {.name = "single" how, .program = "single", .link = how},                         \
        {.name = "threads" how, .program = "threads", .link = how, .is_short = true}, \
    {                                                                                 \
        .name = "most" how, .program = "fragmented", .link = how, .arguments = MOST   \
    }

const struct cell CELLS[] = {
    {.name = "single", .program = "single", .link = "", .is_short = true},
    {.name = "threads", .program = "threads", .link = "", .is_short = true},
    SITUATION("holes"),
    SITUATION("subheaps"),
    SITUATION("sbrk"),
    SITUATION("memalign"),
    SITUATION("mmapped"),
    SITUATION("mremap"),
    SITUATION("blocked"),
    SITUATION("trim"),
    {.name = "everything", .program = "fragmented", .link = "", .arguments = EVERYTHING, .is_short = true},
    SINGLE_TUNED("tcache_count=0"),
    THREADS_TUNED("tcache_count=0"),
    SINGLE_TUNED("tcache_count=100"),
    THREADS_TUNED("tcache_count=100"),
    SINGLE_TUNED("tcache_max=200"),
    SINGLE_TUNED("tcache_max=300000"),
    THREADS_TUNED("tcache_max=300000"),
    SINGLE_TUNED("tcache_max=1000000:glibc.malloc.mmap_threshold=131072"),
    MOST_TUNED("tcache_max=1000000:glibc.malloc.mmap_threshold=131072"),
    {.name = "everything hugetlb=1",
     .program = "fragmented",
     .link = "",
     .arguments = EVERYTHING,
     .environment = TUNE("hugetlb=1"),
     .since = 35},
    {.name = "everything hugetlb=2",
     .program = "fragmented",
     .link = "",
     .arguments = EVERYTHING,
     .environment = TUNE("hugetlb=2"),
     .since = 35,
     .is_short = true},
    THREADS_TUNED("hugetlb=1"),
    THREADS_TUNED("hugetlb=2"),
    SINGLE_TUNED("hugetlb=2"),
    SINGLE_TUNED("mmap_threshold=4096"),
    MOST_TUNED("mmap_threshold=30000"),
    SINGLE_TUNED("mmap_max=0"),
    MOST_TUNED("mmap_max=0"),
    THREADS_TUNED("arena_max=1"),
    THREADS_TUNED("arena_max=2"),
    SINGLE_TUNED("mxfast=0"),
    THREADS_TUNED("mxfast=160"),
    SINGLE_TUNED("perturb=85"),
    THREADS_TUNED("perturb=85"),
    SINGLE_TUNED("top_pad=1000000"),
    {.name = "threads MALLOC_TOP_PAD_=300000",
     .program = "threads",
     .link = "",
     .environment = {"MALLOC_TOP_PAD_=300000"}},
    MOST_TUNED("trim_threshold=4096"),
    {.name = "everything decorate_maps=1",
     .program = "fragmented",
     .link = "",
     .arguments = EVERYTHING,
     .environment = {"GLIBC_TUNABLES=glibc.mem.decorate_maps=1"},
     .since = 39},
    {.name = "threads decorate_maps=1",
     .program = "threads",
     .link = "",
     .environment = {"GLIBC_TUNABLES=glibc.mem.decorate_maps=1"},
     .since = 39},
    {.name = "two libcs", .program = "second_libc", .link = "", .is_list_partial = true, .is_short = true},
    /* its own main_arena, and no tcache; libc's stays unused */
    {.name = "single libc_malloc_debug",
     .program = "single",
     .link = "",
     .environment = {"LD_PRELOAD=libc_malloc_debug.so.0", "GLIBC_TUNABLES=glibc.malloc.check=3"},
     .is_without_list = true,
     .since = 34,
     .is_short = true},
    {.name = "most libc_malloc_debug",
     .program = "fragmented",
     .link = "",
     .arguments = MOST,
     .environment = {"LD_PRELOAD=libc_malloc_debug.so.0", "GLIBC_TUNABLES=glibc.malloc.check=3"},
     .is_without_list = true,
     .since = 34},
    {.name = "threads libc_malloc_debug, no check",
     .program = "threads",
     .link = "",
     .environment = {"LD_PRELOAD=libc_malloc_debug.so.0"},
     .since = 34},
    /* inside libc: a byte behind the program's */
    {.name = "single MALLOC_CHECK_=3",
     .program = "single",
     .link = "",
     .environment = {"MALLOC_CHECK_=3"},
     .is_without_list = true},
    LINKED("-static"),
    LINKED("-static-pie"),
};
const size_t CELL_COUNT = sizeof CELLS / sizeof *CELLS;
