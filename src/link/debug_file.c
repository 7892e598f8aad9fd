/*
 * debug_file.c - see debug_file.h. A file is first found as O_PATH and opened once it is known to be a
 * regular one: below a target's root anything may lie at that name.
 */
#include "link/debug_file.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

static int open_regular(int root_fd, uint64_t resolve, const char *path)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve};
    scoped_fd int found = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
    struct stat stat;
    char again[40];
    if (found < 0 || fstat(found, &stat) != 0 || !S_ISREG(stat.st_mode))
        return -1;
    snprintf(again, sizeof again, "/proc/self/fd/%d", found);
    return open(again, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static int open_by_build_id(int root_fd, uint64_t resolve, const char *directory,
                            const struct resolver_record *wanted)
{
    char hex[2 * RESOLVER_BUILD_ID_MAX + 1] = "", path[PATH_MAX];
    for (uint32_t i = 0; i < wanted->build_id_length; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", wanted->build_id[i]);
    if (wanted->build_id_length < 2 ||
        snprintf(path, sizeof path, "%s/.build-id/%.2s/%s.debug", directory, hex, hex + 2) >= PATH_MAX)
        return -1;
    return open_regular(root_fd, resolve, path);
}

static bool is_base_name(const char *name)
{
    return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int debug_file_open(int root_fd, bool is_hosts, const char *debug_directory, const char *module_directory,
                    const struct resolver_record *wanted)
{
    char path[PATH_MAX];
    uint64_t resolve = is_hosts ? 0 : RESOLVE_NO_XDEV;
    int fd = open_by_build_id(root_fd, resolve, debug_directory, wanted);
    if (fd >= 0 || !is_base_name(wanted->debuglink) || !*module_directory)
        return fd;
    if (snprintf(path, sizeof path, "%s/%s/%s", debug_directory, module_directory, wanted->debuglink) <
        PATH_MAX)
        fd = open_regular(root_fd, resolve, path);
    if (fd < 0 && snprintf(path, sizeof path, "%s/.debug/%s", module_directory, wanted->debuglink) < PATH_MAX)
        fd = open_regular(root_fd, resolve, path);
    return fd;
}
