/* task_list.c - see task_list.h. */
#include "target/task_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux_dirent64 of getdents64(2). */
struct entry {
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

bool task_list_open(struct task_list *list, int directory_fd, const char *path)
{
    list->failed_errno = 0;
    list->length = list->at = 0;
    list->fd = openat(directory_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return list->fd >= 0;
}

pid_t task_list_next(struct task_list *list)
{
    for (;;) {
        if (list->at >= list->length) {
            long got = syscall(SYS_getdents64, list->fd, list->entries, sizeof list->entries);
            if (got < 0 && errno != ENOENT && errno != ESRCH)
                list->failed_errno = errno;
            if (got <= 0)
                return 0;
            list->length = (size_t)got;
            list->at = 0;
        }
        const struct entry *entry = (const void *)(list->entries + list->at);
        list->at += entry->length;
        pid_t tid = (pid_t)atoi(entry->name);
        if (tid > 0)
            return tid;
    }
}

void task_list_close(struct task_list *list)
{
    if (list->fd >= 0)
        close(list->fd);
    list->fd = -1;
}
