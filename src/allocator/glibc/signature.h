/*
 * signature.h - find main_arena and mp_ by their shape, with no symbols at all.
 *
 * In the file both are initialised data with a unique image: main_arena is all zero but for `next`, which
 * points to itself, and attached_threads = 1; mp_ begins with three times 128 KiB and arena_test. In memory
 * main_arena has 127 list heads that are empty or lead to chunks, and a ring that comes back.
 */
#ifndef ALLOCATOR_GLIBC_SIGNATURE_H
#define ALLOCATOR_GLIBC_SIGNATURE_H

#include "allocator/glibc/effort.h"
#include "allocator/glibc/elf_image.h"
#include "allocator/glibc/layout.h"

/** What was found. @hits: how many places fit; only one is an answer. */
struct signature_hit {
    uint64_t addr;        /* as the searched data is addressed */
    unsigned bins_offset; /* tells the class of malloc_state */
    unsigned hits;
};

/** main_arena as it was never used, in @data (@length bytes whose first is at link-time address @base). */
struct signature_hit signature_pristine_arena(const uint8_t *data, size_t length, uint64_t base,
                                              unsigned word);

/** mp_ as it was never used, likewise. */
struct signature_hit signature_pristine_par(const uint8_t *data, size_t length, uint64_t base, unsigned word);

/**
 * main_arena in use, in a copy of memory whose first byte is at target address @base; rings are followed. No
 * hit where @effort was spent before all was searched.
 */
struct signature_hit signature_live_arena(struct target *target, const uint8_t *data, size_t length,
                                          uint64_t base, struct effort *effort);

/** mp_ in use: the best score by what a sound mp_ holds, if it is high and well ahead of the second. */
struct signature_hit signature_live_par(const uint8_t *data, size_t length, uint64_t base,
                                        const struct glibc_layout *layout, const struct maps *maps);

/** Where `bins` lies in the main_arena at @arena_addr: the one place whose ring closes; 0: none or several.
 */
unsigned signature_bins_offset(struct target *target, uint64_t arena_addr, struct effort *effort);

/** Whether the 127 list heads at @bins_addr are each empty or lead to chunks, as in a main_arena in use. */
bool signature_heads_hold(struct target *target, uint64_t bins_addr);

/** Whether an arena ring goes from @arena_addr back to it; false where @effort is spent. */
bool signature_ring_closes(struct target *target, uint64_t arena_addr, int next_offset,
                           struct effort *effort);

#endif
