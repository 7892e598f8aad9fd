/*
 * completeness.h - what a walk could not read or found broken. Corruption is data, not an error: the walk
 * notes it here and goes on at the next boundary that can be proved.
 */
#ifndef MODEL_COMPLETENESS_H
#define MODEL_COMPLETENESS_H

#include <stdint.h>

/** Kinds of note: enumerator, text. */
#define NOTE_TABLE(X)                                              \
    X(UNREADABLE, "memory could not be read")                      \
    X(SWAPPED, "memory is swapped out and was left there")         \
    X(BAD_SIZE, "a chunk's size is impossible")                    \
    X(BAD_LINK, "a list leads to what is no chunk of it")          \
    X(BAD_FOOTER, "a free chunk's size is not repeated behind it") \
    X(BAD_RING, "the ring of arenas does not close")               \
    X(BAD_HEAP, "a heap's header is wrong")                        \
    X(ORPHAN, "a chunk is free but on no list: caught inside malloc")

enum note_kind {
#define X(name, text) NOTE_##name,
    NOTE_TABLE(X)
#undef X
        NOTE_COUNT
};

/** How many notes are kept with their address; all are counted. */
#define COMPLETENESS_NOTES_MAX 8

/** One thing seen: where (a target address) and what. */
struct completeness_note {
    uint64_t address;
    uint32_t kind; /* enum note_kind */
    uint32_t arena;
};

/** The sum of what was missed. Plain data: zero-initialise. */
struct completeness {
    uint64_t unread_bytes;  /* of the heaps, neither walked nor counted as overhead */
    uint64_t corrupt_count; /* places where a chain, size or list is broken */
    uint64_t resync_count;  /* windows read again because the heap moved (live) */
    uint64_t notes_count;   /* all notes, kept or not */
    struct completeness_note notes[COMPLETENESS_NOTES_MAX];
};

/** The text of a kind of note. */
const char *note_text(enum note_kind kind);

/** Count a note and keep it while there is room. Counts neither bytes nor corruption. */
void completeness_note(struct completeness *completeness, enum note_kind kind, uint64_t address,
                       uint32_t arena);

#endif
