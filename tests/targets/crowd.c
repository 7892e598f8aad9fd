/*
 * crowd.c - much of one kind, by the first argument: `processes N` children at a time, each of which
 * allocates, lives for some seconds at most and is replaced; `execs FILE`: becomes itself again as fast as it
 * can, and counts that in FILE; `threads N` that sleep. It says a line when all are there. `turns small`
 * becomes `turns large` and so on after some milliseconds: the one has small blocks, the other large ones.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIFE_MS_MAX 40000
#define BLOCKS 200
#define STACK_BYTES 32768
#define TURN_BLOCKS 400
#define TURN_MS_MAX 60
#define SMALL_BYTES 104
#define LARGE_BYTES 4096

static void say_ready(void)
{
    if (write(STDOUT_FILENO, "\n", 1) != 1)
        _exit(1);
}

static void live(void)
{
    unsigned seed = (unsigned)getpid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (unsigned i = 0; i < BLOCKS; i++) {
        void *volatile kept = malloc(1 + (unsigned)rand_r(&seed) % 1000);
        (void)kept;
    }
    long ms = rand_r(&seed) % LIFE_MS_MAX;
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
    _exit(0);
}

static int processes(unsigned long count)
{
    for (unsigned long started = 0;; started++) {
        pid_t pid = fork();
        if (pid == 0)
            live();
        if (pid < 0)
            return 1;
        if (started == count)
            say_ready();
        if (started >= count)
            waitpid(-1, NULL, 0);
    }
}

static int execs(char **arguments)
{
    int fd = open(arguments[2], O_RDWR | O_CLOEXEC);
    atomic_uint_fast64_t *count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (count == MAP_FAILED)
        return 1;
    if (atomic_fetch_add(count, 1) == 0)
        say_ready();
    void *volatile kept = malloc(1000);
    (void)kept;
    execv("/proc/self/exe", arguments);
    return 1;
}

static int turns(char **arguments)
{
    char small[] = "small", large[] = "large";
    bool is_small = strcmp(arguments[2], small) == 0;
    size_t bytes = is_small ? SMALL_BYTES : LARGE_BYTES;
    struct timespec now;
    for (unsigned i = 0; i < TURN_BLOCKS; i++) {
        char *volatile kept = malloc(bytes);
        memset(kept, 1, bytes);
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    nanosleep(&(struct timespec){.tv_nsec = now.tv_nsec / 1000 % TURN_MS_MAX * 1000000}, NULL);
    arguments[2] = is_small ? large : small;
    execv("/proc/self/exe", arguments);
    return 1;
}

static void *sleep_on(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static int threads(unsigned long count)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    for (unsigned long i = 0; i < count; i++) {
        pthread_t thread;
        if (pthread_create(&thread, &attributes, sleep_on, NULL) != 0)
            return 1;
    }
    say_ready();
    sleep_on(NULL);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (strcmp(argv[1], "processes") == 0)
        return processes(strtoul(argv[2], NULL, 10));
    if (strcmp(argv[1], "execs") == 0)
        return execs(argv);
    if (strcmp(argv[1], "turns") == 0)
        return turns(argv);
    return threads(strtoul(argv[2], NULL, 10));
}
