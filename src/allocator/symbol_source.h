/*
 * symbol_source.h - the seam through which a walker asks for addresses and layouts from a module's files.
 *
 * The answer is hostile until it is proved on the heap: whoever asks checks it there.
 */
#ifndef ALLOCATOR_SYMBOL_SOURCE_H
#define ALLOCATOR_SYMBOL_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/** Fields of glibc's structs that an answer may hold; the names are struct.member as DWARF spells them. */
#define SYMBOL_FIELD_TABLE(X)                                     \
    X(STATE_FASTBINS, "malloc_state", "fastbinsY")                \
    X(STATE_TOP, "malloc_state", "top")                           \
    X(STATE_BINS, "malloc_state", "bins")                         \
    X(STATE_NEXT, "malloc_state", "next")                         \
    X(STATE_ATTACHED_THREADS, "malloc_state", "attached_threads") \
    X(STATE_SYSTEM_MEM, "malloc_state", "system_mem")             \
    X(STATE_MAX_SYSTEM_MEM, "malloc_state", "max_system_mem")     \
    X(PAR_TRIM_THRESHOLD, "malloc_par", "trim_threshold")         \
    X(PAR_MMAP_THRESHOLD, "malloc_par", "mmap_threshold")         \
    X(PAR_ARENA_MAX, "malloc_par", "arena_max")                   \
    X(PAR_THP_PAGESIZE, "malloc_par", "thp_pagesize")             \
    X(PAR_HP_PAGESIZE, "malloc_par", "hp_pagesize")               \
    X(PAR_N_MMAPS, "malloc_par", "n_mmaps")                       \
    X(PAR_MMAPPED_MEM, "malloc_par", "mmapped_mem")               \
    X(PAR_SBRK_BASE, "malloc_par", "sbrk_base")                   \
    X(PAR_TCACHE_COUNT, "malloc_par", "tcache_count")             \
    X(HEAP_AR_PTR, "_heap_info", "ar_ptr")                        \
    X(HEAP_PREV, "_heap_info", "prev")                            \
    X(HEAP_SIZE, "_heap_info", "size")                            \
    X(HEAP_MPROTECT_SIZE, "_heap_info", "mprotect_size")          \
    X(TCACHE_ENTRIES, "tcache_perthread_struct", "entries")
enum symbol_field {
#define X(name, structure, member) FIELD_##name,
    SYMBOL_FIELD_TABLE(X)
#undef X
        FIELD_COUNT
};

/** Structs whose size an answer may hold, by the name that DWARF has. */
#define SYMBOL_STRUCT_TABLE(X) \
    X(STATE, "malloc_state")   \
    X(PAR, "malloc_par")       \
    X(HEAP, "_heap_info")      \
    X(TCACHE, "tcache_perthread_struct")
enum symbol_struct {
#define X(name, label) STRUCT_##name,
    SYMBOL_STRUCT_TABLE(X)
#undef X
        STRUCT_COUNT
};

/** What a module's files say. Addresses are link-time ones (add the load bias); 0: not known. */
struct symbol_answer {
    uint64_t main_arena;
    uint64_t mp;
    uint64_t tcache_tls;       /* offset of `tcache` in PT_TLS */
    uint64_t thread_arena_tls; /* offset of `thread_arena` in PT_TLS */
    bool has_tcache_tls, has_thread_arena_tls;
    bool from_debuginfo;          /* of a separate debug file, not of the module's own .symtab */
    bool has_layout;              /* the rows below are filled, from DWARF */
    int32_t offsets[FIELD_COUNT]; /* bytes; -1: the struct has no such member */
    int32_t sizes[STRUCT_COUNT];  /* bytes; -1: not known */
};

/** What is asked of a module's symbols or types. */
enum symbol_question_kind {
    SYMBOL_BY_NAME,    /* @text: a part of the name, mangled or not, or all of it (@is_exact) */
    SYMBOL_BY_ADDRESS, /* @address, link-time: the symbol that has it */
    SYMBOL_STRUCT      /* @text: the members of that structure, from DWARF */
};
struct symbol_question {
    enum symbol_question_kind kind;
    bool is_exact;
    char text[256];
    uint64_t address;
    uint32_t limit; /* of findings, at least 1 */
};

/* How a member's value is read: enumerator. */
enum symbol_form {
    FORM_UNSIGNED,
    FORM_SIGNED,
    FORM_POINTER,
    FORM_BOOL,
    FORM_CHAR,
    FORM_FLOAT,
    FORM_OTHER,
    FORM_COUNT
};

/** A symbol, or a member of a structure. The texts are hostile: any bytes, but NUL-terminated. */
struct symbol_finding {
    char name[512];      /* demangled where it was mangled; a member's path, "a.b" */
    char type[128];      /* "function", "object", "thread_local", …; a member's type */
    uint64_t value;      /* link-time address, or a member's offset in bytes */
    uint64_t size_bytes; /* of a member: of one element */
    uint32_t count;      /* elements of an array member; 1 else */
    enum symbol_form form;
};
/** Takes a finding; false: no more are wanted. */
typedef bool symbol_take(void *context, const struct symbol_finding *finding);

/** Other allocators that a module's symbols tell, by the name that users see. */
#define OTHER_ALLOCATOR_TABLE(X) \
    X(JEMALLOC, "jemalloc")      \
    X(TCMALLOC, "tcmalloc")      \
    X(MIMALLOC, "mimalloc")      \
    X(MUSL, "musl")              \
    X(GO, "go")
enum other_allocator {
#define X(name, label) OTHER_##name,
    OTHER_ALLOCATOR_TABLE(X)
#undef X
        OTHER_COUNT
};

/** A source of answers. */
struct symbol_source {
    /** Asked before the signature is looked for: tests hold both ways against each other. */
    bool is_preferred;
    /**
     * What the files of a module say. @module_fd is its file (stays the caller's) or -1 where only the
     * build-id is known; @build_id is @build_id_length bytes (0: none). STATUS_NOT_FOUND: nothing found.
     */
    enum status (*resolve)(struct symbol_source *source, int module_fd, const uint8_t *build_id,
                           uint32_t build_id_length, struct symbol_answer *ret, struct error *err);
    /**
     * Findings in a module's files, told by @take one by one. STATUS_NOT_FOUND: there is nothing to search in
     * (no symbols, no DWARF); no finding is STATUS_OK.
     */
    enum status (*lookup)(struct symbol_source *source, int module_fd, const uint8_t *build_id,
                          uint32_t build_id_length, const struct symbol_question *question, symbol_take *take,
                          void *context, struct error *err);
    /** Which other allocator the module's own symbols define. STATUS_NOT_FOUND: none that is known. */
    enum status (*find_other)(struct symbol_source *source, int module_fd, enum other_allocator *ret,
                              struct error *err);
};

#endif
