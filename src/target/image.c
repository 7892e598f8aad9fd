/* image.c - see image.h. */
#include "target/image.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

#define IMAGE_PAGE_BYTES 4096

struct image {
    struct target base;
    size_t count;
    const struct image_segment *segments; /* behind this struct */
};

static struct image *image_of(struct target *target)
{
    return (struct image *)target;
}

static const struct image_segment *find_segment(const struct image *image, uint64_t address)
{
    for (size_t i = 0; i < image->count; i++) {
        const struct image_segment *segment = &image->segments[i];
        if (address >= segment->address && address - segment->address < segment->length)
            return segment;
    }
    return NULL;
}

static size_t image_read(struct target *target, uint64_t address, void *data, size_t length)
{
    size_t done = 0;
    while (done < length) {
        const struct image_segment *segment = find_segment(image_of(target), address + done);
        if (!segment)
            break;
        uint64_t offset = address + done - segment->address;
        size_t part = (size_t)min_u64(segment->length - offset, length - done);
        memcpy((char *)data + done, (const char *)segment->data + offset, part);
        done += part;
    }
    return done;
}

static void image_read_parts(struct target *target, struct target_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct target_part *part = &parts[i];
        part->is_read = part->address <= UINT64_MAX - part->length &&
                        image_read(target, part->address, part->data, part->length) == part->length;
    }
}

static enum status image_maps(struct target *target, struct maps *ret, struct error *err)
{
    const struct image *image = image_of(target);
    scoped_maps struct maps maps = {0};
    size_t bytes = 1;
    for (size_t i = 0; i < image->count; i++)
        bytes += (image->segments[i].name ? strlen(image->segments[i].name) : 0) + 1;
    maps.rows = calloc(image->count + 1, sizeof *maps.rows);
    maps.names = calloc(1, bytes);
    if (!maps.rows || !maps.names)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the mappings");
    char *name = maps.names;
    for (size_t i = 0; i < image->count; i++) {
        const struct image_segment *segment = &image->segments[i];
        maps.rows[maps.count++] = (struct mapping){
            .start = segment->address,
            .end = align_up(segment->address + segment->length, IMAGE_PAGE_BYTES),
            .is_readable = true,
            .is_writable = true,
            .name = name,
        };
        name = stpcpy(name, segment->name ? segment->name : "") + 1;
    }
    *ret = maps;
    maps = (struct maps){0};
    return STATUS_OK;
}

static enum status image_page_states(struct target *target, uint64_t start, size_t pages, uint8_t *states,
                                     struct error *err)
{
    (void)target, (void)start, (void)pages, (void)states;
    return error_set(err, STATUS_PERMISSION, "an image has no page map");
}

static enum status image_threads(struct target *target, struct target_thread **ret, size_t *count_ret,
                                 struct error *err)
{
    (void)target, (void)ret, (void)count_ret;
    return error_set(err, STATUS_NOT_FOUND, "an image has no threads");
}

static enum status image_robust_list(struct target *target, pid_t tid, uint64_t *head_ret)
{
    (void)target, (void)tid, (void)head_ret;
    return STATUS_NOT_FOUND;
}

static enum status image_open_file(struct target *target, const struct mapping *mapping, int *fd_ret,
                                   struct error *err)
{
    (void)target, (void)mapping, (void)fd_ret;
    return error_set(err, STATUS_NOT_FOUND, "an image has no files");
}

static enum status image_still_same(struct target *target, struct error *err)
{
    (void)target, (void)err;
    return STATUS_OK;
}

static void image_close(struct target *target)
{
    free(target);
}

static const struct target_ops IMAGE_OPS = {
    .name = "image",
    .share_bytes = sizeof(struct image),
    .read = image_read,
    .read_parts = image_read_parts,
    .maps = image_maps,
    .page_states = image_page_states,
    .threads = image_threads,
    .robust_list = image_robust_list,
    .open_file = image_open_file,
    .still_same = image_still_same,
    .close = image_close,
};

enum status target_image_open(const struct image_segment *segments, size_t count, unsigned word_bytes,
                              struct target **ret, struct error *err)
{
    uint64_t last_end = 0;
    for (size_t i = 0; i < count; i++) {
        if (segments[i].address < last_end || !is_aligned(segments[i].address, IMAGE_PAGE_BYTES) ||
            !checked_add(segments[i].address, segments[i].length, &last_end) ||
            last_end > UINT64_MAX - IMAGE_PAGE_BYTES)
            return error_set(err, STATUS_USAGE, "segment %zu of the image overlaps or is not aligned", i);
    }
    struct image *image = malloc(sizeof *image + count * sizeof *segments);
    if (!image)
        return error_set(err, STATUS_NO_MEMORY, "no memory for an image");
    image->base =
        (struct target){.ops = &IMAGE_OPS, .word_bytes = word_bytes, .page_bytes = IMAGE_PAGE_BYTES};
    image->count = count;
    image->segments = (const struct image_segment *)(image + 1);
    if (count)
        memcpy(image + 1, segments, count * sizeof *segments);
    *ret = &image->base;
    return STATUS_OK;
}
