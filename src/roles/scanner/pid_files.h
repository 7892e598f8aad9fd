/* pid_files.h - what the pid files that entries name say now. */
#ifndef ROLES_SCANNER_PID_FILES_H
#define ROLES_SCANNER_PID_FILES_H

#include "base/cleanup.h"
#include "config/config.h"

/** Read once a round. Zero-initialise; paths are the configuration's. */
struct pid_files {
    struct pid_file {
        const char *path;
        int32_t pid; /* 0: none */
    } * items;
    size_t count, capacity;
};

/** Read the files that @config's entries name. */
void pid_files_read(const struct config *config, struct pid_files *ret);

/** The files as one process is matched against them: also those inside of its root, at @live_tid's. */
struct pid_file_view {
    const struct pid_files *files;
    const char *procfs;
    int32_t pid, live_tid;
};

/** The pid in the file @path, 0 for none; the pid_file_of of struct process_facts. @context: the view. */
int32_t pid_files_find(const void *context, const char *path);

/** The pid in the file @path as the process sees it, read now, 0 for none; the inner_pid_file_of. */
int32_t pid_files_find_inner(const void *context, const char *path);

void pid_files_deinit(struct pid_files *files);
#define scoped_pid_files scoped(pid_files_deinit)

#endif
