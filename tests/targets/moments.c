/*
 * moments.c - a heap of BLOCKS blocks of BLOCK_BYTES, and then a bad moment that goes on and on: moments
 * KIND. Says "ready" once the moment has begun. What the kinds are is said at each.
 */
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCKS 1000
#define BLOCK_BYTES 1000
#define THREADS 8
#define STACK_BYTES (64 * 1024)

static char *blocks[4 * BLOCKS];

static void fill(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        blocks[i] = malloc(BLOCK_BYTES);
        if (blocks[i] == NULL) {
            exit(1);
        }
        memset(blocks[i], 1, BLOCK_BYTES);
    }
}

/* "ready", and a pid if it is another process that is meant; without malloc, whose mutex may be held. */
static void say_ready(pid_t pid)
{
    char text[32], line[48];
    int length = snprintf(text, sizeof text, pid ? "ready %d" : "ready", (int)pid);
    length = snprintf(line, sizeof line, "%d\n%s", length, text);
    if (write(STDOUT_FILENO, line, (size_t)length) != length) {
        exit(1);
    }
}

static _Noreturn void wait_for_end(void)
{
    for (;;) {
        pause();
    }
}

static int own_pid(void)
{
    return (int)syscall(SYS_getpid);
}

/* A child between fork and exec. */
static void be_fork(void)
{
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        say_ready(own_pid());
    }
    wait_for_end();
}

/* A child of vfork between that and exec; the parent stands still. */
static void be_vfork(void)
{
    if (vfork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        say_ready(own_pid());
        wait_for_end();
    }
    wait_for_end();
}

/* posix_spawn of a program that ends at once, again and again. */
static void be_spawn(void)
{
    char name[] = "true", *arguments[] = {name, NULL}, *environment[] = {NULL};
    say_ready(0);
    for (;;) {
        pid_t pid;
        if (posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environment) == 0) {
            waitpid(pid, NULL, 0);
        }
    }
}

static void *allocate_and_end(void *unused)
{
    void *volatile block = malloc(500);
    free(block);
    return unused;
}

/* Threads that are made, allocate for the first time, and end. */
static void be_threads(void)
{
    say_ready(0);
    for (;;) {
        pthread_t threads[THREADS];
        int count = 0;
        while (count < THREADS && pthread_create(&threads[count], NULL, allocate_and_end, NULL) == 0) {
            count++;
        }
        while (count > 0) {
            pthread_join(threads[--count], NULL);
        }
    }
}

static int pause_forever(void *unused)
{
    while (unused == NULL) {
        syscall(SYS_pause);
    }
    return 0;
}

/* Threads made by a raw clone, which share the TLS of their creator. */
static void be_clone(void)
{
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    for (int i = 0; i < 3; i++) {
        char *stack = malloc(STACK_BYTES);
        if (stack == NULL || clone(pause_forever, stack + STACK_BYTES, flags, NULL) < 0) {
            exit(1);
        }
    }
    say_ready(0);
    wait_for_end();
}

/* Wait until the leader of this process is a zombie. */
static void await_leader_end(void)
{
    char text[256] = "", *close_of_name = NULL;
    while (close_of_name == NULL || close_of_name[2] != 'Z') {
        int fd = open("/proc/self/stat", O_RDONLY);
        ssize_t length = read(fd, text, sizeof text - 1);
        close(fd);
        text[length > 0 ? length : 0] = '\0';
        close_of_name = strrchr(text, ')');
        sched_yield();
    }
}

static pthread_barrier_t barrier;

static void *stay(void *is_last)
{
    void *volatile block = malloc(500);
    (void)block;
    pthread_barrier_wait(&barrier);
    if (is_last != NULL) {
        await_leader_end();
        say_ready(0);
    }
    wait_for_end();
}

static void start_threads(int count)
{
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, (unsigned)count + 1);
    for (int i = 0; i < count; i++) {
        if (pthread_create(&thread, NULL, stay, NULL) != 0) {
            exit(1);
        }
    }
    pthread_barrier_wait(&barrier);
}

/* A child forked by a parent of many threads: only one goes on in it. */
static void be_forked_threads(void)
{
    start_threads(THREADS);
    be_fork();
}

/* The leader has exited, another thread runs on. */
static void be_leaderless(void)
{
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    if (pthread_create(&thread, NULL, stay, &barrier) != 0) {
        exit(1);
    }
    pthread_barrier_wait(&barrier);
    syscall(SYS_exit, 0);
}

static volatile sig_atomic_t is_caught;

static void stay_in_handler(int number)
{
    (void)number;
    is_caught = 1;
    wait_for_end();
}

static void *churn(void *unused)
{
    while (unused == NULL) {
        /* beyond what tcache and fastbins take: with the arena's mutex held */
        void *volatile block = malloc(3000);
        free(block);
    }
    return unused;
}

/* A thread that a signal has caught in malloc, most likely with an arena's mutex held. */
static void be_caught(void)
{
    pthread_t thread;
    mallopt(M_ARENA_MAX, 1);
    signal(SIGUSR1, stay_in_handler);
    if (pthread_create(&thread, NULL, churn, NULL) != 0) {
        exit(1);
    }
    usleep(1000);
    pthread_kill(thread, SIGUSR1);
    while (!is_caught) {
        sched_yield();
    }
    say_ready(0);
    wait_for_end();
}

static int pause_until_parent_ends(void *unused)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pause_forever(unused);
}

/* Two processes in one address space. */
static void be_pair(void)
{
    char *stack = malloc(STACK_BYTES);
    int pid =
        stack == NULL ? -1 : clone(pause_until_parent_ends, stack + STACK_BYTES, CLONE_VM | SIGCHLD, NULL);
    if (pid < 0) {
        exit(1);
    }
    say_ready(pid);
    wait_for_end();
}

/* exec of the other of two programs, with four times or a quarter of the blocks, as often as it can. */
static void be_exec(char *self, char *other, int is_first)
{
    char kind[] = "exec", again[] = "again", *arguments[] = {other, kind, self, again, NULL};
    if (is_first) {
        say_ready(0);
    }
    execv(other, arguments);
    exit(1);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*be)(void);
    } KINDS[] = {{"fork", be_fork},
                 {"vfork", be_vfork},
                 {"spawn", be_spawn},
                 {"threads", be_threads},
                 {"clone", be_clone},
                 {"forked-threads", be_forked_threads},
                 {"leaderless", be_leaderless},
                 {"caught", be_caught},
                 {"pair", be_pair}};
    const char *kind = argc > 1 ? argv[1] : "";
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    size_t length = strlen(argv[0]);
    fill(length > 0 && argv[0][length - 1] == 'b' ? 4 * BLOCKS : BLOCKS);
    if (strcmp(kind, "exec") == 0 && argc > 2) {
        be_exec(argv[0], argv[2], argc == 3);
    }
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (strcmp(kind, KINDS[i].name) == 0) {
            KINDS[i].be();
        }
    }
    return 2;
}
