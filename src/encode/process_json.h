/* process_json.h - one process' result as JSON: the keys are the metrics' names without malloc_. */
#ifndef ENCODE_PROCESS_JSON_H
#define ENCODE_PROCESS_JSON_H

#include "base/buffer.h"
#include "snapshot/snapshot.h"

/** All numbers of one scan, and per arena: one object and a newline. */
void process_json_scan(struct buffer *out, const struct snapshot *snapshot);

/** Arenas, heaps, bins and tcaches: one object and a newline. The snapshot must have its details. */
void process_json_arenas(struct buffer *out, const struct snapshot *snapshot);

#endif
