/*
 * truth.h - what every target program has: a list of its live blocks, and answers about itself that allocate
 * nothing.
 *
 * Commands: `info` gives the text of malloc_info(3) and then the fields of mallinfo2(3), a line each; `list`
 * a line `address usable-bytes what` a live block. A program adds its own by the function it gives.
 */
#ifndef TARGETS_TRUTH_H
#define TARGETS_TRUTH_H

#include <stddef.h>

/** Set up lists and streams; the first thing in main(). */
void truth_init(void);

/** Note a live block (malloc's pointer), @what is a word; returns its place in the list. Any thread. */
size_t truth_note(void *block, const char *what);
/** malloc(3), touched and noted as "block". Ends the program where memory is refused. */
size_t truth_malloc(size_t bytes);
/** The noted block; NULL once it was freed. */
void *truth_block(size_t place);
/** Another address at the same place (after realloc(3)). */
void truth_move(size_t place, void *block);
/** free(3) it and take it off the list. */
void truth_free(size_t place);
/** How many places were given out; places count from 0. */
size_t truth_count(void);
/** Note what the C library allocated for the calling thread: its dtv. First thing in a thread. */
void truth_note_thread(void);

/** Say "ready", then answer commands until standard input closes. @own answers others: NULL is "unknown". */
void truth_serve(const char *(*own)(const char *command));

#endif
