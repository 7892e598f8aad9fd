/*
 * pthread_scan.h - struct pthread of a thread by its shape: proved where an address is known, searched for
 * where the kernel tells none (32-bit programs; the main thread of a program without libpthread, to 2.33).
 */
#ifndef ALLOCATOR_GLIBC_PTHREAD_SCAN_H
#define ALLOCATOR_GLIBC_PTHREAD_SCAN_H

#include "target/maps.h"
#include "target/target.h"

/** A thread and where its struct pthread is, which is the thread pointer on x86. */
struct pthread_place {
    pid_t own_tid;       /* as the thread knows itself */
    bool is_tid_unknown; /* any id will do */
    bool may_be_zero;    /* a program without libpthread never notes the tid of its only thread */
    uint64_t pointer;    /* 0: not known */
    uint64_t dtv;        /* its vector of TLS blocks by module */
};

/** Where the robust list's head lies in struct pthread; 0: the kernel tells none for programs of this width.
 */
uint64_t pthread_robust_head(const struct target *target);

/**
 * Whether struct pthread of @place's thread is at @pointer: it begins with its own address, its dtv, its own
 * address again, and knows its tid (nptl/descr.h, tcbhead_t). Fills @place.
 */
bool pthread_is_at(struct target *target, uint64_t pointer, struct pthread_place *place);

/** Search the writable anonymous mappings for the places that are not known; bounded in bytes. */
void pthread_scan(struct target *target, const struct maps *maps, struct pthread_place *places, size_t count);

#endif
