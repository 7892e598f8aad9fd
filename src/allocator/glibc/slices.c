/* slices.c - see slices.h. */
#include "allocator/glibc/slices.h"

#include <stdlib.h>

#include "allocator/glibc/lists.h"
#include "base/reserve.h"

/* what following the lists takes */
#define RESERVE_BYTES ((size_t)1 << 20)

enum status slices_init(struct slices *slices, size_t count, struct error *err)
{
    *slices = (struct slices){.maps = calloc(count, sizeof *slices->maps)};
    pthread_mutex_init(&slices->lock, NULL);
    for (; slices->maps && slices->count < count; slices->count++) {
        slices->maps[slices->count].marks.map = reserve_map(MARKS_MAP_BYTES, false);
        if (!slices->maps[slices->count].marks.map)
            break;
    }
    if (slices->maps && slices->count == count &&
        reserve_prepare(&slices->reserve, RESERVE_BYTES, false, NULL) == STATUS_OK)
        return STATUS_OK;
    slices_deinit(slices);
    return error_set(err, STATUS_NO_MEMORY, "no memory for %zu maps of the lists", count);
}

void slices_deinit(struct slices *slices)
{
    for (size_t i = 0; i < slices->count; i++)
        reserve_unmap(slices->maps[i].marks.map, MARKS_MAP_BYTES);
    free(slices->maps);
    reserve_deinit(&slices->reserve);
    pthread_mutex_destroy(&slices->lock);
    slices->maps = NULL;
    slices->count = 0;
}

void slices_restart(struct slices *slices)
{
    for (size_t i = 0; i < slices->count; i++) {
        slices->maps[i].users = 0;
        slices->maps[i].is_made = false;
    }
}

static void leave(struct slices *slices, struct marks *marks)
{
    for (size_t i = 0; i < slices->count; i++)
        if (slices->maps[i].marks.map == marks->map)
            slices->maps[i].users--;
    marks->map = NULL;
}

static bool holds(const struct slice_map *map, const struct marks *whole, uint64_t slice)
{
    return map->is_made && map->marks.whole == whole && map->marks.slice == slice;
}

/* The map that holds the slice, else one that nobody uses: there are as many as walks. */
static struct slice_map *find(struct slices *slices, const struct marks *whole, uint64_t slice)
{
    struct slice_map *unused = NULL;
    for (size_t i = 0; i < slices->count; i++) {
        struct slice_map *map = &slices->maps[i];
        if (holds(map, whole, slice))
            return map;
        if (map->users == 0 && (!unused || (unused->is_made && !map->is_made)))
            unused = map;
    }
    return unused;
}

/* No memory is asked for: the target may stand still. */
static enum status make(struct slices *slices, struct slice_map *map, const struct marks *whole,
                        struct glibc_heap *heap, uint64_t slice, struct error *err)
{
    marks_serve(&map->marks, whole);
    marks_begin_slice(&map->marks, slice);
    struct reserve *before = reserve_enter(&slices->reserve);
    enum status status = lists_mark(heap, &map->marks, err);
    reserve_enter(before);
    reserve_forget(&slices->reserve);
    map->is_made = status == STATUS_OK;
    return status;
}

static enum status enter(struct slices *slices, struct marks *marks, struct glibc_heap *heap, uint64_t slice,
                         struct error *err)
{
    const struct marks *whole = marks->whole;
    leave(slices, marks);
    if (slice == whole->slice) {
        *marks = *whole;
        marks->whole = whole;
        return STATUS_OK;
    }
    struct slice_map *map = find(slices, whole, slice);
    enum status status = holds(map, whole, slice) ? STATUS_OK : make(slices, map, whole, heap, slice, err);
    if (status != STATUS_OK) {
        marks->slice = UINT64_MAX;
        return status;
    }
    map->users++;
    *marks = map->marks;
    return STATUS_OK;
}

enum status slices_enter(struct slices *slices, struct marks *marks, struct glibc_heap *heap, uint64_t slice,
                         struct error *err)
{
    pthread_mutex_lock(&slices->lock);
    enum status status = enter(slices, marks, heap, slice, err);
    pthread_mutex_unlock(&slices->lock);
    return status;
}

void slices_leave(struct slices *slices, struct marks *marks)
{
    pthread_mutex_lock(&slices->lock);
    leave(slices, marks);
    pthread_mutex_unlock(&slices->lock);
}
