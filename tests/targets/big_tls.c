/* big_tls.c - a program (built statically) whose own thread-local data dwarf the libc's, with THREADS
 * threads. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 4
#define LOCAL_BYTES 200000

static __thread char local[LOCAL_BYTES], initialised[3000] = {1};
static pthread_barrier_t barrier;

static void *allocate_and_stay(void *unused)
{
    void *volatile block = malloc(24);
    free(block);
    local[LOCAL_BYTES / 2] = initialised[0];
    pthread_barrier_wait(&barrier);
    while (unused == NULL) {
        pause();
    }
    return unused;
}

int main(void)
{
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS - 1; i++) {
        if (pthread_create(&thread, NULL, allocate_and_stay, NULL) != 0) {
            return 1;
        }
    }
    void *volatile block = malloc(24);
    free(block);
    pthread_barrier_wait(&barrier);
    if (write(STDOUT_FILENO, "5\nready", 7) == 7) {
        pause();
    }
    return 1;
}
