/* proc_file.c - see proc_file.h. */
#include "target/proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

static enum status read_all(int fd, size_t bytes_max, struct buffer *ret, struct error *err)
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
        offset += got;
        if ((size_t)offset > bytes_max)
            return error_set(err, STATUS_SYSTEM, "a file of the process in /proc has more than %zu bytes",
                             bytes_max);
        buffer_append(ret, block, (size_t)got);
    }
}

enum status proc_file_read_fd(int fd, size_t bytes_max, struct buffer *ret, struct error *err)
{
    size_t before = ret->length;
    enum status status = read_all(fd, bytes_max, ret, err);
    if (status != STATUS_OK)
        ret->length = before;
    return status;
}

enum status proc_file_read(int directory_fd, const char *path, size_t bytes_max, struct buffer *ret,
                           struct error *err)
{
    scoped_fd int fd = openat(directory_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return error_set(err, STATUS_GONE, "the process or thread has ended");
    if (fd < 0)
        return error_errno(err, errno, "open %s of the process", path);
    return proc_file_read_fd(fd, bytes_max, ret, err);
}

pid_t proc_next_pid(DIR *directory)
{
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(directory)) != NULL) {
        char *end;
        long pid = strtol(entry->d_name, &end, 10);
        if (*end == '\0' && pid > 0 && pid <= INT32_MAX)
            return (pid_t)pid;
    }
    return 0;
}

enum status proc_file_stat(int directory_fd, const char *path, struct proc_stat *ret, struct error *err)
{
    scoped_buffer struct buffer text = {0};
    enum status status = proc_file_read(directory_fd, path, PROC_LINE_BYTES_MAX, &text, err);
    if (status != STATUS_OK)
        return status;
    return proc_stat_parse(text.data ? text.data : "", text.length, ret, err);
}
