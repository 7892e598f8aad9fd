/*
 * give_back.h - memory that free() keeps for later goes back to the system after much of it was freed.
 *
 * What a crowd of processes took lies in free chunks between chunks in use once they are gone: free() gives
 * back only what is at the end of a heap, malloc_trim(3) all whole pages.
 */
#ifndef BASE_GIVE_BACK_H
#define BASE_GIVE_BACK_H

#include <stdbool.h>
#include <stdint.h>

/** Something large was freed: memory is to go back in a while. From any thread. */
void give_back_want(void);

/**
 * Give it back, where that is wanted and the last time is ten seconds ago or more; returns whether it was
 * done. From one thread, now and then; @now_ns of CLOCK_MONOTONIC. Takes the time of a walk over this
 * process' free chunks.
 */
bool give_back_if_due(uint64_t now_ns);

#endif
