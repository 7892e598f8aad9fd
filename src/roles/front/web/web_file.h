/* web_file.h - the files of a web configuration: read whole, and seen when they change. */
#ifndef ROLES_FRONT_WEB_WEB_FILE_H
#define ROLES_FRONT_WEB_WEB_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/buffer.h"

#define WEB_FILE_BYTES_MAX (1024 * 1024)

/** Append the bytes of the regular file at @path. STATUS_USAGE: it cannot be read or is too large. */
enum status web_file_read(const char *path, struct buffer *ret, struct error *err) must_check;
/** buffer_deinit(), with the bytes wiped. */
void web_file_wipe(struct buffer *buffer);

/** What tells a file from its next version: all 0 where there is none. */
struct web_file_stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};
struct web_file_stamp web_file_stamp(const char *path);
bool web_file_stamp_equal(const struct web_file_stamp *a, const struct web_file_stamp *b);

#endif
