/* link_parts.h - what fuzz_link.c hands its input to: messages of one role, and the code that takes them. */
#ifndef FUZZ_LINK_PARTS_H
#define FUZZ_LINK_PARTS_H

#include "fuzz/input.h"

#define LINK_MESSAGES_MAX 16

/** A scanner to the front, which must be able to answer afterwards whatever it took. */
void link_to_front(struct input *input);

/** A front and a scanner to the keeper. */
void link_front_to_keeper(struct input *input);
void link_scanner_to_keeper(struct input *input);

/** A front to the scanner. */
void link_to_scanner(struct input *input);

/** A resolver's records to who asked it. */
void link_of_resolver(struct input *input);

/** A holder's answers to who has a process stopped. */
void link_of_holder(struct input *input);

#endif
