/* hostile.h - what a role that was taken over may send: messages of the link, damaged by the input. */
#ifndef FUZZ_HOSTILE_H
#define FUZZ_HOSTILE_H

#include <stdbool.h>

#include "fuzz/input.h"
#include "link/link.h"

/** A link's two ends. */
void hostile_pair(int ends[2]);

/**
 * Send one message over @end, never waiting: kind, what goes along, and what is damaged of it are the
 * input's. A message without damage is a sound one.
 */
void hostile_send(int end, struct input *input);

/** Write raw bytes as one packet. */
void hostile_send_raw(int end, struct input *input);

/** Read and forget all that was sent to @end; its descriptors are closed. */
void hostile_drain(int end);

/** End the program where @holds is false. */
void hostile_require(bool holds, const char *what);

#endif
