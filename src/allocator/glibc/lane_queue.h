/*
 * lane_queue.h - what one walk of several hands to a sink that wants everything in the order of addresses: in
 * bounded memory, until its turn has come.
 */
#ifndef ALLOCATOR_GLIBC_LANE_QUEUE_H
#define ALLOCATOR_GLIBC_LANE_QUEUE_H

#include <pthread.h>

#include "allocator/glibc/walk.h"

/** 1 MiB of chunks. */
#define LANE_QUEUE_BLOCKS 64u

struct lane_block;

/** One thread puts in, one takes out. */
struct lane_queue {
    struct chunk_sink sink; /* first: give it to the walk */
    pthread_mutex_t lock;
    pthread_cond_t has_room, has_blocks;
    struct lane_block *blocks; /* owned */
    uint64_t head, tail;       /* blocks put in and taken out, ever */
    struct lane_block *counts; /* under way, not put in yet */
    bool is_closed;            /* nobody takes any more */
};

/** STATUS_NO_MEMORY. lane_queue_deinit() ends it. */
enum status lane_queue_init(struct lane_queue *queue, struct error *err) must_check;
void lane_queue_deinit(struct lane_queue *queue);

/** Empty; @receiver is who will be given what is put in. No thread may be at it. */
void lane_queue_restart(struct lane_queue *queue, const struct chunk_sink *receiver);

/** All chunks of a segment were put in; false: nobody wants more. */
bool lane_queue_end_segment(struct lane_queue *queue);

/** Nobody takes any more: whoever waits to put in goes on, and is told so. */
void lane_queue_close(struct lane_queue *queue);

/** Hand @receiver all up to the next end of a segment, waiting for it. False: it wants no more. */
bool lane_queue_deliver(struct lane_queue *queue, struct chunk_sink *receiver);

/** Give its memory back to the system, but keep the room. No thread may be at it. */
void lane_queue_trim(struct lane_queue *queue);

#endif
