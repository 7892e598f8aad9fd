/* main.c - runs a fuzz target without an engine: over the files, and the files of the directories, named. */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define INPUT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *current = "";

static void name_current(int number)
{
    static const char text[] = "fuzz input: ";
    bool is_said = write(STDERR_FILENO, text, sizeof text - 1) >= 0 &&
                   write(STDERR_FILENO, current, strlen(current)) >= 0 && write(STDERR_FILENO, "\n", 1) >= 0;
    (void)is_said;
    signal(number, SIG_DFL);
}

static size_t run_file(const char *path)
{
    current = path;
    static uint8_t data[INPUT_MAX];
    FILE *scoped_file file = fopen(path, "rbe");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    size_t size = fread(data, 1, sizeof data, file);
    /* a copy of its own size: the sanitizer sees a byte too far */
    scoped_free uint8_t *copy = malloc(size + (size == 0));
    if (copy == NULL) {
        exit(2);
    }
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    return 1;
}

static size_t run_directory(const char *path)
{
    size_t count = 0;
    DIR *directory = opendir(path);
    if (directory == NULL) {
        perror(path);
        exit(2);
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char name[4096];
        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        count += run_file(name);
    }
    closedir(directory);
    return count;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    signal(SIGABRT, name_current);
    for (int i = 1; i < argc; i++) {
        struct stat stat_buffer;
        bool is_directory = stat(argv[i], &stat_buffer) == 0 && S_ISDIR(stat_buffer.st_mode);
        count += is_directory ? run_directory(argv[i]) : run_file(argv[i]);
    }
    printf("%zu inputs\n", count);
    return count > 0 ? 0 : 2;
}
