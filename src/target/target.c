/* target.c - the wrappers of target.h: they count, check ranges once for every kind of target, and forward.
 */
#include "target/target.h"

#include <string.h>

#include "base/word.h"

size_t target_read(struct target *target, uint64_t address, void *data, size_t length)
{
    if (length == 0)
        return 0;
    if (address > UINT64_MAX - length)
        length = UINT64_MAX - address;
    size_t done = length ? target->ops->read(target, address, data, length) : 0;
    target->read_calls++;
    target->read_bytes += done;
    return done;
}

enum status target_read_exact(struct target *target, uint64_t address, void *data, size_t length)
{
    return target_read(target, address, data, length) == length ? STATUS_OK : STATUS_FAULT;
}

enum status target_read_word(struct target *target, uint64_t address, uint64_t *ret)
{
    uint8_t data[sizeof *ret];
    if (target_read_exact(target, address, data, target->word_bytes) != STATUS_OK)
        return STATUS_FAULT;
    *ret = word_of(data, target->word_bytes);
    return STATUS_OK;
}

void target_read_parts(struct target *target, struct target_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        parts[i].is_read = false;
    if (count == 0)
        return;
    target->ops->read_parts(target, parts, count);
    target->read_calls++;
    for (size_t i = 0; i < count; i++)
        if (parts[i].is_read)
            target->read_bytes += parts[i].length;
}

enum status target_maps(struct target *target, struct maps *ret, struct error *err)
{
    return target->ops->maps(target, ret, err);
}

enum status target_page_states(struct target *target, uint64_t start, size_t pages, uint8_t *states,
                               struct error *err)
{
    if (start % target->page_bytes != 0 || pages > (UINT64_MAX - start) / target->page_bytes)
        return error_set(err, STATUS_USAGE, "not a range of pages");
    if (pages == 0)
        return STATUS_OK;
    return target->ops->page_states(target, start, pages, states, err);
}

void target_swapped(struct target *target, const struct address_range **ret, size_t *count_ret)
{
    *ret = NULL;
    *count_ret = 0;
    if (target->ops->swapped)
        target->ops->swapped(target, ret, count_ret);
}

enum status target_usage(struct target *target, const struct maps *maps, struct mapping_usage *rows,
                         struct error *err)
{
    if (!target->ops->usage)
        return error_set(err, STATUS_NOT_FOUND, "a target of this kind does not tell what is in memory");
    return target->ops->usage(target, maps, rows, err);
}

enum status target_threads(struct target *target, struct target_thread **ret, size_t *count_ret,
                           struct error *err)
{
    return target->ops->threads(target, ret, count_ret, err);
}

enum status target_robust_list(struct target *target, pid_t tid, uint64_t *head_ret)
{
    return target->ops->robust_list(target, tid, head_ret);
}

enum status target_thread_pointer(struct target *target, pid_t tid, uint64_t *ret)
{
    return target->ops->thread_pointer ? target->ops->thread_pointer(target, tid, ret) : STATUS_NOT_FOUND;
}

enum status target_thread_ids(struct target *target, pid_t *tids, size_t room, size_t *count_ret)
{
    *count_ret = 0;
    return target->ops->thread_ids ? target->ops->thread_ids(target, tids, room, count_ret) : STATUS_OK;
}

enum status target_look_at_thread(struct target *target, pid_t tid, struct thread_look *ret)
{
    return target->ops->look_at_thread ? target->ops->look_at_thread(target, tid, ret) : STATUS_NOT_FOUND;
}

enum status target_open_file(struct target *target, const struct mapping *mapping, int *fd_ret,
                             struct error *err)
{
    return target->ops->open_file(target, mapping, fd_ret, err);
}

enum status target_still_same(struct target *target, struct error *err)
{
    return target->ops->still_same(target, err);
}

struct target *target_share(const struct target *target, struct target_share *share)
{
    size_t bytes = target->ops->share_bytes;
    if (bytes == 0 || bytes > sizeof share->bytes)
        return NULL;
    memcpy(share->bytes, target, bytes);
    struct target *reader = (struct target *)(void *)share->bytes;
    reader->read_bytes = reader->read_calls = 0;
    return reader;
}

void target_close(struct target *target)
{
    if (target)
        target->ops->close(target);
}
