/* own_descriptors.c - see own_descriptors.h. */
#include "roles/front/own_descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

static DIR *list;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

enum status own_descriptors_open(const char *procfs, struct error *err)
{
    char path[320];
    snprintf(path, sizeof path, "%s/self/fd", procfs);
    list = opendir(path);
    return list ? STATUS_OK : error_errno(err, errno, "open %s", path);
}

uint64_t own_descriptors_count(void)
{
    uint64_t count = 0;
    if (!list)
        return 0;
    pthread_mutex_lock(&lock);
    rewinddir(list);
    for (errno = 0; readdir(list); errno = 0)
        count++;
    bool is_whole = errno == 0;
    pthread_mutex_unlock(&lock);
    return !is_whole || count < 2 ? 0 : count - 2; /* "." and ".." */
}
