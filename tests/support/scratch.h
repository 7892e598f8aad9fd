/* scratch.h - a directory of its own for the files of a test program. */
#ifndef SUPPORT_SCRATCH_H
#define SUPPORT_SCRATCH_H

/** Its path, once scratch_make() made it. */
extern char scratch[];

/** A group's set-up and teardown: make the directory, and remove it with all that is in it. */
int scratch_make(void **state);
int scratch_remove(void **state);

#endif
