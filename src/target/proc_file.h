/* proc_file.h - whole small files below /proc/PID, read through a descriptor of that directory. */
#ifndef TARGET_PROC_FILE_H
#define TARGET_PROC_FILE_H

#include <dirent.h>

#include "base/buffer.h"
#include "base/error.h"
#include "target/live.h"

/*
 * What a file may hold, in bytes: each is the process' to fill. status lists up to 65,536 groups, in 11 bytes
 * each (NGROUPS_MAX); of 65,530 mappings (vm.max_map_count, where nobody raised it) maps has a line of 200
 * bytes and smaps 800 more; of 100,000 mounts (fs.mount-max) mountinfo has a line of 300. Some times that.
 */
#define PROC_STATUS_BYTES_MAX ((size_t)1 << 20)
#define PROC_MAPS_BYTES_MAX ((size_t)128 << 20)
#define PROC_SMAPS_BYTES_MAX ((size_t)512 << 20)
#define PROC_MOUNTS_BYTES_MAX ((size_t)128 << 20)
/** Files of one line: stat, syscall, wchan. */
#define PROC_LINE_BYTES_MAX ((size_t)4096)

/**
 * Append all of the open file @fd from its start, at most @bytes_max, to @ret. ESRCH, which procfs gives for
 * a process that has ended, is STATUS_GONE; STATUS_SYSTEM, with nothing appended, where it holds more.
 */
enum status proc_file_read_fd(int fd, size_t bytes_max, struct buffer *ret, struct error *err) must_check;

/** The same for the file @path below the directory @directory_fd. ENOENT is STATUS_GONE here too. */
enum status proc_file_read(int directory_fd, const char *path, size_t bytes_max, struct buffer *ret,
                           struct error *err) must_check;

/** The next process that @directory, an open procfs, names, or the next thread of a task folder; 0 at its
 * end, with errno set where it could not be read to there. */
pid_t proc_next_pid(DIR *directory);

/** Read and parse a stat file: "stat" or "task/TID/stat" below the directory of a process. */
enum status proc_file_stat(int directory_fd, const char *path, struct proc_stat *ret,
                           struct error *err) must_check;

#endif
