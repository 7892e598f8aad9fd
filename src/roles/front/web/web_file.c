/* web_file.c - see web_file.h. */
#include "roles/front/web/web_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static enum status refuse(const char *path, int code, struct error *err)
{
    return error_set(err, STATUS_USAGE, "%s: %s%s", path, strerror(code),
                     code == EACCES ? " (it must be readable by the user that the exporter runs as)" : "");
}

enum status web_file_read(const char *path, struct buffer *ret, struct error *err)
{
    struct stat status;
    char block[16384];
    ssize_t got;
    size_t total = 0;
    /* O_NONBLOCK: a FIFO must not hold us up */
    scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &status) != 0)
        return refuse(path, errno, err);
    if (!S_ISREG(status.st_mode))
        return error_set(err, STATUS_USAGE, "%s: not a regular file", path);
    while ((got = read(fd, block, sizeof block)) > 0) {
        total += (size_t)got;
        if (total > WEB_FILE_BYTES_MAX)
            return error_set(err, STATUS_USAGE, "%s: larger than 1 MiB", path);
        buffer_append(ret, block, (size_t)got);
    }
    explicit_bzero(block, sizeof block);
    return got < 0 ? refuse(path, errno, err) : buffer_status(ret, err);
}

void web_file_wipe(struct buffer *buffer)
{
    if (buffer->data)
        explicit_bzero(buffer->data, buffer->length);
    buffer_deinit(buffer);
}

struct web_file_stamp web_file_stamp(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return (struct web_file_stamp){0};
    return (struct web_file_stamp){status.st_dev, status.st_ino, status.st_size, status.st_mtim,
                                   status.st_ctim};
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool web_file_stamp_equal(const struct web_file_stamp *a, const struct web_file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           same_time(&a->modified, &b->modified) && same_time(&a->changed, &b->changed);
}
