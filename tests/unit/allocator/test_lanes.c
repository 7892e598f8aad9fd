/*
 * test_lanes.c - heaps walked by several threads: the numbers, the records and their order, notes of damage
 * and bytes read are those of one thread, whatever the heaps are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "allocator/glibc/pass.h"
#include "allocator/glibc/result.h"
#include "base/clock.h"
#include "libcs_process.h"

#define ROUNDS 60
#define TIMEOUT_NS (60 * NS_PER_SECOND)

static struct scan_threads *threads_of[9];

static struct heap_image images[LIBCS_MAX];

/* All that a sink is told, in its order. */
struct record {
    struct chunk_sink sink;
    uint8_t *data;
    size_t length, room;
    uint64_t limit; /* of chunks; then it wants no more */
    uint64_t chunks;
};

static void add(struct record *record, const void *data, size_t length)
{
    while (record->room - record->length < length) {
        record->room = record->room ? record->room * 2 : 65536;
        record->data = realloc(record->data, record->room);
        assert_non_null(record->data);
    }
    memcpy(record->data + record->length, data, length);
    record->length += length;
}

static bool consume(struct chunk_sink *sink, const struct chunk *chunks, size_t count)
{
    struct record *record = (struct record *)sink;
    for (size_t i = 0; i < count && record->chunks < record->limit; i++, record->chunks++) {
        add(record, &chunks[i].address, sizeof chunks[i].address);
        add(record, &chunks[i].size, sizeof chunks[i].size);
        add(record, &(uint32_t[]){chunks[i].arena, chunks[i].state, chunks[i].prev_in_use}, 12);
    }
    return record->chunks < record->limit;
}

static void count_used(struct chunk_sink *sink, uint32_t arena, uint64_t size, uint64_t count)
{
    struct record *record = (struct record *)sink;
    if (record->chunks < record->limit) {
        add(record, &(uint64_t[]){arena, size, count}, 24);
    }
}

/* What is asked for, and what came of it. */
struct wish {
    bool is_held, wants_records, wants_each, wants_residency, read_swapped;
    uint64_t limit;
};

struct answer {
    enum status status;
    struct snapshot *snapshot;
    struct record record;
    uint64_t read_bytes;
};

static struct answer scan(unsigned libcs, const struct wish *wish, struct scan_threads *threads)
{
    struct libcs_process process = {.base = {.ops = &LIBCS_PROCESS,
                                             .word_bytes = images[0].location.layout.word_bytes,
                                             .page_bytes = 4096},
                                    .count = libcs};
    struct glibc_location rows[LIBCS_MAX];
    for (unsigned i = 0; i < libcs; i++) {
        process.libcs[i] = heap_image_target(&images[i]);
        rows[i] = images[i].location;
        rows[i].is_main_libc = i == 0;
    }
    struct answer answer = {.record = {.sink = {.consume = consume}, .limit = wish->limit}};
    answer.record.sink.count_used = wish->wants_each ? NULL : count_used;
    struct scan_request request = {.deadline_ns = clock_monotonic_ns() + TIMEOUT_NS,
                                   .read_swapped = wish->read_swapped,
                                   .want_residency = wish->wants_residency,
                                   .want_details = true,
                                   .chunks = wish->wants_records ? &answer.record.sink : NULL,
                                   .threads = threads};
    struct glibc_locations locations = {.rows = rows, .count = libcs};
    struct pass *pass = NULL;
    struct maps maps = {0};
    struct error err = {0};
    assert_int_equal(target_maps(&process.base, &maps, NULL), STATUS_OK);
    answer.status =
        pass_run(&process.base, &request, &maps, &locations, wish->is_held, request.deadline_ns, &pass, &err);
    if (answer.status == STATUS_OK) {
        answer.snapshot = result_build(pass, &locations);
        assert_non_null(answer.snapshot);
    }
    answer.read_bytes = process.base.read_bytes;
    pass_free(pass);
    maps_deinit(&maps);
    for (unsigned i = 0; i < libcs; i++) {
        target_close(process.libcs[i]);
    }
    return answer;
}

static void answer_deinit(struct answer *answer)
{
    snapshot_unref(answer->snapshot);
    free(answer->record.data);
}

static void assert_same(const struct answer *one, const struct answer *many)
{
    assert_int_equal(one->status, many->status);
    assert_int_equal(one->record.length, many->record.length);
    if (one->record.length > 0) {
        assert_memory_equal(one->record.data, many->record.data, one->record.length);
    }
    if (one->status != STATUS_OK) {
        return;
    }
    assert_int_equal(one->read_bytes, many->read_bytes);
    assert_int_equal(one->snapshot->total_bytes, many->snapshot->total_bytes);
    assert_memory_equal(&one->snapshot->numbers, &many->snapshot->numbers, sizeof one->snapshot->numbers);
    assert_memory_equal(snapshot_arenas(one->snapshot), snapshot_arenas(many->snapshot),
                        one->snapshot->arena_count * sizeof(struct arena_numbers));
    assert_memory_equal(snapshot_bins(one->snapshot), snapshot_bins(many->snapshot),
                        one->snapshot->bin_count * sizeof(struct bin_numbers));
    assert_memory_equal(snapshot_heaps(one->snapshot), snapshot_heaps(many->snapshot),
                        one->snapshot->heap_count * sizeof(struct heap_numbers));
    assert_memory_equal(snapshot_tcaches(one->snapshot), snapshot_tcaches(many->snapshot),
                        one->snapshot->tcache_count * sizeof(struct tcache_numbers));
}

static void compare(unsigned libcs, const struct wish *wish)
{
    struct answer one = scan(libcs, wish, NULL);
    for (unsigned count = 2; count <= 8; count *= 2) {
        struct answer many = scan(libcs, wish, threads_of[count]);
        assert_same(&one, &many);
        answer_deinit(&many);
    }
    answer_deinit(&one);
}

static uint32_t next(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 8;
}

/* Heaps from bytes by chance; @damages: words that are overwritten and pages that are not there. */
static unsigned build(uint32_t *random, bool damages)
{
    uint8_t data[512];
    unsigned word_bytes = next(random) % 4 == 0 ? 4 : 8, minor = 17 + next(random) % 28;
    unsigned libcs = word_bytes == 8 ? 1 + next(random) % LIBCS_MAX : 1;
    for (unsigned i = 0; i < libcs; i++) {
        for (size_t at = 0; at < sizeof data; at++) {
            data[at] = (uint8_t)next(random);
        }
        struct input input = {data, sizeof data};
        images[i].lower_bytes = (uint64_t)i << 36;
        heap_image_build(&images[i], minor, word_bytes, &input);
        images[i].damage_after = UINT64_MAX;
        if (!damages) {
            continue;
        }
        for (unsigned pages = next(random) % 3; pages > 0; pages--) {
            images[i].page_states[next(random) % REGION_COUNT][next(random) % 8] =
                (uint8_t)(next(random) % 3);
        }
        (void)heap_image_plan_damage(&images[i], &input);
        heap_image_do_damage(&images[i]);
    }
    return libcs;
}

static void run(uint32_t seed, bool damages)
{
    uint32_t random = seed;
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned libcs = build(&random, damages);
        uint32_t flags = next(&random);
        struct wish wish = {.is_held = damages || (flags & 1) != 0,
                            .wants_records = (flags & 2) != 0,
                            .wants_each = (flags & 4) != 0,
                            .wants_residency = (flags & 8) != 0,
                            .read_swapped = (flags & 16) != 0,
                            .limit = (flags & 96) == 0 ? 1 + next(&random) % 300 : UINT64_MAX};
        compare(libcs, &wish);
    }
}

static void test_sound(void **state)
{
    (void)state;
    run(1, false);
}

static void test_damaged(void **state)
{
    (void)state;
    run(2, true);
}

static int begin(void **state)
{
    (void)state;
    struct error err = {0};
    for (unsigned count = 2; count <= 8; count *= 2) {
        if (scan_threads_new(count, &threads_of[count], &err) != STATUS_OK) {
            return -1;
        }
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (unsigned count = 2; count <= 8; count *= 2) {
        scan_threads_free(threads_of[count]);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sound), cmocka_unit_test(test_damaged)};
    return cmocka_run_group_tests(tests, begin, end);
}
