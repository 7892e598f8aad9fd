/* content.c - see content.h: a window that moves up with the chunks. */
#include "inspect/content.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

#define WINDOW_BYTES (64u * 1024)

struct content {
    struct target *target;
    bool read_swapped;
    uint64_t start;
    size_t length;
    struct page_view pages;
    uint8_t window[WINDOW_BYTES];
};

struct content *content_new(struct target *target, bool read_swapped)
{
    struct content *content = malloc(sizeof *content);
    if (!content)
        return NULL;
    content->target = target;
    content->read_swapped = read_swapped;
    content->start = content->length = 0;
    scoped_maps struct maps maps = {0};
    uint64_t probe = target_maps(target, &maps, NULL) == STATUS_OK && maps.count ? maps.rows[0].start : 0;
    page_view_init(&content->pages, target, probe);
    return content;
}

void content_free(struct content *content)
{
    free(content);
}

/* Bytes at @address that are in the window, which is moved there if need be; 0: there are none. */
static size_t at_hand(struct content *content, uint64_t address)
{
    if (address >= content->start && address - content->start < content->length)
        return content->length - (size_t)(address - content->start);
    uint64_t run =
        page_view_readable_run(&content->pages, address,
                               address + min_u64(WINDOW_BYTES, UINT64_MAX - address), content->read_swapped);
    content->start = address;
    content->length = target_read(content->target, address, content->window, (size_t)run);
    return content->length;
}

size_t content_read(void *context, uint64_t address, void *data, size_t length)
{
    struct content *content = context;
    uint64_t page = content->target->page_bytes;
    size_t done = 0;
    while (done < length) {
        uint64_t at = address + done;
        size_t part = at_hand(content, at);
        if (part > 0) {
            part = (size_t)min_u64(part, length - done);
            memcpy((char *)data + done, content->window + (at - content->start), part);
        } else if (content->pages.is_known && page_view_state(&content->pages, at) == PAGE_ABSENT) {
            part = (size_t)min_u64(align_down(at, page) + page - at, length - done);
            memset((char *)data + done, 0, part);
        } else {
            break;
        }
        done += part;
    }
    return done;
}
