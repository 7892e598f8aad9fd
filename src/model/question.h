/* question.h - a question about one process beyond its numbers: plain data, as inspect/ answers it. */
#ifndef MODEL_QUESTION_H
#define MODEL_QUESTION_H

#include <stdint.h>

/*
 * Kinds: enumerator, name, whether the answer has addresses, whether it has contents of memory (STRUCT: for
 * most names, see inspection_gives_memory() of inspect/inspection.h).
 */
#define INSPECTION_TABLE(X)            \
    X(MAPS, "maps", true, false)       \
    X(STATUS, "status", false, false)  \
    X(SYMBOLS, "symbols", true, false) \
    X(ADDRESS, "address", true, false) \
    X(STRUCT, "struct", true, true)    \
    X(MEMORY, "memory", true, true)    \
    X(STRINGS, "strings", true, true)  \
    X(SEARCH, "search", true, true)
enum inspection_kind {
#define X(name, label, has_addresses, has_memory) INSPECTION_##name,
    INSPECTION_TABLE(X)
#undef X
        INSPECTION_COUNT
};

#define INSPECTION_TEXT_MAX 255
/** Findings, where the question says nothing, and the most that it may ask for. */
#define INSPECTION_LIMIT_DEFAULT 1000
#define INSPECTION_LIMIT_MAX 100000
/** STRINGS: characters of the shortest, where the question says nothing, and the most that may be asked. */
#define INSPECTION_STRINGS_MIN 4
#define INSPECTION_STRINGS_MOST 4096
/** Bytes that MEMORY gives at most. */
#define INSPECTION_MEMORY_MAX (UINT64_C(1) << 40)

/** What is asked. Zero-initialise, then set what the kind takes. Flags are 0 or not: it comes in messages
 * too. */
struct inspection_question {
    uint32_t kind; /* enum inspection_kind */
    uint32_t has_text;
    uint32_t is_pointer; /* SEARCH: for words of the value @at, at their alignment */
    uint32_t is_exact;   /* SYMBOLS */
    uint32_t has_at;
    uint32_t needle_length;
    uint64_t at;                        /* ADDRESS, STRUCT, MEMORY, SEARCH for a pointer */
    uint64_t length;                    /* MEMORY, bytes; STRINGS: the shortest, characters */
    uint64_t limit;                     /* findings; 0: INSPECTION_LIMIT_DEFAULT, of STRINGS none */
    char text[INSPECTION_TEXT_MAX + 1]; /* SYMBOLS: part of a name; STRUCT: name; MEMORY: a region's name */
    uint8_t needle[INSPECTION_TEXT_MAX + 1]; /* SEARCH: the bytes */
};

#endif
