/*
 * pagemap_scan.h - the ABI of the PAGEMAP_SCAN ioctl of /proc/PID/pagemap, in Linux since 6.7.
 *
 * Written down here since the headers of older systems lack it; the kernel that runs decides whether it is
 * there. Source: Documentation/admin-guide/mm/pagemap.rst.
 */
#ifndef TARGET_PAGEMAP_SCAN_H
#define TARGET_PAGEMAP_SCAN_H

#include <stdint.h>
#include <sys/ioctl.h>

/** Categories of a page. */
#define PAGEMAP_CATEGORY_PRESENT (UINT64_C(1) << 3)
#define PAGEMAP_CATEGORY_SWAPPED (UINT64_C(1) << 4)

/** A run of pages [@start, @end) of the same categories. */
struct pagemap_region {
    uint64_t start;
    uint64_t end;
    uint64_t categories;
};

/** The argument. The kernel fills @regions (at most @regions_count) and says in @walk_end how far it came. */
struct pagemap_scan {
    uint64_t size; /* of this struct */
    uint64_t flags;
    uint64_t start;
    uint64_t end;
    uint64_t walk_end;
    uint64_t regions; /* address of struct pagemap_region[] */
    uint64_t regions_count;
    uint64_t max_pages; /* 0: no limit */
    uint64_t category_inverted;
    uint64_t category_mask;
    uint64_t category_anyof_mask;
    uint64_t return_mask;
};

#define PAGEMAP_SCAN_IOCTL _IOWR('f', 16, struct pagemap_scan)

#endif
