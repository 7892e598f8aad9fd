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
    size_t count;
};

/** Read the files that @config's entries name. */
void pid_files_read(const struct config *config, struct pid_files *ret);

/** The pid in the file @path, 0 for none; the pid_file_of of struct process_facts. @context: struct
 * pid_files. */
int32_t pid_files_find(const void *context, const char *path);

void pid_files_deinit(struct pid_files *files);
#define scoped_pid_files scoped(pid_files_deinit)

#endif
