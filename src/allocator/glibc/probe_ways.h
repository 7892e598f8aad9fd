/*
 * probe_ways.h - the ways to find a heap's books in one module, each by itself; inside the search only. What
 * one finds is for probe.c to prove: neither files nor who reads symbols are trusted.
 */
#ifndef ALLOCATOR_GLIBC_PROBE_WAYS_H
#define ALLOCATOR_GLIBC_PROBE_WAYS_H

#include "allocator/glibc/probe.h"

/**
 * Look for main_arena and mp_ in the module of @probe, whose data has room in @probe->data. True:
 * @probe->entry has their link-time addresses, and @probe->bins_offset where that arena has its bins.
 */
typedef bool probe_way(struct probe *probe);

/** By signature in the file's own data: unique in every libc seen. */
probe_way probe_in_file;

/** By signature in memory: a heap in use, or one that was never used (the same image as in the file, at its
 * address). */
probe_way probe_in_memory;

/** By symbols and debug files, which cost most. */
probe_way probe_by_symbols;

/** Look for mp_ alone, in memory, where main_arena and its @layout are known. */
void probe_find_par(struct probe *probe, const struct glibc_layout *layout);

/** What symbols and debug files say of the module; false where they say nothing, now or a while ago. */
bool probe_ask_symbols(struct probe *probe, struct symbol_answer *answer);

#endif
