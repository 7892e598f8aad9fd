/* test_inspection.c - questions: what is one, what gives memory, and a search over an image of arrays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "inspect/advice.h"
#include "inspect/inspection.h"
#include "inspect/malloc_structs.h"
#include "target/image.h"

#define PAGE 4096u
#define IMAGE_PAGES 600u
#define IMAGE_START UINT64_C(0x10000)

static void addresses_and_bytes(void **state)
{
    (void)state;
    uint64_t address = 0;
    uint8_t bytes[INSPECTION_TEXT_MAX + 1];
    uint32_t length = 0;
    assert_true(inspection_parse_address("0x7fFf", &address) && address == 0x7fff);
    assert_true(inspection_parse_address("ffffffffffffffff", &address) && address == UINT64_MAX);
    static const char *const NO_ADDRESSES[] = {"", "0x", "x", "0xg", "-1", " 1", "1 ", "10000000000000000"};
    for (size_t i = 0; i < sizeof NO_ADDRESSES / sizeof *NO_ADDRESSES; i++)
        assert_false(inspection_parse_address(NO_ADDRESSES[i], &address));
    assert_false(inspection_parse_bytes("00ffAb0x", bytes, &length));
    assert_true(inspection_parse_bytes("00ffAb", bytes, &length) && length == 3);
    assert_memory_equal(bytes, "\x00\xff\xab", 3);
    assert_false(inspection_parse_bytes("0", bytes, &length));
    assert_false(inspection_parse_bytes("", bytes, &length));
    char longest[2 * INSPECTION_TEXT_MAX + 3];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_false(inspection_parse_bytes(longest, bytes, &length));
    longest[sizeof longest - 3] = '\0';
    assert_true(inspection_parse_bytes(longest, bytes, &length) && length == INSPECTION_TEXT_MAX);
}

/* As a front that was taken over could send it. */
static void hostile_questions_are_refused(void **state)
{
    (void)state;
    struct inspection_question question = {.kind = INSPECTION_COUNT};
    assert_int_equal(inspection_check(&question, NULL), STATUS_USAGE);
    question = (struct inspection_question){.kind = INSPECTION_SYMBOLS, .has_text = 1};
    memset(question.text, 'x', sizeof question.text);
    assert_int_equal(inspection_check(&question, NULL), STATUS_USAGE);
    question = (struct inspection_question){.kind = INSPECTION_SEARCH, .needle_length = UINT32_MAX};
    assert_int_equal(inspection_check(&question, NULL), STATUS_USAGE);
    question = (struct inspection_question){.kind = INSPECTION_MAPS, .limit = UINT64_MAX};
    assert_int_equal(inspection_check(&question, NULL), STATUS_USAGE);
    question = (struct inspection_question){
        .kind = INSPECTION_MEMORY, .has_at = 1, .at = UINT64_MAX - 1, .length = 16};
    assert_int_equal(inspection_check(&question, NULL), STATUS_USAGE);
    question = (struct inspection_question){.kind = INSPECTION_MEMORY, .has_text = 1};
    assert_int_equal(inspection_check(&question, NULL), STATUS_USAGE);
    question = (struct inspection_question){.kind = INSPECTION_STRINGS, .length = 5000};
    assert_int_equal(inspection_check(&question, NULL), STATUS_USAGE);
}

static void memory_is_what_gives_contents(void **state)
{
    (void)state;
    static const bool GIVES[INSPECTION_COUNT] = {[INSPECTION_STRUCT] = true,
                                                 [INSPECTION_MEMORY] = true,
                                                 [INSPECTION_STRINGS] = true,
                                                 [INSPECTION_SEARCH] = true};
    for (unsigned kind = 0; kind < INSPECTION_COUNT; kind++) {
        struct inspection_question question = {.kind = kind, .has_text = 1, .text = "malloc_chunk"};
        assert_int_equal(inspection_gives_memory(&question), GIVES[kind]);
    }
    struct inspection_question book = {.kind = INSPECTION_STRUCT, .has_text = 1, .text = "malloc_state"};
    assert_false(inspection_gives_memory(&book));
}

struct image {
    uint8_t *data;
    struct target *target;
};

static int make_image(void **state)
{
    static struct image image;
    image.data = calloc(IMAGE_PAGES, PAGE);
    struct image_segment segment = {IMAGE_START, (uint64_t)IMAGE_PAGES * PAGE, image.data, NULL};
    *state = &image;
    return image.data && target_image_open(&segment, 1, 8, &image.target, NULL) == STATUS_OK ? 0 : -1;
}

static int end_image(void **state)
{
    struct image *image = *state;
    target_close(image->target);
    free(image->data);
    return 0;
}

static bool collect(void *context, const char *data, size_t length)
{
    buffer_append(context, data, length);
    return true;
}

static enum status ask(struct image *image, const struct inspection_question *question, struct buffer *out)
{
    const struct inspection inspection = {
        .target = image->target, .comm = "image", .deadline_ns = UINT64_MAX};
    scoped_free struct report *report = malloc(sizeof *report);
    report_begin(report, REPORT_JSON, collect, out);
    enum status status = inspection_run(&inspection, question, report, NULL);
    if (status == STATUS_OK)
        assert_int_equal(report_end(report, NULL), STATUS_OK);
    return status;
}

static unsigned count(const struct buffer *out, const char *word)
{
    unsigned found = 0;
    for (const char *at = out->data; (at = strstr(at, word)) != NULL; at++)
        found++;
    return found;
}

/* At every place around the border of two windows, once each. */
static void search_finds_each_place_once(void **state)
{
    struct image *image = *state;
    for (unsigned shift = 0; shift <= 8; shift++) {
        scoped_buffer struct buffer out = {0};
        memset(image->data, 0, (size_t)IMAGE_PAGES * PAGE);
        memcpy(image->data + (1u << 20) - shift, "needle!!", 8);
        memcpy(image->data + (size_t)IMAGE_PAGES * PAGE - 8, "needle!!", 8);
        memcpy(image->data + 100, "needle!", 7);
        struct inspection_question question = {.kind = INSPECTION_SEARCH, .needle_length = 8};
        memcpy(question.needle, "needle!!", 8);
        assert_int_equal(ask(image, &question, &out), STATUS_OK);
        buffer_append(&out, "", 1);
        assert_int_equal(count(&out, "\"address\""), 2);
    }
}

static void overlapping_places_are_all_found(void **state)
{
    struct image *image = *state;
    scoped_buffer struct buffer out = {0};
    memset(image->data, 0, (size_t)IMAGE_PAGES * PAGE);
    memset(image->data + (1u << 20) - 3, 'a', 6);
    struct inspection_question question = {.kind = INSPECTION_SEARCH, .needle_length = 4};
    memcpy(question.needle, "aaaa", 4);
    assert_int_equal(ask(image, &question, &out), STATUS_OK);
    buffer_append(&out, "", 1);
    assert_int_equal(count(&out, "\"address\""), 3);
}

static void a_string_goes_over_the_border(void **state)
{
    struct image *image = *state;
    scoped_buffer struct buffer out = {0};
    memset(image->data, 1, (size_t)IMAGE_PAGES * PAGE);
    memcpy(image->data + (1u << 20) - 5, "over the border", 15);
    memset(image->data + (1u << 21), 'z', 4096 + 3);
    struct inspection_question question = {.kind = INSPECTION_STRINGS, .length = 5};
    assert_int_equal(ask(image, &question, &out), STATUS_OK);
    buffer_append(&out, "", 1);
    assert_int_equal(count(&out, "over the border"), 1);
    assert_int_equal(count(&out, "\"length\":4096"), 1); /* and its rest, however short */
    assert_int_equal(count(&out, "\"continues\":true"), 1);
    assert_int_equal(count(&out, "\"text\":\"zzz\""), 1);
    assert_int_equal(count(&out, "\"found\":3"), 1);
}

/* What is as long as a record, and ends there or at the end of its mapping, does not go on. */
static void a_string_as_long_as_a_record(void **state)
{
    struct image *image = *state;
    scoped_buffer struct buffer out = {0};
    memset(image->data, 1, (size_t)IMAGE_PAGES * PAGE);
    memset(image->data + PAGE, 'z', 4096);
    memset(image->data + (size_t)(IMAGE_PAGES - 1) * PAGE, 'z', 4096);
    struct inspection_question question = {.kind = INSPECTION_STRINGS};
    assert_int_equal(ask(image, &question, &out), STATUS_OK);
    buffer_append(&out, "", 1);
    assert_int_equal(count(&out, "\"length\":4096"), 2);
    assert_int_equal(count(&out, "\"continues\":true"), 0);
    assert_int_equal(count(&out, "\"found\":2"), 1);
}

/* A list of a tcache by two of its layouts: how many chunks it has, and how many more it may take. */
static void what_is_an_empty_list(void **state)
{
    (void)state;
    struct malloc_member members[MALLOC_MEMBERS_MAX];
    uint64_t size_bytes = 0;
    for (int are_free = 0; are_free < 2; are_free++) {
        const struct glibc_layout layout = {.word_bytes = 8,
                                            .tcache = {.size = 640,
                                                       .counts = 0,
                                                       .entries = 64,
                                                       .bins = 64,
                                                       .count_bytes = are_free ? 2 : 1,
                                                       .counts_are_free_slots = are_free}};
        assert_int_equal(malloc_struct_members("tcache", &layout, members, &size_bytes), 2);
        assert_int_equal(size_bytes, 640);
        assert_string_equal(members[0].name, are_free ? "num_slots" : "counts");
        assert_string_equal(members[0].type, are_free ? "uint16_t" : "char");
        assert_int_equal(members[0].is_list, !are_free);
        assert_true(members[1].is_list);
    }
}

static void memory_that_is_not_there(void **state)
{
    struct image *image = *state;
    scoped_buffer struct buffer out = {0};
    struct inspection_question question = {.kind = INSPECTION_MEMORY,
                                           .has_at = 1,
                                           .at = IMAGE_START + (IMAGE_PAGES - 1) * PAGE,
                                           .length = 2 * PAGE};
    assert_int_equal(ask(image, &question, &out), STATUS_OK);
    buffer_append(&out, "", 1);
    assert_int_equal(count(&out, "\"what\":\"bytes\""), 1);
    assert_int_equal(count(&out, "\"length\":4096,\"what\":\"not mapped\",\"hex\":null"), 1);
    question.at = 0x10;
    assert_int_equal(ask(image, &question, &out), STATUS_NOT_FOUND);
}

/* Whoever reads the verdict must see what is not known. */
static void advice_says_what_was_not_found(void **state)
{
    (void)state;
    static struct report report;
    for (unsigned i = 0; i < 4; i++) {
        scoped_buffer struct buffer out = {0};
        struct snapshot *snapshot = snapshot_new(0, 0, 0, 0);
        assert_non_null(snapshot);
        snapshot->numbers.is_complete = i & 1;
        snapshot->numbers.tcaches_missing = i & 2;
        report_begin(&report, REPORT_JSON, collect, &out);
        advice_put(snapshot, &report);
        assert_int_equal(report_end(&report, NULL), STATUS_OK);
        assert_non_null(buffer_string(&out));
        assert_int_equal(count(&out, "\"code\":\"unread\""), !(i & 1));
        assert_int_equal(count(&out, "\"code\":\"tcaches_missing\""), i / 2);
        snapshot_unref(snapshot);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_and_bytes),
        cmocka_unit_test(hostile_questions_are_refused),
        cmocka_unit_test(memory_is_what_gives_contents),
        cmocka_unit_test_setup_teardown(search_finds_each_place_once, make_image, end_image),
        cmocka_unit_test_setup_teardown(overlapping_places_are_all_found, make_image, end_image),
        cmocka_unit_test_setup_teardown(a_string_goes_over_the_border, make_image, end_image),
        cmocka_unit_test_setup_teardown(a_string_as_long_as_a_record, make_image, end_image),
        cmocka_unit_test(what_is_an_empty_list),
        cmocka_unit_test_setup_teardown(memory_that_is_not_there, make_image, end_image),
        cmocka_unit_test(advice_says_what_was_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
