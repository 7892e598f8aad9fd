/* process_text.h - one process' result as a person likes to read it: aligned, sizes in KiB, MiB, GiB. */
#ifndef ENCODE_PROCESS_TEXT_H
#define ENCODE_PROCESS_TEXT_H

#include "base/buffer.h"
#include "snapshot/snapshot.h"

/** Why it holds what it holds: in use, free by state, resident, what malloc_trim would give back, the checks.
 */
void process_text_scan(struct buffer *out, const struct snapshot *snapshot);

/** A table of arenas, then heaps, bins and tcaches. The snapshot must have its details. */
void process_text_arenas(struct buffer *out, const struct snapshot *snapshot);

#endif
