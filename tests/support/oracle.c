/* oracle.c - start a real program with the oracle, and ask it. */
#include "support/oracle.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANSWER_MAX ((size_t)1 << 20)
#define PATIENCE_MS 10000
#define LOOKS_MAX 2000
#define QUIET_LOOKS 20

bool oracle_init(struct oracle *ret)
{
    *ret = (struct oracle){.program = {.pid = -1}, .folder = "/tmp/oracleXXXXXX", .fifo = -1};
    if (mkdtemp(ret->folder) == NULL) {
        return false;
    }
    char path[64];
    snprintf(path, sizeof path, "%s/fifo", ret->folder);
    /* servers give up root before they bind */
    if (mkfifo(path, 0600) != 0 || chmod(ret->folder, 0777) != 0) {
        return false;
    }
    ret->fifo = open(path, O_RDWR | O_CLOEXEC);
    return ret->fifo >= 0;
}

bool oracle_start(struct oracle *oracle, const char *const argv[])
{
    char preload[512], fifo[64];
    const char *root = getenv("BUILD_ROOT");
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s/tests/oracle/oracle_preload.so",
             root != NULL ? root : ".");
    snprintf(fifo, sizeof fifo, "ORACLE_FIFO=%s/fifo", oracle->folder);
    const char *const environment[] = {preload, fifo, NULL};
    return spawn_start(&oracle->program, argv, environment);
}

/* Whether each thread sleeps in a system call; adds up their context switches. */
static bool are_threads_asleep(pid_t pid, unsigned long *switches)
{
    char path[64], line[128];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *folder = opendir(path);
    bool is_asleep = folder != NULL;
    *switches = 0;
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        char status[400];
        snprintf(status, sizeof status, "%s/%s/status", path, entry->d_name);
        FILE *file = fopen(status, "re");
        while (file != NULL && fgets(line, sizeof line, file) != NULL) {
            unsigned long count;
            if (strncmp(line, "State:\t", 7) == 0 && line[7] != 'S') {
                is_asleep = false;
            }
            if (sscanf(line, "voluntary_ctxt_switches: %lu", &count) == 1 ||
                sscanf(line, "nonvoluntary_ctxt_switches: %lu", &count) == 1) {
                *switches += count;
            }
        }
        if (file != NULL) {
            fclose(file);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return is_asleep;
}

bool oracle_wait_idle(pid_t pid)
{
    unsigned long before = 0, now = 0;
    int quiet = 0;
    for (int i = 0; i < LOOKS_MAX && quiet < QUIET_LOOKS; i++) {
        bool is_asleep = are_threads_asleep(pid, &now);
        quiet = is_asleep && now == before ? quiet + 1 : 0;
        before = now;
        poll(NULL, 0, 5);
    }
    return quiet == QUIET_LOOKS;
}

char *oracle_ask(struct oracle *oracle, pid_t pid)
{
    char *text = calloc(1, ANSWER_MAX + 1);
    if (text == NULL || kill(pid, SIGRTMIN + 5) != 0) {
        free(text);
        return NULL;
    }
    struct pollfd wait = {.fd = oracle->fifo, .events = POLLIN};
    for (size_t length = 0; length < ANSWER_MAX && poll(&wait, 1, PATIENCE_MS) == 1;) {
        ssize_t got = read(oracle->fifo, text + length, ANSWER_MAX - length);
        if (got <= 0) {
            break;
        }
        length += (size_t)got;
        if (text[length - 1] == '\0') {
            return text;
        }
    }
    free(text);
    return NULL;
}

void oracle_deinit(struct oracle *oracle)
{
    spawn_end(&oracle->program);
    if (oracle->fifo >= 0) {
        close(oracle->fifo);
    }
    char path[300];
    DIR *folder = opendir(oracle->folder);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", oracle->folder, entry->d_name);
        remove(path);
    }
    if (folder != NULL) {
        closedir(folder);
    }
    rmdir(oracle->folder);
}
