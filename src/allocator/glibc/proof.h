/*
 * proof.h - when a place that looks broken is called corrupt though the target runs: a chain of fresh reads
 * leads to it time after time over 100 ms, half a second where its arena is locked all the time, always with
 * the same bytes; and in that time no thread can have been in the midst of malloc (alibi.h). What cannot be
 * proved is unread, and no corruption.
 */
#ifndef ALLOCATOR_GLIBC_PROOF_H
#define ALLOCATOR_GLIBC_PROOF_H

#include "allocator/glibc/walk_chain.h"

/** Where a chain of fresh reads broke, and the size field there (0: it could not be read). */
struct breach {
    uint64_t at, field;
};

enum proof {
    PROOF_EARLY,  /* it has not lasted */
    PROOF_OPEN,   /* it has, and a thread may be in the midst of malloc: proof_look() */
    PROOF_FAILED, /* that was not to be found out in the time there is */
    PROVED
};

/**
 * Count one more failure of @chain, at @breach, and say what all of them prove. Only a place that a chain
 * leads to counts: what the walk stands at may lie in the midst of another chunk by now.
 */
enum proof proof_of(struct walk_chain *chain, const struct breach *breach);

/** Look at the target's threads for the place of the last failure. Only while the target runs. */
void proof_look(struct walk_chain *chain);

#endif
