/*
 * threads.h - each thread's TLS block of a libc, without stopping it: get_robust_list(2) gives an address
 * inside struct pthread, which is the thread pointer on x86-64.
 */
#ifndef ALLOCATOR_GLIBC_THREADS_H
#define ALLOCATOR_GLIBC_THREADS_H

#include "allocator/glibc/locate.h"

/** A thread whose TLS block is known. */
struct thread_tls {
    pid_t tid;
    uint64_t pointer;   /* thread pointer */
    uint64_t dtv;       /* its vector of TLS blocks by module */
    uint64_t tls_start; /* of the libc's PT_TLS in this thread */
};

/**
 * The threads whose TLS could be found, by two ways that agree; the caller frees *@ret. @missing: pthreads
 * for which it could not. Raw clone() threads, which share their creator's TLS, are neither.
 */
enum status threads_find(struct target *target, const struct maps *maps,
                         const struct glibc_location *location, struct thread_tls **ret, size_t *count,
                         size_t *missing, struct error *err) must_check;

#endif
