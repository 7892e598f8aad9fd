/* findings.h - what the numbers of one scan prove of why a process holds its memory; inside this folder only.
 */
#ifndef INSPECT_FINDINGS_H
#define INSPECT_FINDINGS_H

#include "snapshot/snapshot.h"

#define FINDINGS_MAX 16u

/** One of them. @code and @remedy are static. */
struct finding {
    const char *code;
    uint64_t bytes; /* that it explains; 0: of none */
    char text[400];
    const char *remedy; /* "" for none */
};

/** All of one scan. @held_bytes: of the system, heaps and mmapped chunks. */
struct findings {
    const struct snapshot *snapshot;
    const struct scan_numbers *numbers;
    uint64_t held_bytes;
    struct finding rows[FINDINGS_MAX];
    unsigned count;
};

/** A number of bytes as a person reads it. */
struct human {
    char text[24];
};
struct human human_bytes(uint64_t bytes);

/** What matters of @snapshot, which must stay as long as @ret is used; most bytes first. */
void findings_make(const struct snapshot *snapshot, struct findings *ret);

#endif
