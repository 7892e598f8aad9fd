/* pid_files.c - see pid_files.h. */
#include "roles/scanner/pid_files.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"

/* A whole number above 0, with white space around it at most. */
static int32_t parse(char *text)
{
    char *end;
    long pid = strtol(text, &end, 10);
    while (isspace((unsigned char)*end))
        end++;
    return end != text && *end == '\0' && pid > 0 && pid <= INT32_MAX ? (int32_t)pid : 0;
}

static int32_t read_pid(const char *path)
{
    char text[64];
    struct stat stat;
    scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t length =
        fd < 0 || fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode) ? -1 : read(fd, text, sizeof text - 1);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    return parse(text);
}

static void add(struct pid_files *files, const char *path)
{
    if (path && array_room(&files->items, files->count, &files->capacity))
        files->items[files->count++] = (struct pid_file){path, read_pid(path)};
}

void pid_files_read(const struct config *config, struct pid_files *ret)
{
    for (size_t i = 0; i < config->entries_count; i++) {
        add(ret, config->entries[i].match.pid_file);
        add(ret, config->entries[i].exclude.pid_file);
    }
}

int32_t pid_files_find(const void *context, const char *path)
{
    const struct pid_files *files = ((const struct pid_file_view *)context)->files;
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->items[i].path, path) == 0)
            return files->items[i].pid;
    return 0;
}

/* Its root and what lies in it are the process' word: no magic link, and nothing is opened but a regular
 * file. */
int32_t pid_files_find_inner(const void *context, const char *path)
{
    const struct pid_file_view *view = context;
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    struct stat stat;
    char name[320];
    snprintf(name, sizeof name, "%s/%d/task/%d/root", view->procfs, (int)view->pid, (int)view->live_tid);
    scoped_fd int root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    scoped_fd int found = root < 0 ? -1 : (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    if (found < 0 || fstat(found, &stat) != 0 || !S_ISREG(stat.st_mode))
        return 0;
    snprintf(name, sizeof name, "%s/self/fd/%d", view->procfs, found);
    return read_pid(name);
}

void pid_files_deinit(struct pid_files *files)
{
    free(files->items);
    *files = (struct pid_files){0};
}
