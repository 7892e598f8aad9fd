/*
 * restless.c - a program with much going on that a stop could spoil: FILE [exec]. FILE is mapped: what it
 * counts outlives an exec. It takes real-time signals, forks children and looks at how they ended, starts
 * threads; with `exec` it becomes itself again all the time instead. It ends with exit code 42 when told to.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILD_CODE 7
#define OWN_CODE 42

/* The file: counters in this order, for the test. */
struct counters {
    atomic_uint_fast64_t beats, signals, odd_children, must_end;
};

static struct counters *counters;

static void count_signal(int signal)
{
    (void)signal;
    atomic_fetch_add(&counters->signals, 1);
}

static void fork_child(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(CHILD_CODE);
    }
    /* whatever a parent can be told of a child's state */
    while (waitpid(pid, &status, WUNTRACED | WCONTINUED) != pid) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != CHILD_CODE) {
        atomic_fetch_add(&counters->odd_children, 1);
    }
}

static void *allocate(void *unused)
{
    free(malloc(1000));
    return unused;
}

static void one_round(void)
{
    pthread_t thread;
    fork_child();
    if (pthread_create(&thread, NULL, allocate, NULL) == 0) {
        pthread_join(thread, NULL);
    }
    free(malloc(3000));
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    atomic_fetch_add(&counters->beats, 1);
}

int main(int argc, char **argv)
{
    int fd = argc > 1 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;
    counters = mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || counters == MAP_FAILED) {
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};
    sigaction(SIGRTMIN, &action, NULL);
    (void)!write(STDOUT_FILENO, "\n", 1);
    while (atomic_load(&counters->must_end) == 0) {
        one_round();
        if (argc > 2) {
            execv("/proc/self/exe", argv);
            return 3;
        }
    }
    return OWN_CODE;
}
