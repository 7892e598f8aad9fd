/* proc_file.h - whole small files below /proc/PID, read through a descriptor of that directory. */
#ifndef TARGET_PROC_FILE_H
#define TARGET_PROC_FILE_H

#include "base/buffer.h"
#include "base/error.h"
#include "target/live.h"

/**
 * Append all of the open file @fd from its start to @ret. ESRCH, which procfs gives for a process that has
 * ended, is STATUS_GONE.
 */
enum status proc_file_read_fd(int fd, struct buffer *ret, struct error *err) must_check;

/** The same for the file @path below the directory @directory_fd. ENOENT is STATUS_GONE here too. */
enum status proc_file_read(int directory_fd, const char *path, struct buffer *ret,
                           struct error *err) must_check;

/** Read and parse a stat file: "stat" or "task/TID/stat" below the directory of a process. */
enum status proc_file_stat(int directory_fd, const char *path, struct proc_stat *ret,
                           struct error *err) must_check;

#endif
