/* core_internal.h - what the files of a core target share; nobody else includes it. */
#ifndef TARGET_CORE_INTERNAL_H
#define TARGET_CORE_INTERNAL_H

#include "target/core.h"

/** A run of memory (PT_LOAD): @file_length bytes of it are in the core at @offset. */
struct core_segment {
    uint64_t start, end;
    uint64_t offset;
    uint64_t file_length; /* what there really is: less than the header says where the core was cut off */
    uint32_t flags;       /* PF_R | PF_W | PF_X */
};

/** A row of NT_FILE: what file was mapped where. */
struct core_row {
    uint64_t start, end;
    uint64_t offset; /* in the file, bytes */
    const char *name;
    uint32_t file; /* index in files */
};

/** A file that was mapped. */
struct core_file {
    const char *name;
    const char *path;      /* where it is looked for */
    uint64_t needed_bytes; /* that it must have for all that was mapped of it */
    uint64_t first_start;  /* where its first page was mapped; 0: it was not */
    bool is_tried;
    int fd; /* -1: not there, or not the one that was mapped */
};

struct core_thread {
    pid_t tid;
    uint64_t pointer; /* thread pointer; 0: not known */
    uint64_t gs;      /* i386: the selector */
};

/** A core. Everything is its own. */
struct core {
    struct target base;
    int fd;
    char *name;
    char *exe_path; /* where the program's file is now; NULL: where it was */
    uint64_t file_bytes;
    unsigned machine; /* EM_… */
    struct core_segment *segments;
    size_t segment_count;
    struct core_row *rows; /* by address */
    size_t row_count;
    char *row_text; /* what the rows' names point into */
    struct core_file *files;
    size_t file_count;
    struct core_thread *threads;
    size_t thread_count, thread_capacity;
    unsigned long_proofs; /* that looked at all rows */
    uint64_t notes_left;  /* no more are read than a file of this size can hold */
    bool has_auxv;
    uint64_t auxv_random, auxv_vdso, auxv_headers; /* 0: not known */
    struct target_core_info info;
};

/** The core that @target is the head of. */
static inline struct core *core_of(struct target *target)
{
    return (struct core *)target;
}

/** STATUS_BAD_DATA with the core's name in front. */
enum status core_bad(const struct core *core, struct error *err, const char *what) must_check;

/** All of @length bytes of the core file at @offset; false where it ends before. */
bool core_pread(const struct core *core, uint64_t offset, void *data, size_t length);

/** The first segment that ends behind @address, or NULL. */
const struct core_segment *core_next_segment(const struct core *core, uint64_t address);

/** The segment that contains @address, or NULL. */
const struct core_segment *core_find_segment(const struct core *core, uint64_t address);

/* core_headers.c */
/** A run of notes (PT_NOTE) in the file. */
struct core_notes {
    uint64_t offset, length;
};
/** Read the header and the program headers; *@ret and *@count: the runs of notes, the caller frees. */
enum status core_read_headers(struct core *core, struct core_notes **ret, size_t *count,
                              struct error *err) must_check;

/** For qsort(3). */
int core_segment_by_start(const void *left, const void *right);

/* core_notes.c */
/** Take what the notes say of threads, files and the program. */
enum status core_read_notes(struct core *core, const struct core_notes *notes, struct error *err) must_check;

/* core_maps.c */
enum status core_maps(struct target *target, struct maps *ret, struct error *err);

/* core_files.c */
/** Take NT_FILE; @text of @length bytes becomes the core's. */
enum status core_take_files(struct core *core, char *text, size_t length, struct error *err) must_check;
/** Know the program's file, which is at @exe_path if that is not NULL. */
enum status core_take_program(struct core *core, const char *exe_path, struct error *err) must_check;
/** Make segments, without bytes of the core, of the rows' parts that have none. */
enum status core_add_file_segments(struct core *core, struct error *err) must_check;
/** The row that contains @address, or NULL. */
const struct core_row *core_find_row(const struct core *core, uint64_t address);
/** The descriptor of a file that is proved to be the one that was mapped, or -1. The core's. */
int core_file_fd(struct core *core, uint32_t file);

/* core_proof.c */
/** Whether the file @fd is what was mapped as @file, as far as the core can tell. */
bool core_file_is_proved(struct core *core, uint32_t file, int fd);

#endif
