/* test_signature.c - main_arena's image is found once, and not where one word of it is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "allocator/glibc/signature.h"
#include "target/image.h"

#define BASE UINT64_C(0x1d3000)
#define BYTES 20480u
#define WORD 8u

/* Data that is no arena: small numbers, pointers into itself, zeros; the same for the same seed. */
static void fill(uint8_t *data, unsigned seed)
{
    for (size_t at = 0; at < BYTES; at += WORD) {
        seed = seed * 1103515245u + 12345u;
        unsigned kind = seed >> 28;
        uint64_t word = kind < 8 ? 0 : kind < 12 ? seed >> 20 : BASE + (seed >> 8) % BYTES / WORD * WORD;
        memcpy(data + at, &word, WORD);
    }
}

/* malloc_state as the file has it: zeros, `next` to itself, one attached thread. */
static void plant(uint8_t *data, size_t at, const struct glibc_layout *layout)
{
    uint64_t self = BASE + at, one = 1;
    memset(data + at, 0, (size_t)layout->state.size);
    memcpy(data + at + layout->state.next, &self, WORD);
    if (layout->state.attached_threads != LAYOUT_ABSENT)
        memcpy(data + at + layout->state.attached_threads, &one, WORD);
}

static void test_one_hit_in_a_thousand_images(void **state)
{
    (void)state;
    uint8_t *data = malloc(BYTES);
    assert_non_null(data);
    static const unsigned MINORS[] = {19, 24, 31, 36, 41, 43, 44};
    for (unsigned image = 0; image < 1000; image++) {
        struct glibc_layout layout;
        assert_true(layout_compose(MINORS[image % 7], WORD, &layout));
        size_t at = 4096 + image % 700 * 16;
        fill(data, image);
        assert_int_equal(signature_pristine_arena(data, BYTES, BASE, WORD).hits, 0);
        plant(data, at, &layout);
        struct signature_hit hit = signature_pristine_arena(data, BYTES, BASE, WORD);
        assert_int_equal(hit.hits, 1);
        assert_int_equal(hit.addr, BASE + at);
        assert_int_equal(hit.bins_offset, layout.state.bins);
        /* one wrong word among the zeros, or a ring that leads elsewhere */
        uint64_t wrong = BASE + 64;
        size_t place = image % 2 ? (size_t)layout.state.next : (size_t)layout.state.bins + image % 254 * WORD;
        memcpy(data + at + place, &wrong, WORD);
        assert_int_equal(signature_pristine_arena(data, BYTES, BASE, WORD).hits, 0);
    }
    free(data);
}

/* Memory in which every place looks like list heads, and every ring is long and never comes back. */
static void test_gives_up_on_endless_rings(void **state)
{
    (void)state;
    enum { LENGTH = 16 << 20 };
    uint64_t *words = malloc(LENGTH);
    assert_non_null(words);
    for (size_t i = 0; i < LENGTH / WORD; i++)
        words[i] = BASE + i / 2 * 16 - 16;
    struct image_segment segment = {.address = BASE, .length = LENGTH, .data = words};
    struct target *target = NULL;
    assert_int_equal(target_image_open(&segment, 1, WORD, &target, NULL), STATUS_OK);
    struct effort effort = effort_begin(target, UINT64_MAX);
    assert_int_equal(signature_live_arena(target, (uint8_t *)words, LENGTH, BASE, &effort).hits, 0);
    assert_true(effort.is_spent);
    assert_in_range(target->read_calls, effort.calls_end, effort.calls_end + 10);
    /* and at once where its time is over */
    effort = effort_begin(target, 0);
    assert_false(signature_ring_closes(target, BASE, 64, &effort));
    target_close(target);
    free(words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_hit_in_a_thousand_images),
                                       cmocka_unit_test(test_gives_up_on_endless_rings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
