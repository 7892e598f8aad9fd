/*
 * fuzz_core.c - core files: whatever a file says of itself, it is refused with a message or it is a target
 * whose mappings are in order, whose reads stay inside, and in which a heap is looked for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "allocator/allocator.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "target/core.h"

#define READ_BYTES 65536u
#define MAPPINGS_TRIED 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_core: %s\n", what);
        abort();
    }
}

static void try_mapping(struct target *target, const struct mapping *mapping)
{
    static uint8_t bytes[READ_BYTES];
    uint64_t length = mapping->end - mapping->start;
    size_t wanted = length < sizeof bytes ? (size_t)length : sizeof bytes;
    scoped_fd int fd = -1;
    require(target_read(target, mapping->start, bytes, wanted) <= wanted, "more was read than asked for");
    require(target_read(target, mapping->end - 1, bytes, 2) <= 2, "more was read than asked for");
    struct target_part part = {.address = mapping->start, .data = bytes, .length = 16};
    target_read_parts(target, &part, 1);
    if (target_open_file(target, mapping, &fd, NULL) == STATUS_OK)
        require(fd >= 0, "a file without a descriptor");
}

static void try_maps(struct target *target)
{
    scoped_maps struct maps maps = {0};
    uint64_t last = 0;
    if (target_maps(target, &maps, NULL) != STATUS_OK)
        return;
    for (size_t i = 0; i < maps.count; i++) {
        const struct mapping *row = &maps.rows[i];
        require(row->start >= last && row->start < row->end, "mappings that overlap or are empty");
        last = row->end;
        if (i < MAPPINGS_TRIED)
            try_mapping(target, row);
    }
}

static void try_threads(struct target *target)
{
    scoped_free struct target_thread *threads = NULL;
    size_t count = 0;
    uint64_t pointer;
    if (target_threads(target, &threads, &count, NULL) != STATUS_OK)
        return;
    for (size_t i = 0; i < count && i < MAPPINGS_TRIED; i++)
        if (target_thread_pointer(target, threads[i].tid, &pointer) == STATUS_OK)
            require(pointer != 0, "a thread pointer that is none");
}

static void try_scan(struct target *target)
{
    struct scan_request request = {.deadline_ns = clock_monotonic_ns() + 2 * NS_PER_SECOND,
                                   .want_details = true,
                                   .want_residency = true};
    struct snapshot *snapshot = NULL;
    char allocator[32];
    if (allocator_scan(target, &request, allocator, &snapshot, NULL) == STATUS_OK) {
        snapshot->pid = 1; /* a core need not say it */
        require(snapshot_is_valid(snapshot, (size_t)snapshot->total_bytes), "a result that is not one");
    }
    snapshot_unref(snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_fd int fd = memfd_create("core", MFD_CLOEXEC);
    struct error err = {0};
    scoped_target struct target *target = NULL;
    require(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no memory for a file");
    if (target_core_open_fd(fd, "core", NULL, &target, &err) != STATUS_OK) {
        require(err.message[0] != '\0', "refused without a message");
        return 0;
    }
    take_fd(&fd);
    try_maps(target);
    try_threads(target);
    try_scan(target);
    return 0;
}
