/*
 * cleanup.h - the one cleanup idiom: a resource belongs to a scoped variable until it is handed over on the
 * last line with take_fd() or take_ptr().
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/** Run @function(&variable) when the variable leaves its scope. */
#define scoped(function) __attribute__((cleanup(function)))

static inline void scoped_free_run(void *pointer)
{
    free(*(void **)pointer);
}

static inline void scoped_fd_run(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void scoped_file_run(FILE **file)
{
    if (*file)
        fclose(*file);
}

static inline void scoped_directory_run(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

/** free() at the end of the scope. */
#define scoped_free scoped(scoped_free_run)
/** close() at the end of the scope; initialise with -1. */
#define scoped_fd scoped(scoped_fd_run)
/** fclose() at the end of the scope; initialise with NULL. */
#define scoped_file scoped(scoped_file_run)

/** closedir() at the end of the scope; initialise with NULL. */
#define scoped_directory scoped(scoped_directory_run)

/** Hand over a descriptor: returns it and leaves -1 behind. */
static inline int take_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

/** Hand over a pointer variable: its value, NULL left behind. */
#define take_ptr(pointer)                       \
    __extension__({                             \
        __typeof__(pointer) taken_ = (pointer); \
        (pointer) = NULL;                       \
        taken_;                                 \
    })

#endif
