/* summary.h - what a walk was summed up to, as a report: sizes of chunks, the map of a heap. No address. */
#ifndef ENCODE_SUMMARY_H
#define ENCODE_SUMMARY_H

#include "encode/report.h"
#include "snapshot/heap_map.h"
#include "snapshot/size_list.h"
#include "snapshot/snapshot.h"

/** The sizes of @snapshot's chunks, most bytes first. */
void summary_sizes(struct report *report, const struct snapshot *snapshot, const struct size_list *list);

/** The cells of @snapshot's heaps, by rising address. */
void summary_heap_map(struct report *report, const struct snapshot *snapshot, const struct heap_map *map);

#endif
