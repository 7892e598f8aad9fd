/*
 * fuzz_walk.c - the walk over a heap image that the fuzzer's bytes make and damage: it must end, in bounds,
 * with a result that is valid in itself; and a heap that was not damaged must be walked without a fault.
 *
 * Time is the fuzzer's: each look at the clock takes 20 microseconds, sleeping takes none of ours.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "allocator/glibc/pass.h"
#include "allocator/glibc/result.h"
#include "base/clock.h"
#include "fuzz/heap_image.h"
#include "fuzz/input.h"

#define TIMEOUT_NS (2 * NS_PER_SECOND)
#define TICK_NS 20000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
uint64_t __wrap_clock_monotonic_ns(void);
int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left);

static uint64_t now_ns;

uint64_t __wrap_clock_monotonic_ns(void)
{
    return now_ns += TICK_NS;
}

int __wrap_nanosleep(const struct timespec *wanted, struct timespec *left)
{
    (void)left;
    now_ns += (uint64_t)wanted->tv_sec * NS_PER_SECOND + (uint64_t)wanted->tv_nsec;
    return 0;
}

/* What the first bytes ask for. */
struct plan {
    unsigned minor, word_bytes;
    bool is_held, wants_each, wants_residency, read_swapped, is_late;
};

static struct plan read_plan(struct input *input)
{
    uint8_t version = input_u8(input), flags = input_u8(input);
    return (struct plan){
        .minor = 17 + version % 28,
        .word_bytes = version >= 128 ? 4 : 8,
        .is_held = (flags & 1) != 0,
        .wants_each = (flags & 2) != 0,
        .wants_residency = (flags & 4) != 0,
        .read_swapped = (flags & 8) != 0,
        .is_late = (flags & 16) != 0,
    };
}

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_walk: %s\n", what);
        abort();
    }
}

/* Chunks come by rising address, each with a state there is, and no byte twice. */
struct each {
    struct chunk_sink sink;
    uint64_t end;
};

static bool consume(struct chunk_sink *sink, const struct chunk *chunks, size_t count)
{
    struct each *each = (struct each *)sink;
    for (size_t i = 0; i < count; i++) {
        require(chunks[i].state < CHUNK_STATE_COUNT, "a chunk has no state");
        require(chunks[i].address >= each->end, "chunks overlap or go back");
        require(chunks[i].size <= UINT64_MAX - chunks[i].address, "a chunk wraps");
        /* an mmapped chunk's bytes are those of its mapping, which may begin before its header */
        if (chunks[i].state != CHUNK_MMAPPED) {
            each->end = chunks[i].address + chunks[i].size;
        }
    }
    return true;
}

static void check_sound(const struct snapshot *snapshot, bool is_held)
{
    const struct scan_numbers *numbers = &snapshot->numbers;
    for (uint64_t i = 0; i < numbers->completeness.notes_count && i < COMPLETENESS_NOTES_MAX; i++) {
        fprintf(stderr, "fuzz_walk: %s at 0x%llx\n",
                note_text((enum note_kind)numbers->completeness.notes[i].kind),
                (unsigned long long)numbers->completeness.notes[i].address);
    }
    require(numbers->completeness.corrupt_count == 0, "a sound heap is called corrupt");
    require(numbers->completeness.unread_bytes == 0, "a sound heap is not read whole");
    for (int check = 0; check < CHECK_COUNT; check++) {
        require(!numbers->checks[check].is_known || numbers->checks[check].is_reconciled, "a check fails");
        require(numbers->checks[check].is_known || !is_held, "a check is absent");
    }
}

static void check_result(const struct snapshot *snapshot)
{
    require(snapshot_is_valid(snapshot, snapshot->total_bytes), "the snapshot is not valid");
    for (uint32_t i = 0; i < snapshot->arena_count; i++) {
        const struct arena_numbers *arena = &snapshot_arenas(snapshot)[i];
        for (int state = 0; state < CHUNK_STATE_COUNT; state++) {
            require(arena->states[state].chunks < UINT32_MAX, "a count is below 0");
        }
    }
}

static void scan(struct heap_image *image, const struct plan *plan, bool is_sound)
{
    struct target *target = heap_image_target(image);
    struct each each = {.sink.consume = consume};
    struct scan_request request = {.deadline_ns = now_ns + TIMEOUT_NS,
                                   .read_swapped = plan->read_swapped,
                                   .want_residency = plan->wants_residency,
                                   .want_details = true,
                                   .chunks = plan->wants_each ? &each.sink : NULL};
    struct glibc_locations locations = {.rows = &image->location, .count = 1};
    struct pass *pass = NULL;
    struct maps maps = {0};
    struct error err = {0};
    require(target_maps(target, &maps, &err) == STATUS_OK, "no mappings");
    enum status status =
        pass_run(target, &request, &maps, &locations, plan->is_held, request.deadline_ns, &pass, &err);
    require(status == STATUS_OK || !is_sound, "a sound heap is not walked");
    if (status == STATUS_OK) {
        struct snapshot *snapshot = result_build(pass, &locations);
        require(snapshot != NULL, "no snapshot");
        snapshot->pid = 1; /* which the caller fills */
        check_result(snapshot);
        if (is_sound) {
            check_sound(snapshot, plan->is_held);
        }
        snapshot_unref(snapshot);
    }
    pass_free(pass);
    maps_deinit(&maps);
    target_close(target);
}

/* Pages that are not in memory, or swapped out. */
static unsigned change_pages(struct heap_image *image, struct input *input)
{
    unsigned count = input_u8(input) % 8;
    for (unsigned i = 0; i < count; i++) {
        uint8_t place = input_u8(input);
        image->page_states[place % REGION_COUNT][place / REGION_COUNT % 8] = input_u8(input) % 3;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct heap_image image;
    struct input input = {data, size};
    struct plan plan = read_plan(&input);
    heap_image_build(&image, plan.minor, plan.word_bytes, &input);
    unsigned damages = change_pages(&image, &input);
    image.damage_after = UINT64_MAX;
    if (plan.is_late) {
        image.damage_after = input_u8(&input);
    }
    damages += heap_image_plan_damage(&image, &input);
    if (!plan.is_late) {
        heap_image_do_damage(&image);
    }
    scan(&image, &plan, damages == 0);
    return 0;
}
