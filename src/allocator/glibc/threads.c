/* threads.c - see threads.h. */
#include "allocator/glibc/threads.h"

#include "allocator/glibc/core_threads.h"
#include "allocator/glibc/pthread_scan.h"
#include "allocator/glibc/tls_place.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "base/reserve.h"

enum found { FOUND, FOUND_NOT, FOUND_FOREIGN };

/*
 * FOUND_FOREIGN: a thread without a tcache of its own. It has ended; or the kernel has no list for it, being
 * made by a raw clone(), or not begun yet, or past the end of its life in user space. The main thread of a
 * program without libpthread has none either, and a tcache.
 */
static enum found find_pointer(struct target *target, const struct target_thread *thread,
                               struct pthread_place *place)
{
    uint64_t head = 0, pointer, offset = pthread_robust_head(target);
    enum status status = STATUS_OK;
    if (target_thread_pointer(target, thread->tid, &pointer) == STATUS_OK)
        return pthread_is_at(target, pointer, place) ? FOUND : FOUND_NOT;
    if (offset == 0)
        return FOUND_NOT;
    /* being born or dying, a thread has no list for a moment: asked twice */
    for (int tries = 0; tries < 2; tries++) {
        status = target_robust_list(target, thread->tid, &head);
        if (status == STATUS_GONE)
            return FOUND_FOREIGN;
        if (status == STATUS_OK && head > offset && pthread_is_at(target, head - offset, place))
            return FOUND;
    }
    bool has_none = status == STATUS_NOT_FOUND && thread->tid != target->pid && !target->is_frozen;
    return has_none ? FOUND_FOREIGN : FOUND_NOT;
}

/* What a thread's dtv says of the module: its length, and the entry, both two words wide. */
struct dtv_view {
    uint64_t length;
    uint64_t block;
    bool is_read;
};

/* For each of @count rows; the caller frees. NULL: no memory. */
static struct dtv_view *read_dtvs(struct target *target, const struct thread_tls *rows, size_t count,
                                  uint64_t module_id)
{
    unsigned word = target->word_bytes;
    struct dtv_view *views = reserve_calloc(count + 1, sizeof *views);
    scoped_reserved struct target_part *parts = reserve_calloc(2 * count + 1, sizeof *parts);
    if (!views || !parts) {
        reserve_free(views);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        parts[2 * i] =
            (struct target_part){.address = rows[i].dtv - 2 * word, .data = &views[i].length, .length = word};
        parts[2 * i + 1] = (struct target_part){
            .address = rows[i].dtv + 2 * word * module_id, .data = &views[i].block, .length = word};
    }
    target_read_parts(target, parts, 2 * count);
    for (size_t i = 0; i < count; i++)
        views[i].is_read = parts[2 * i].is_read && parts[2 * i + 1].is_read;
    return views;
}

/*
 * The second way to a thread's block, its dtv, must agree with the first: threads for which it does not are
 * missing. A thread may have no entry yet for a libc that was loaded after its start: then only the others
 * speak; for the program's own libc one of them must.
 */
static void cross_check(const struct dtv_view *views, const struct glibc_location *location,
                        uint64_t module_id, struct thread_tls *rows, size_t *count, size_t *missing)
{
    size_t kept = 0, confirmed = 0;
    const uint64_t unallocated = location->layout.word_bytes == 8 ? UINT64_MAX : UINT32_MAX;
    for (size_t i = 0; i < *count; i++) {
        bool has_entry = views[i].is_read && module_id <= views[i].length && views[i].block != 0 &&
                         views[i].block != unallocated;
        if (has_entry && views[i].block != rows[i].tls_start)
            continue;
        confirmed += has_entry;
        rows[kept++] = rows[i];
    }
    if (confirmed == 0 && location->is_main_libc)
        kept = 0;
    *missing += *count - kept;
    *count = kept;
}

/*
 * Rows of the threads whose struct pthread is found; those for which the kernel tells no address are searched
 * for by their shape.
 */
static enum status find_pointers(struct target *target, const struct maps *maps,
                                 const struct target_thread *threads, size_t total, struct thread_tls *rows,
                                 size_t *count, size_t *missing, struct error *err)
{
    scoped_reserved struct pthread_place *places = reserve_calloc(total + 1, sizeof *places);
    size_t wanted = 0;
    if (!places)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu threads", total);
    *missing = 0;
    for (size_t i = 0; i < total; i++) {
        places[wanted] = (struct pthread_place){.own_tid = threads[i].own_tid, .may_be_zero = total == 1};
        enum found found = find_pointer(target, &threads[i], &places[wanted]);
        if (found == FOUND_FOREIGN)
            continue;
        *missing += found == FOUND_NOT;
        rows[wanted++].tid = threads[i].tid;
    }
    scoped_reserved bool *is_foreign = reserve_calloc(wanted + 1, sizeof *is_foreign);
    if (!is_foreign)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu threads", total);
    if (*missing && target->is_frozen) /* then there is a place for each thread */
        core_threads_settle(target, threads, places, is_foreign, wanted);
    if (*missing)
        pthread_scan(target, maps, places, wanted);
    for (size_t i = *count = *missing = 0; i < wanted; i++)
        if (places[i].pointer != 0)
            rows[(*count)++] =
                (struct thread_tls){.tid = rows[i].tid, .pointer = places[i].pointer, .dtv = places[i].dtv};
        else
            *missing += !is_foreign[i];
    return STATUS_OK;
}

enum status threads_find(struct target *target, const struct maps *maps,
                         const struct glibc_location *location, struct thread_tls **ret, size_t *count,
                         size_t *missing, struct error *err)
{
    scoped_reserved struct target_thread *threads = NULL;
    size_t total = 0;
    struct tls_place place;
    enum status status = target_threads(target, &threads, &total, err);
    if (status == STATUS_NOT_FOUND)
        total = 0;
    else if (status != STATUS_OK)
        return status;
    scoped_reserved struct thread_tls *rows = reserve_calloc(total + 1, sizeof *rows);
    if (!rows)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu threads", total);
    *count = *missing = 0;
    if (!tls_place_find(target, maps, location, &place)) {
        *missing = total;
        *ret = take_ptr(rows);
        return STATUS_OK;
    }
    status = find_pointers(target, maps, threads, total, rows, count, missing, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < *count; i++)
        rows[i].tls_start = rows[i].pointer - place.offset;
    scoped_reserved struct dtv_view *views = read_dtvs(target, rows, *count, place.module_id);
    if (!views)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu threads", total);
    cross_check(views, location, place.module_id, rows, count, missing);
    *ret = take_ptr(rows);
    return STATUS_OK;
}
