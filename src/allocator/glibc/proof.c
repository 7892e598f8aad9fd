/* proof.c - see proof.h. */
#include "allocator/glibc/proof.h"

#include "base/clock.h"

/* of these the fourth and later ones are seen from the segment's start */
#define FAILURES_PROVED 7u
#define PROOF_NS (100 * NS_PER_MS)
#define PROOF_LOCKED_NS (500 * NS_PER_MS)

enum proof proof_of(struct walk_chain *chain, const struct breach *breach)
{
    uint64_t now = clock_monotonic_ns();
    if (chain->failed_at != breach->at || chain->failed_field != breach->field) {
        chain->failed_at = breach->at;
        chain->failed_field = breach->field;
        chain->failed_since_ns = now;
        chain->failures_here = 0;
    }
    chain->failures_here++;
    uint64_t wanted_ns = chain->arena->mutex == 0 ? PROOF_NS : PROOF_LOCKED_NS;
    if (chain->failures_here < FAILURES_PROVED || now - chain->failed_since_ns < wanted_ns)
        return PROOF_EARLY;
    if (alibi_holds(&chain->walk->alibi, chain->failed_since_ns))
        return PROVED;
    return alibi_is_spent(&chain->walk->alibi) ? PROOF_FAILED : PROOF_OPEN;
}

void proof_look(struct walk_chain *chain)
{
    alibi_look(&chain->walk->alibi, chain->walk->heap->target, chain->failed_since_ns,
               chain->arena->mutex != 0);
}
