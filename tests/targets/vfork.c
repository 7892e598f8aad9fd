/*
 * vfork.c - alone|among: a thread that waits in vfork(2) until SIGUSR1 ends it, the only one or beside the
 * main one. The child, which has its parent's memory until then, says its pid on a line and, upon the signal,
 * execs. Command: `child` says how it ended ("exit 7"), or "waits".
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "truth.h"

#define BLOCKS 3000
#define CHILD_CODE 7

static atomic_bool is_in_vfork;
static atomic_int child_status = -1;

/* Nothing that a parent must not find changed afterwards. */
static _Noreturn void be_child(const sigset_t *signals)
{
    char program[] = "/proc/self/exe", word[] = "ended", *arguments[] = {program, word, NULL};
    char line[16];
    int signal;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int length = snprintf(line, sizeof line, "%d\n", (int)getpid());
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        _exit(1);
    atomic_store(&is_in_vfork, true);
    sigwait(signals, &signal);
    execv(program, arguments);
    _exit(1);
}

static void *wait_in_vfork(void *context)
{
    const sigset_t *signals = context;
    int status = 0;
    pid_t child = vfork();
    if (child == 0)
        be_child(signals);
    /* whatever a parent can be told of a child's state */
    if (waitpid(-1, &status, WUNTRACED | WCONTINUED) != child)
        status = -2;
    atomic_store(&child_status, status);
    return NULL;
}

static const char *say_child(const char *command)
{
    static char text[32];
    int status = atomic_load(&child_status);
    if (strcmp(command, "child") != 0)
        return NULL;
    if (status == -1)
        return "waits";
    snprintf(text, sizeof text, "%s %d", WIFEXITED(status) ? "exit" : "status",
             WIFEXITED(status) ? WEXITSTATUS(status) : status);
    return text;
}

int main(int argc, char **argv)
{
    sigset_t signals;
    pthread_t thread;
    if (argc == 2 && strcmp(argv[1], "ended") == 0)
        return CHILD_CODE;
    truth_init();
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        size_t place = truth_malloc(20 + i * 37 % 900);
        if (i % 3 == 0)
            truth_free(place);
    }
    if (argc > 1 && strcmp(argv[1], "alone") == 0)
        wait_in_vfork(&signals);
    else if (pthread_create(&thread, NULL, wait_in_vfork, &signals) != 0)
        return 1;
    while (!atomic_load(&is_in_vfork))
        usleep(1000);
    truth_serve(say_child);
    return 0;
}
