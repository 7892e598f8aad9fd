/*
 * target.h - a process as readable memory: the seam between the walkers and where the bytes come from.
 *
 * The same walker runs on a live process (target/live.h), on an image in a test (target/image.h) and on a
 * core file (target/core.h). Nothing here writes to a target. Not safe for use by two threads at once.
 */
#ifndef TARGET_TARGET_H
#define TARGET_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "target/maps.h"
#include "target/smaps.h"

struct target;

/** One part of a batched read: @length bytes from @address into @data; @is_read tells afterwards. */
struct target_part {
    uint64_t address;
    void *data;
    uint32_t length;
    bool is_read; /* out: all @length bytes were read */
};

/** What a page of the target is backed by (Documentation/admin-guide/mm/pagemap.rst). */
enum page_state { PAGE_ABSENT, PAGE_PRESENT, PAGE_SWAPPED };

/** A thread: @tid in our pid namespace, @own_tid in the innermost one (last of NSpid in task/TID/status). */
struct target_thread {
    pid_t tid;
    pid_t own_tid;
};

/** What a thread of a process that runs was at when it was looked at. */
struct thread_look {
    bool is_in_call;     /* it slept in a system call that changes no mappings, and in no signal's handler */
    uint64_t user_ticks; /* of a processor in user mode since it began, in units of sysconf(_SC_CLK_TCK) */
    uint64_t faults;     /* page faults that it is done with */
};

/** What the kernel says of a mapping, in bytes (proc_pid_smaps(5)). */
struct mapping_usage {
    uint64_t resident_bytes;
    uint64_t proportional_bytes; /* shared pages divided by who shares them */
    uint64_t swapped_bytes;
};

/** Where a target's bytes come from. Every function may be called only through the target_… wrappers below.
 */
struct target_ops {
    const char *name;
    size_t (*read)(struct target *target, uint64_t address, void *data, size_t length);
    void (*read_parts)(struct target *target, struct target_part *parts, size_t count);
    enum status (*maps)(struct target *target, struct maps *ret, struct error *err);
    enum status (*page_states)(struct target *target, uint64_t start, size_t pages, uint8_t *states,
                               struct error *err);
    void (*swapped)(struct target *target, const struct address_range **ret,
                    size_t *count_ret); /* may be NULL: nothing is */
    enum status (*usage)(struct target *target, const struct maps *maps, struct mapping_usage *rows,
                         struct error *err); /* NULL: never known */
    enum status (*threads)(struct target *target, struct target_thread **ret, size_t *count_ret,
                           struct error *err);
    enum status (*robust_list)(struct target *target, pid_t tid, uint64_t *head_ret);
    enum status (*thread_pointer)(struct target *target, pid_t tid, uint64_t *ret); /* NULL: never known */
    enum status (*thread_ids)(struct target *target, pid_t *tids, size_t room,
                              size_t *count_ret); /* NULL: none runs */
    enum status (*look_at_thread)(struct target *target, pid_t tid, struct thread_look *ret);
    enum status (*open_file)(struct target *target, const struct mapping *mapping, int *fd_ret,
                             struct error *err);
    enum status (*still_same)(struct target *target, struct error *err);
    void (*close)(struct target *target);
    size_t share_bytes; /* of its struct, all that reading needs to be copied; 0: two threads cannot read */
};

/** The common head of every target. @read_bytes and @read_calls count what was read since it was opened. */
struct target {
    const struct target_ops *ops;
    pid_t pid;           /* 0 for an image, and a core that does not say */
    unsigned word_bytes; /* 8, or 4 for a 32-bit process */
    unsigned page_bytes;
    bool is_frozen; /* nothing in it moves, ever: a core */
    uint64_t read_bytes;
    uint64_t read_calls;
    /* why something could not be read that is no hole in the process and no end of it (no descriptor, no
     * memory, forbidden midway), and what; 0: nothing. target_still_same() fails then: what was read is not
     * all */
    int trouble_errno;
    const char *trouble_what;
};

/** Bytes read from @address on, up to the first that cannot be read; 0 where the first already cannot. */
size_t target_read(struct target *target, uint64_t address, void *data, size_t length);

/** Read all of @length bytes, or return STATUS_FAULT (no message: reads fail all the time). */
enum status target_read_exact(struct target *target, uint64_t address, void *data, size_t length) must_check;

/** Read one word of the target (word_bytes wide). STATUS_FAULT as above. */
enum status target_read_word(struct target *target, uint64_t address, uint64_t *ret) must_check;

/** Read many small parts in as few system calls as can be; each part's @is_read is set. */
void target_read_parts(struct target *target, struct target_part *parts, size_t count);

/** The mappings as they are now; the caller ends them with maps_deinit(). */
enum status target_maps(struct target *target, struct maps *ret, struct error *err) must_check;

/**
 * The state (enum page_state) of @pages pages from @start, a page boundary, into @states.
 * STATUS_PERMISSION where the kernel does not tell (needs CAP_DAC_READ_SEARCH or the same user).
 */
enum status target_page_states(struct target *target, uint64_t start, size_t pages, uint8_t *states,
                               struct error *err) must_check;

/**
 * Mappings with swapped pages, by rising address, for where target_page_states() tells nothing; of the moment
 * when it was asked first. The rows are the target's.
 */
void target_swapped(struct target *target, const struct address_range **ret, size_t *count_ret);

/**
 * What of each of @maps is in memory and in swap, into as many @rows; zeros for one that came later.
 * STATUS_NOT_FOUND: a target of that kind does not tell; STATUS_PERMISSION, STATUS_GONE.
 */
enum status target_usage(struct target *target, const struct maps *maps, struct mapping_usage *rows,
                         struct error *err) must_check;

/** The threads as they are now, at least one; the caller frees *@ret. */
enum status target_threads(struct target *target, struct target_thread **ret, size_t *count_ret,
                           struct error *err) must_check;

/**
 * Address of a thread's robust-futex head (get_robust_list(2)): no stop, no ptrace. STATUS_NOT_FOUND: it has
 * none; STATUS_GONE: the thread has ended; STATUS_PERMISSION, STATUS_SYSTEM.
 */
enum status target_robust_list(struct target *target, pid_t tid, uint64_t *head_ret) must_check;

/** A thread's pointer (fs_base on x86-64) where the target knows it: a core. STATUS_NOT_FOUND: it does not.
 */
enum status target_thread_pointer(struct target *target, pid_t tid, uint64_t *ret);

/**
 * The ids of the threads as they are now, into @tids with room for @room of them; zombies among them. A
 * target in which nothing runs has none. STATUS_TOO_LARGE: there are more; STATUS_SYSTEM: not to be known.
 */
enum status target_thread_ids(struct target *target, pid_t *tids, size_t room, size_t *count_ret) must_check;

/** Look at one of them, which costs two reads from /proc. STATUS_GONE: it has ended; else it is not told. */
enum status target_look_at_thread(struct target *target, pid_t tid, struct thread_look *ret) must_check;

/**
 * Open the very file that is mapped there (device and inode checked), read-only; the caller closes it.
 * STATUS_NOT_FOUND: deleted, replaced, or not a regular file.
 */
enum status target_open_file(struct target *target, const struct mapping *mapping, int *fd_ret,
                             struct error *err) must_check;

/**
 * STATUS_OK while this still is the process and the address space that was opened; STATUS_GONE: it is not.
 * Anything else (no descriptor is left): it could not be found out.
 */
enum status target_still_same(struct target *target, struct error *err) must_check;

#define TARGET_SHARE_BYTES 1024u
/** Room for a target that reads what another one has open. */
struct target_share {
    _Alignas(16) unsigned char bytes[TARGET_SHARE_BYTES];
};

/**
 * A target in @share that reads the same as @target, for another thread, while @target is open: for its reads
 * and, where @target was asked for some before, its page states. It counts for itself from 0, and is not
 * closed. NULL: a target of that kind can be read by one thread only.
 */
struct target *target_share(const struct target *target, struct target_share *share);

/** Close; NULL is allowed. */
void target_close(struct target *target);

static inline void scoped_target_run(struct target **target)
{
    target_close(*target);
}
#define scoped_target __attribute__((cleanup(scoped_target_run)))

#endif
