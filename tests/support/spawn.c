/* spawn.c - start, ask and end a target program. */
#include "support/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define ARGUMENTS_MAX 32

static _Noreturn void run_child(const char *const argv[], const char *const environment[], int input,
                                int output)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* a group of its own: what it forks ends with it */
    setpgid(0, 0);
    for (; environment != NULL && *environment != NULL; environment++) {
        char *copy = strdup(*environment);
        if (copy == NULL || putenv(copy) != 0) {
            _exit(126);
        }
    }
    if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0) {
        _exit(126);
    }
    char *arguments[ARGUMENTS_MAX + 1] = {NULL};
    for (size_t i = 0; i < ARGUMENTS_MAX && argv[i] != NULL; i++) {
        arguments[i] = strdup(argv[i]);
    }
    execvp(arguments[0], arguments);
    _exit(127);
}

bool spawn_start(struct spawned *ret, const char *const argv[], const char *const environment[])
{
    int input[2], output[2];
    *ret = (struct spawned){.pid = -1, .commands = -1, .answers = -1};
    if (pipe2(input, O_CLOEXEC) != 0) {
        return false;
    }
    if (pipe2(output, O_CLOEXEC) != 0) {
        close(input[0]);
        close(input[1]);
        return false;
    }
    pid_t pid = fork();
    if (pid == 0) {
        run_child(argv, environment, input[0], output[1]);
    }
    close(input[0]);
    close(output[1]);
    *ret = (struct spawned){.pid = pid, .commands = input[1], .answers = output[0]};
    return pid > 0;
}

char *spawn_ready(struct spawned *ret, const char *const argv[], const char *const environment[])
{
    return spawn_start(ret, argv, environment) ? spawn_answer(ret) : NULL;
}

void spawn_target_path(const char *name, char path[PATH_MAX])
{
    const char *root = getenv("BUILD_ROOT");
    snprintf(path, PATH_MAX, "%s/tests/targets/target_%s", root != NULL ? root : ".", name);
}

bool spawn_target(struct spawned *ret, const char *name, const char *const arguments[])
{
    char path[PATH_MAX];
    spawn_target_path(name, path);
    const char *argv[ARGUMENTS_MAX + 1] = {path};
    for (size_t i = 0; arguments != NULL && arguments[i] != NULL && i + 1 < ARGUMENTS_MAX; i++) {
        argv[i + 1] = arguments[i];
    }
    scoped_free char *answer = spawn_ready(ret, argv, NULL);
    return answer != NULL && strcmp(answer, "ready") == 0;
}

static bool read_all(int fd, char *data, size_t length)
{
    while (length > 0) {
        ssize_t got = read(fd, data, length);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        data += got;
        length -= (size_t)got;
    }
    return true;
}

char *spawn_answer(struct spawned *spawned)
{
    char line[32] = "";
    for (size_t i = 0; i + 1 < sizeof line; i++) {
        if (!read_all(spawned->answers, &line[i], 1)) {
            return NULL;
        }
        if (line[i] == '\n') {
            break;
        }
    }
    size_t length = strtoul(line, NULL, 10);
    char *answer = calloc(1, length + 1);
    if (answer == NULL || !read_all(spawned->answers, answer, length)) {
        free(answer);
        return NULL;
    }
    return answer;
}

char *spawn_ask(struct spawned *spawned, const char *command)
{
    if (dprintf(spawned->commands, "%s\n", command) < 0) {
        return NULL;
    }
    return spawn_answer(spawned);
}

void spawn_end(struct spawned *spawned)
{
    if (spawned->pid <= 0) {
        return;
    }
    kill(-spawned->pid, SIGKILL);
    kill(spawned->pid, SIGKILL);
    while (waitpid(spawned->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    close(spawned->commands);
    close(spawned->answers);
    spawned->pid = -1;
}
