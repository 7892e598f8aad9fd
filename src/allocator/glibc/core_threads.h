/*
 * core_threads.h - threads of a core by the pointers that it has of them: their ids may be of another pid
 * namespace than their own, since gcore outside of a container writes those that it sees.
 */
#ifndef ALLOCATOR_GLIBC_CORE_THREADS_H
#define ALLOCATOR_GLIBC_CORE_THREADS_H

#include "allocator/glibc/pthread_scan.h"

/**
 * Fill the places of @threads (@count of each) that are not known yet. Of threads that share a pointer one is
 * the pthread; the others, made by clone(2) alone, get @is_foreign.
 */
void core_threads_settle(struct target *target, const struct target_thread *threads,
                         struct pthread_place *places, bool *is_foreign, size_t count);

#endif
