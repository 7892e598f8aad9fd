/* damage.c - what is overwritten in a heap image, and the image as a target that changes while it is read. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "fuzz/heap_image.h"

/* A place that the input names: in a region, most of the time a word's. */
static uint64_t place_of(const struct heap_image *image, struct input *input)
{
    enum region region = (enum region)(input_u8(input) % REGION_COUNT);
    return image->bases[region] + input_u16(input) % heap_image_region_bytes(region);
}

static uint64_t value_of(struct heap_image *image, struct input *input, uint64_t at)
{
    uint64_t old = 0;
    const uint8_t *memory = heap_image_at(image, at, image->location.layout.word_bytes);
    if (memory != NULL) {
        memcpy(&old, memory, image->location.layout.word_bytes);
    }
    switch (input_u8(input) % 6) {
    case 0:
        return input_u64(input);
    case 1:
        return place_of(image, input);
    case 2: /* a pointer as safe-linking stores it */
        return (at >> 12) ^ place_of(image, input);
    case 3:
        return old + (uint64_t)(int8_t)input_u8(input);
    case 4: /* a size that wraps */
        return UINT64_MAX - input_u8(input);
    default:
        return old ^ UINT64_C(1) << input_u8(input) % 64;
    }
}

unsigned heap_image_plan_damage(struct heap_image *image, struct input *input)
{
    unsigned count = input_u8(input) % (DAMAGES_MAX + 1);
    for (image->damage_count = 0; image->damage_count < count && input->left > 0; image->damage_count++) {
        uint64_t at = place_of(image, input);
        bool is_odd = input_u8(input) == 0xff;
        if (!is_odd) {
            at = align_down(at, image->location.layout.word_bytes);
        }
        image->damages[image->damage_count] =
            (struct damage){.address = at, .value = value_of(image, input, at)};
    }
    return image->damage_count;
}

void heap_image_do_damage(struct heap_image *image)
{
    for (unsigned i = 0; i < image->damage_count; i++) {
        uint8_t *at = heap_image_at(image, image->damages[i].address, image->location.layout.word_bytes);
        if (at != NULL) {
            memcpy(at, &image->damages[i].value, image->location.layout.word_bytes);
        }
    }
    image->damage_count = 0;
}

struct image_target {
    struct target base;
    struct heap_image *image;
};

static struct heap_image *image_of(struct target *target)
{
    return ((struct image_target *)target)->image;
}

static size_t read_memory(struct target *target, uint64_t address, void *data, size_t length)
{
    struct heap_image *image = image_of(target);
    if (__atomic_fetch_add(&image->reads, 1, __ATOMIC_RELAXED) == image->damage_after) {
        heap_image_do_damage(image);
    }
    size_t done = 0;
    while (done < length) {
        uint64_t at = address + done;
        size_t part = (size_t)min_u64(length - done, 4096 - at % 4096);
        const uint8_t *memory = heap_image_at(image, at, part);
        if (memory == NULL) {
            break;
        }
        memcpy((uint8_t *)data + done, memory, part);
        done += part;
    }
    return done;
}

static void read_parts(struct target *target, struct target_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        parts[i].is_read =
            read_memory(target, parts[i].address, parts[i].data, parts[i].length) == parts[i].length;
    }
}

static enum status read_maps(struct target *target, struct maps *ret, struct error *err)
{
    struct heap_image *image = image_of(target);
    struct maps maps = {.rows = calloc(REGION_COUNT, sizeof *maps.rows), .names = calloc(1, 16)};
    if (maps.rows == NULL || maps.names == NULL) {
        maps_deinit(&maps);
        return error_set(err, STATUS_NO_MEMORY, "no memory for the mappings");
    }
    strcpy(maps.names + 1, "[heap]");
    for (int i = 0; i < REGION_COUNT; i++) {
        maps.rows[maps.count++] =
            (struct mapping){.start = image->bases[i],
                             .end = image->bases[i] + heap_image_region_bytes((enum region)i),
                             .is_readable = true,
                             .is_writable = true,
                             .name = maps.names + (i == REGION_MAIN)};
    }
    *ret = maps;
    return STATUS_OK;
}

static enum status page_states(struct target *target, uint64_t start, size_t pages, uint8_t *states,
                               struct error *err)
{
    struct heap_image *image = image_of(target);
    (void)err;
    memset(states, PAGE_ABSENT, pages);
    for (int i = 0; i < REGION_COUNT; i++) {
        for (uint64_t offset = 0; offset < heap_image_region_bytes((enum region)i); offset += 4096) {
            uint64_t page = (image->bases[i] + offset - start) / 4096;
            if (image->bases[i] + offset >= start && page < pages) {
                states[page] = image->page_states[i][offset / 4096];
            }
        }
    }
    return STATUS_OK;
}

static enum status read_threads(struct target *target, struct target_thread **ret, size_t *count_ret,
                                struct error *err)
{
    struct target_thread *thread = malloc(sizeof *thread);
    if (thread == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for a thread");
    }
    *thread = (struct target_thread){image_of(target)->thread_id, image_of(target)->thread_id};
    *ret = thread;
    *count_ret = 1;
    return STATUS_OK;
}

static enum status robust_list(struct target *target, pid_t tid, uint64_t *head_ret)
{
    (void)tid;
    *head_ret = image_of(target)->robust_list;
    return STATUS_OK;
}

static enum status open_file(struct target *target, const struct mapping *mapping, int *fd_ret,
                             struct error *err)
{
    (void)target, (void)mapping, (void)fd_ret;
    return error_set(err, STATUS_NOT_FOUND, "no files");
}

static enum status still_same(struct target *target, struct error *err)
{
    (void)target, (void)err;
    return STATUS_OK;
}

static void close_target(struct target *target)
{
    free(target);
}

static const struct target_ops OPS = {
    .name = "fuzz",
    .share_bytes = sizeof(struct image_target),
    .read = read_memory,
    .read_parts = read_parts,
    .maps = read_maps,
    .page_states = page_states,
    .threads = read_threads,
    .robust_list = robust_list,
    .open_file = open_file,
    .still_same = still_same,
    .close = close_target,
};

struct target *heap_image_target(struct heap_image *image)
{
    struct image_target *target = calloc(1, sizeof *target);
    if (target == NULL) {
        abort();
    }
    target->base =
        (struct target){.ops = &OPS, .word_bytes = image->location.layout.word_bytes, .page_bytes = 4096};
    target->image = image;
    return &target->base;
}
