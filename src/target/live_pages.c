/*
 * live_pages.c - what backs the pages of a process: the PAGEMAP_SCAN ioctl, else the entries of
 * /proc/PID/pagemap, both without touching the pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "target/live_internal.h"
#include "target/pagemap_scan.h"

#define REGIONS_PER_CALL 512
#define ENTRIES_PER_CALL 2048

/* Bits of an entry: Documentation/admin-guide/mm/pagemap.rst. */
#define ENTRY_PRESENT (UINT64_C(1) << 63)
#define ENTRY_SWAPPED (UINT64_C(1) << 62)

/* Where others were told, or nobody forbids it, these are missing for a reason of ours. */
static enum status pages_failed(struct live *live, const char *how, struct error *err)
{
    bool is_forbidden = errno == EACCES || errno == EPERM;
    int os_errno = errno;
    if (live->has_page_states || !is_forbidden)
        live_note_trouble(live, os_errno, "pagemap");
    return error_errno(err, os_errno, "%s pagemap of process %d%s", how, (int)live->base.pid,
                       is_forbidden ? " (CAP_DAC_READ_SEARCH would allow it)" : "");
}

static enum status open_pagemap(struct live *live, struct error *err)
{
    if (live->pagemap_fd >= 0)
        return STATUS_OK;
    char path[40];
    snprintf(path, sizeof path, "task/%d/pagemap", (int)live->read_tid);
    live->pagemap_fd = openat(live->directory_fd, path, O_RDONLY | O_CLOEXEC);
    if (live->pagemap_fd >= 0)
        return STATUS_OK;
    if (errno == ENOENT)
        return error_set(err, STATUS_GONE, "the process has ended");
    return pages_failed(live, "open", err);
}

static void mark_region(const struct pagemap_region *region, uint64_t start, uint64_t end,
                        unsigned page_bytes, uint8_t *states)
{
    uint64_t from = max_u64(region->start, start), to = min_u64(region->end, end);
    if (from >= to)
        return;
    uint8_t state = region->categories & PAGEMAP_CATEGORY_SWAPPED ? PAGE_SWAPPED : PAGE_PRESENT;
    memset(states + (from - start) / page_bytes, state, (to - from) / page_bytes);
}

/* False where the kernel does not know the call or refuses the range. */
static bool scan_pages(const struct live *live, uint64_t start, uint64_t end, uint8_t *states)
{
    struct pagemap_region regions[REGIONS_PER_CALL];
    uint64_t categories = PAGEMAP_CATEGORY_PRESENT | PAGEMAP_CATEGORY_SWAPPED;
    for (uint64_t at = start; at < end;) {
        struct pagemap_scan scan = {
            .size = sizeof scan,
            .start = at,
            .end = end,
            .regions = (uintptr_t)regions,
            .regions_count = REGIONS_PER_CALL,
            .category_anyof_mask = categories,
            .return_mask = categories,
        };
        int count = ioctl(live->pagemap_fd, PAGEMAP_SCAN_IOCTL, &scan);
        if (count < 0 || scan.walk_end <= at)
            return false;
        for (int i = 0; i < count && i < REGIONS_PER_CALL; i++)
            mark_region(&regions[i], start, end, live->base.page_bytes, states);
        at = scan.walk_end;
    }
    return true;
}

static enum status read_entries(struct live *live, uint64_t start, size_t pages, uint8_t *states,
                                struct error *err)
{
    uint64_t entries[ENTRIES_PER_CALL];
    for (size_t done = 0; done < pages;) {
        size_t wanted = (size_t)min_u64(pages - done, ENTRIES_PER_CALL);
        uint64_t offset = (start / live->base.page_bytes + done) * sizeof *entries;
        ssize_t got = pread(live->pagemap_fd, entries, wanted * sizeof *entries, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return pages_failed(live, "read", err);
        if (got == 0)
            break; /* beyond the end of what a process can have */
        size_t count = (size_t)got / sizeof *entries;
        for (size_t i = 0; i < count; i++)
            if (entries[i] & ENTRY_SWAPPED)
                states[done + i] = PAGE_SWAPPED;
            else if (entries[i] & ENTRY_PRESENT)
                states[done + i] = PAGE_PRESENT;
        if (count == 0)
            break;
        done += count;
    }
    return STATUS_OK;
}

enum status live_page_states(struct target *target, uint64_t start, size_t pages, uint8_t *states,
                             struct error *err)
{
    struct live *live = live_of(target);
    enum status status = open_pagemap(live, err);
    if (status != STATUS_OK)
        return status;
    memset(states, PAGE_ABSENT, pages);
    if (!live->has_no_pagemap_scan) {
        if (scan_pages(live, start, start + pages * (uint64_t)target->page_bytes, states)) {
            live->has_page_states = true;
            return STATUS_OK;
        }
        live->has_no_pagemap_scan = errno == ENOTTY || errno == EINVAL;
        memset(states, PAGE_ABSENT, pages);
    }
    status = read_entries(live, start, pages, states, err);
    live->has_page_states |= status == STATUS_OK;
    return status;
}
