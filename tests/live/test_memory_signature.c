/*
 * test_memory_signature.c - main_arena's shape in memory: in 1,000 images made of the shuffled pages of real
 * processes around one true arena it is found, once; without it, or with one field of it wrong, nothing is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocator/glibc/locate.h"
#include "allocator/glibc/signature.h"
#include "support/by_value.h"
#include "support/spawn.h"
#include "target/image.h"
#include "target/live.h"

#define PAGE 4096u
#define POOL_PAGES 4096u
#define IMAGES 1000u
#define AROUND_MAX 12u /* pages before the arena, and behind it */
#define ARENA_PAGES 2u
#define IMAGE_PAGES (2 * AROUND_MAX + ARENA_PAGES)
#define ARENAS_MAX 64u
#define WORD 8u

static uint8_t pool[POOL_PAGES][PAGE];
static size_t pool_count;

/* A real ring of arenas, copied while nothing moved. */
static struct {
    struct glibc_layout layout;
    uint64_t main_arena;
    uint64_t first_page; /* of ARENA_PAGES that hold it */
    uint8_t pages[ARENA_PAGES][PAGE];
    uint64_t others[ARENAS_MAX]; /* pages of the other arenas, rising */
    uint8_t other_pages[ARENAS_MAX][PAGE];
    size_t other_count;
} truth;

static uint64_t seed = UINT64_C(88172645463325252);

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Writable pages of the process into the pool, but those with its arena. */
static void fill_pool(struct target *target, uint64_t but_page, size_t limit)
{
    scoped_maps struct maps maps = {0};
    assert_int_equal(target_maps(target, &maps, NULL), STATUS_OK);
    for (size_t i = 0; i < maps.count && pool_count < limit; i++)
        for (uint64_t at = maps.rows[i].start; at < maps.rows[i].end && pool_count < limit; at += PAGE) {
            bool is_arena = at >= but_page && at < but_page + ARENA_PAGES * PAGE;
            if (maps.rows[i].is_writable && !is_arena &&
                target_read_exact(target, at, pool[pool_count], PAGE) == STATUS_OK)
                pool_count++;
        }
}

static void copy_ring(struct target *target)
{
    uint64_t at = truth.main_arena;
    assert_int_equal(target_read_exact(target, truth.first_page, truth.pages, sizeof truth.pages), STATUS_OK);
    for (;;) {
        assert_int_equal(target_read_word(target, at + (uint64_t)truth.layout.state.next, &at), STATUS_OK);
        if (at == truth.main_arena)
            break;
        assert_true(truth.other_count < ARENAS_MAX);
        truth.others[truth.other_count++] = at & ~(uint64_t)(PAGE - 1);
    }
    qsort(truth.others, truth.other_count, sizeof *truth.others, by_value);
    for (size_t i = 0; i < truth.other_count; i++)
        assert_int_equal(target_read_exact(target, truth.others[i], truth.other_pages[i], PAGE), STATUS_OK);
}

static int learn(void **state)
{
    struct spawned spawned;
    struct target *target = NULL, *own = NULL;
    scoped_maps struct maps maps = {0};
    struct glibc_locations locations = {0};
    struct error err = {0};
    (void)state;
    assert_true(spawn_target(&spawned, "threads", NULL));
    assert_int_equal(target_live_open("/proc", spawned.pid, &target, &err), STATUS_OK);
    assert_int_equal(target_maps(target, &maps, &err), STATUS_OK);
    assert_int_equal(glibc_locate(target, &maps, NULL, NULL, UINT64_MAX, &locations, &err), STATUS_OK);
    truth.layout = locations.rows[0].layout;
    truth.main_arena = locations.rows[0].main_arena_addr;
    truth.first_page = truth.main_arena & ~(uint64_t)(PAGE - 1);
    free(locations.rows);
    copy_ring(target);
    fill_pool(target, truth.first_page, POOL_PAGES / 2);
    assert_int_equal(target_live_open("/proc", getpid(), &own, &err), STATUS_OK);
    /* the pool itself is in it too: pages of the other process again */
    fill_pool(own, 0, POOL_PAGES);
    target_close(own);
    target_close(target);
    spawn_end(&spawned);
    assert_true(pool_count > 500 && truth.other_count > 0);
    return 0;
}

static struct signature_hit search(const uint8_t *image, size_t length, uint64_t base)
{
    struct image_segment segments[ARENAS_MAX + 1];
    size_t count = 0;
    for (size_t i = 0; i < truth.other_count; i++)
        if (truth.others[i] < base)
            segments[count++] = (struct image_segment){truth.others[i], PAGE, truth.other_pages[i], NULL};
    segments[count++] = (struct image_segment){base, length, image, NULL};
    for (size_t i = 0; i < truth.other_count; i++)
        if (truth.others[i] > base)
            segments[count++] = (struct image_segment){truth.others[i], PAGE, truth.other_pages[i], NULL};
    struct target *target = NULL;
    assert_int_equal(target_image_open(segments, count, WORD, &target, NULL), STATUS_OK);
    struct effort effort = effort_begin(target, UINT64_MAX);
    struct signature_hit hit = signature_live_arena(target, image, length, base, &effort);
    assert_false(effort.is_spent);
    target_close(target);
    return hit;
}

/* What no sound arena has there: @which picks a list head's word, or next. */
static void spoil(uint8_t *arena, uint64_t which)
{
    const uint64_t wrong[] = {0, truth.main_arena + 4, UINT64_MAX - 15, UINT64_C(1) << 60};
    const uint64_t elsewhere[] = {0, truth.main_arena + 16, UINT64_C(0x1000), truth.first_page + PAGE};
    uint64_t value = wrong[which / 4 % 4];
    size_t at = (size_t)truth.layout.state.bins + (size_t)(which / 16 % 254) * WORD;
    if (which % 4 == 0) {
        value = elsewhere[which / 4 % 4];
        at = (size_t)truth.layout.state.next;
    }
    memcpy(arena + at, &value, WORD);
}

static void test_thousand_images(void **state)
{
    (void)state;
    static uint8_t image[IMAGE_PAGES][PAGE];
    for (unsigned round = 0; round < IMAGES; round++) {
        size_t before = 1 + next_random() % AROUND_MAX, behind = 1 + next_random() % AROUND_MAX;
        size_t pages = before + ARENA_PAGES + behind;
        uint64_t base = truth.first_page - before * PAGE;
        uint8_t *arena = image[before] + (truth.main_arena - truth.first_page);
        for (size_t i = 0; i < pages; i++)
            memcpy(image[i], pool[next_random() % pool_count], PAGE);
        assert_int_equal(search(*image, pages * PAGE, base).hits, 0);
        memcpy(image[before], truth.pages, sizeof truth.pages);
        struct signature_hit hit = search(*image, pages * PAGE, base);
        assert_int_equal(hit.hits, 1);
        assert_int_equal(hit.addr, truth.main_arena);
        assert_int_equal(hit.bins_offset, truth.layout.state.bins);
        spoil(arena, next_random());
        assert_int_equal(search(*image, pages * PAGE, base).hits, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_thousand_images)};
    return cmocka_run_group_tests(tests, learn, NULL);
}
