/*
 * soak.c - KIND ANY ANY PACE: a process of one kind that lives as its kind does until SIGUSR1, PACE times as
 * slowly as it could: hundreds of them shall leave a small machine time for the service that they try.
 * Then it stands still, writes what mallinfo2(3) says of it to its stdout in one line, and waits for its end.
 */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCKS 512
#define LEAK_MAX 4000
#define LEAKED_AT_ONCE 20

static volatile sig_atomic_t is_over;
static char **arguments;
static void *blocks[BLOCKS];
static unsigned seed;
static long pace;

static void take_signal(int number)
{
    (void)number;
    is_over = 1;
}

static unsigned draw(unsigned below)
{
    return (unsigned)rand_r(&seed) % below;
}

static void rest(long ms)
{
    struct timespec time = {ms * pace / 1000, ms * pace % 1000 * 1000000};
    if (!is_over)
        nanosleep(&time, NULL);
}

static void put(void **place, size_t size)
{
    free(*place);
    *place = malloc(size);
    if (*place)
        memset(*place, 1, size);
}

static void churn(size_t most)
{
    for (unsigned i = 0; i < 64; i++)
        put(&blocks[draw(BLOCKS)], 1 + draw((unsigned)most));
}

static void live_idle(void)
{
    rest(1000);
}

static void live_churning(void)
{
    churn(4000);
    rest(200);
}

static void live_mmapping(void)
{
    put(&blocks[draw(8)], 200000 + draw(800000));
    rest(2000);
}

static void live_leaking(void)
{
    static unsigned leaked;
    for (unsigned i = 0; i < LEAKED_AT_ONCE; i++) {
        void *volatile lost = malloc(100 + draw(2000));
        (void)lost;
    }
    leaked += LEAKED_AT_ONCE;
    if (leaked > LEAK_MAX)
        _exit(0);
    rest(200);
}

static void live_trimming(void)
{
    churn(20000);
    malloc_trim(0);
    rest(2000);
}

/* Some children at a time, which churn on for a while. */
static void live_forking(void)
{
    pid_t child = fork();
    if (child == 0) {
        seed += (unsigned)getpid();
        for (unsigned i = 5 + draw(20); i > 0 && !is_over; i--)
            live_churning();
        if (!is_over)
            _exit(0);
    } else {
        rest(2000 + draw(4000));
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
}

static void live_execing(void)
{
    churn(2000);
    rest(1000 + draw(5000));
    if (!is_over)
        execv("/proc/self/exe", arguments);
}

static void *work(void *context)
{
    void *own[32] = {0};
    unsigned state = (unsigned)(uintptr_t)context;
    for (unsigned i = 0; i < 32 && !is_over; i++) {
        for (unsigned j = 0; j < 32; j++)
            put(&own[(unsigned)rand_r(&state) % 32], 1 + (unsigned)rand_r(&state) % 3000);
        rest(100);
    }
    return NULL;
}

static void live_threading(void)
{
    pthread_t threads[4];
    unsigned count = 1 + draw(4);
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)draw(100000)) != 0)
            _exit(1);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static void live_renaming(void)
{
    char name[16];
    snprintf(name, sizeof name, "a (b) %u", draw(1000));
    prctl(PR_SET_NAME, name);
    churn(500);
    rest(700);
}

static void live_dying(void)
{
    static unsigned left;
    left = left ? left - 1 : 5 + draw(50);
    churn(1000);
    rest(200);
    if (left == 1 && !is_over)
        kill(getpid(), draw(2) ? SIGKILL : SIGTERM);
}

static const struct {
    const char *name;
    void (*live)(void);
} KINDS[] = {
    {"idle", live_idle},       {"churning", live_churning},   {"mmapping", live_mmapping},
    {"leaking", live_leaking}, {"trimming", live_trimming},   {"forking", live_forking},
    {"execing", live_execing}, {"threading", live_threading}, {"renaming", live_renaming},
    {"dying", live_dying},
};

static void say_books(void)
{
    char line[200];
    struct mallinfo2 info = mallinfo2();
    int length = snprintf(line, sizeof line, "%d %zu %zu %zu\n", (int)getpid(), info.arena, info.fordblks,
                          info.hblkhd);
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        _exit(1);
    for (;;)
        pause();
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = take_signal};
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGCHLD, SIG_DFL);
    arguments = argv;
    seed = (unsigned)getpid();
    pace = argc > 4 ? strtol(argv[4], NULL, 10) : 1;
    for (size_t i = 0; argc > 1 && i < sizeof KINDS / sizeof *KINDS; i++)
        if (strcmp(KINDS[i].name, argv[1]) == 0) {
            while (!is_over)
                KINDS[i].live();
            say_books();
        }
    return 2;
}
