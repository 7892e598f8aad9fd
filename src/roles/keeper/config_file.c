/* config_file.c - see config_file.h. */
#include "roles/keeper/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* All of @from into @to; the length or -1. */
static ssize_t copy(int from, int to)
{
    char block[16384];
    ssize_t total = 0, got;
    while ((got = read(from, block, sizeof block)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || write(to, block, (size_t)got) != got)
            return -1;
        total += got;
        if (total > CONFIG_FILE_BYTES_MAX)
            break;
    }
    return total;
}

static enum status fill(const char *path, int file, int memory, uint64_t *length_ret, struct error *err)
{
    struct stat stat;
    if (fstat(file, &stat) != 0)
        return error_errno(err, errno, "%s", path);
    if (!S_ISREG(stat.st_mode))
        return error_set(err, STATUS_USAGE, "%s: the configuration must be a regular file", path);
    ssize_t length = copy(file, memory);
    if (length < 0)
        return error_errno(err, errno, "read %s", path);
    if (length > CONFIG_FILE_BYTES_MAX)
        return error_set(err, STATUS_USAGE, "%s: larger than %d bytes", path, CONFIG_FILE_BYTES_MAX);
    if (fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
        return error_errno(err, errno, "seal the configuration");
    *length_ret = (uint64_t)length;
    return STATUS_OK;
}

enum status config_file_read(const char *path, bool may_be_missing, struct message_config *message,
                             int *fd_ret, struct error *err)
{
    *message = (struct message_config){0};
    snprintf(message->file, sizeof message->file, "%s", path);
    *fd_ret = -1;
    /* O_NONBLOCK: a pipe there must not hold us */
    scoped_fd int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0 && errno == ENOENT && may_be_missing) {
        message->is_default = 1;
        return STATUS_OK;
    }
    if (file < 0)
        return error_errno(err, errno, "open %s", path);
    scoped_fd int memory = memfd_create("configuration", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory < 0)
        return error_errno(err, errno, "memory for %s", path);
    enum status status = fill(path, file, memory, &message->length_bytes, err);
    if (status == STATUS_OK)
        *fd_ret = take_fd(&memory);
    return status;
}
