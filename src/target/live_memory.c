/*
 * live_memory.c - reading another process by process_vm_readv(2).
 *
 * The call copies page by page and stops at the first that it cannot get, so its count says where a hole may
 * be, also in the midst of a part (the manual page promises less); the next call, from there, says whether it
 * is one. It names a thread, and a leader that has exited has no memory any more: then another thread is
 * taken.
 */
#include <errno.h>
#include <limits.h>
#include <sys/uio.h>

#include "base/checked.h"
#include "target/live_internal.h"

/* The kernel cuts one call at 2 GiB less a page (MAX_RW_COUNT): staying below keeps short counts meaningful.
 */
#define CALL_BYTES_MAX (UINT64_C(1) << 30)
#define TRIES_MAX 3u

static void *remote_pointer(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

/*
 * One call; a second one where the thread is gone and another has the address space, and a few where the
 * kernel is short of memory itself. EFAULT is a hole; any other refusal says nothing of the memory, and is
 * kept for live_still_same().
 */
static ssize_t read_vectors(struct live *live, const struct iovec *ours, const struct iovec *theirs,
                            size_t count)
{
    ssize_t got = process_vm_readv(live->read_tid, ours, count, theirs, count, 0);
    for (unsigned i = 0; got < 0 && i < TRIES_MAX; i++) {
        bool is_worth_it =
            errno == ESRCH ? live_pick_thread(live) : errno == ENOMEM || errno == EINTR || errno == EAGAIN;
        if (!is_worth_it)
            break;
        got = process_vm_readv(live->read_tid, ours, count, theirs, count, 0);
    }
    if (got < 0 && errno != EFAULT)
        live_note_trouble(live, errno, "its memory");
    return got;
}

int live_probe_memory(pid_t tid)
{
    /* Page 0 is never mapped: access is checked first, then it faults. */
    char byte;
    struct iovec ours = {.iov_base = &byte, .iov_len = 1};
    struct iovec theirs = {.iov_base = NULL, .iov_len = 1};
    if (process_vm_readv(tid, &ours, 1, &theirs, 1, 0) >= 0 || errno == EFAULT)
        return 0;
    return errno;
}

size_t live_read(struct target *target, uint64_t address, void *data, size_t length)
{
    struct live *live = live_of(target);
    size_t done = 0;
    while (done < length) {
        size_t wanted = (size_t)min_u64(length - done, CALL_BYTES_MAX);
        struct iovec ours = {.iov_base = (char *)data + done, .iov_len = wanted};
        struct iovec theirs = {.iov_base = remote_pointer(address + done), .iov_len = wanted};
        ssize_t got = read_vectors(live, &ours, &theirs, 1);
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

/* Read parts[0 … ret): as many as one call takes. At least one. */
static size_t read_batch(struct live *live, struct target_part *parts, size_t count)
{
    struct iovec ours[IOV_MAX], theirs[IOV_MAX];
    uint64_t total = 0;
    size_t used = 0;
    while (used < count && used < IOV_MAX) {
        const struct target_part *part = &parts[used];
        if (part->address > UINT64_MAX - part->length || total + part->length > CALL_BYTES_MAX)
            break;
        ours[used] = (struct iovec){.iov_base = part->data, .iov_len = part->length};
        theirs[used] = (struct iovec){.iov_base = remote_pointer(part->address), .iov_len = part->length};
        total += part->length;
        used++;
    }
    if (used == 0) {
        parts->is_read = parts->address <= UINT64_MAX - parts->length &&
                         live_read(&live->base, parts->address, parts->data, parts->length) == parts->length;
        return 1;
    }
    ssize_t got = total ? read_vectors(live, ours, theirs, used) : 0;
    uint64_t left = got > 0 ? (uint64_t)got : 0;
    for (size_t i = 0; i < used; i++) {
        struct target_part *part = &parts[i];
        if (part->length > left) {
            /* a short count may be no more than that: what is behind it is asked for again */
            size_t rest = (size_t)(part->length - left);
            part->is_read = left + i > 0 && live_read(&live->base, part->address + left,
                                                      (char *)part->data + left, rest) == rest;
            return i + 1;
        }
        part->is_read = true;
        left -= part->length;
    }
    return used;
}

void live_read_parts(struct target *target, struct target_part *parts, size_t count)
{
    for (size_t done = 0; done < count;)
        done += read_batch(live_of(target), parts + done, count - done);
}
