/* proc_file.c - see proc_file.h. */
#include "target/proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"

enum status proc_file_read_fd(int fd, struct buffer *ret, struct error *err)
{
    char block[16384];
    off_t offset = 0;
    for (;;) {
        ssize_t got = pread(fd, block, sizeof block, offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, errno, "read from /proc");
        if (got == 0)
            return buffer_status(ret, err);
        buffer_append(ret, block, (size_t)got);
        offset += got;
    }
}

enum status proc_file_read(int directory_fd, const char *path, struct buffer *ret, struct error *err)
{
    scoped_fd int fd = openat(directory_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return error_set(err, STATUS_GONE, "the process or thread has ended");
    if (fd < 0)
        return error_errno(err, errno, "open %s of the process", path);
    return proc_file_read_fd(fd, ret, err);
}

enum status proc_file_stat(int directory_fd, const char *path, struct proc_stat *ret, struct error *err)
{
    scoped_buffer struct buffer text = {0};
    enum status status = proc_file_read(directory_fd, path, &text, err);
    if (status != STATUS_OK)
        return status;
    return proc_stat_parse(text.data ? text.data : "", text.length, ret, err);
}
