/*
 * resolver_messages.h - what is said over the socket of a resolver (SOCK_SEQPACKET, one message a packet).
 *
 * The client sends one request, with the module's file if it has one (SCM_RIGHTS). The resolver answers with
 * records of one fixed size and ends them by RESOLVER_END. A RESOLVER_WANT asks for one more file; the client
 * answers that by a struct resolver_file, with the file or without. Everything from a resolver is hostile: it
 * has parsed files that others made.
 */
#ifndef LINK_RESOLVER_MESSAGES_H
#define LINK_RESOLVER_MESSAGES_H

#include <stdint.h>

#define RESOLVER_VERSION 2
#define RESOLVER_BUILD_ID_MAX 64

/** Symbols that a resolver looks for: enumerator, name, whether it is thread-local. */
#define RESOLVER_SYMBOL_TABLE(X)   \
    X(MAIN_ARENA, "main_arena", 0) \
    X(MP, "mp_", 0)                \
    X(TCACHE, "tcache", 1)         \
    X(THREAD_ARENA, "thread_arena", 1)
enum resolver_symbol {
#define X(name, label, is_tls) RESOLVER_SYMBOL_##name,
    RESOLVER_SYMBOL_TABLE(X)
#undef X
        RESOLVER_SYMBOL_COUNT
};

#define RESOLVER_TEXT_MAX 256
#define RESOLVER_FINDINGS_MAX 100000
/**
 * What is asked: the heap's symbols and layouts; which other allocator the module's own symbols define; or
 * enum symbol_question_kind + RESOLVER_LOOKUP.
 */
enum resolver_question { RESOLVER_HEAP, RESOLVER_ALLOCATOR, RESOLVER_LOOKUP };

/** Symbols that only another allocator defines. musl's and Go's are seen in programs that are not stripped.
 */
#define RESOLVER_OTHER_TABLE(X)                      \
    X(JEMALLOC, "mallctl")                           \
    X(JEMALLOC, "je_mallctl")                        \
    X(JEMALLOC, "_rjem_mallctl")                     \
    X(TCMALLOC, "tc_malloc")                         \
    X(TCMALLOC, "MallocExtension_ReleaseFreeMemory") \
    X(TCMALLOC, "TCMallocInternalMalloc")            \
    X(MIMALLOC, "mi_malloc")                         \
    X(MUSL, "__libc_malloc_impl")                    \
    X(MUSL, "__simple_malloc")                       \
    X(GO, "runtime.mallocgc")

/** Which module. @build_id_length 0: not known; no descriptor with it: only the build-id is. */
struct resolver_request {
    uint32_t version;
    uint32_t build_id_length;
    uint8_t build_id[RESOLVER_BUILD_ID_MAX];
    uint32_t question; /* as enum resolver_question says */
    uint32_t is_exact;
    uint32_t limit; /* of findings */
    uint32_t reserved;
    uint64_t address;
    char text[RESOLVER_TEXT_MAX];
};

/** The answer to RESOLVER_WANT. */
struct resolver_file {
    uint32_t version;
    uint32_t has_file; /* a descriptor goes with it */
};

enum resolver_kind {
    RESOLVER_SYMBOL,  /* @index: enum resolver_symbol, @value: link-time address or offset in PT_TLS */
    RESOLVER_OFFSET,  /* @index: enum symbol_field, @value: bytes, -1 for none; layouts are of DWARF */
    RESOLVER_SIZE,    /* @index: enum symbol_struct, @value: bytes */
    RESOLVER_FINDING, /* @index: enum symbol_form, @value, @size_bytes, @count, @name, @type */
    RESOLVER_OTHER,   /* @index: enum other_allocator */
    RESOLVER_WANT,    /* @build_id, @debuglink: the file that it would like to have */
    RESOLVER_END      /* @index: enum status, @value: 1 where symbols are of a separate debug file */
};

struct resolver_record {
    uint32_t version;
    uint32_t kind; /* enum resolver_kind */
    uint32_t index;
    uint32_t build_id_length;
    int64_t value;
    uint8_t build_id[RESOLVER_BUILD_ID_MAX];
    char debuglink[256]; /* base name, "" for none */
    uint64_t size_bytes;
    uint64_t count;
    char name[512];
    char type[128];
};

#endif
