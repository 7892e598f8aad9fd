/* crew.c - see crew.h. */
#include "base/crew.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

/* enough for the buffers of one system call with a thousand parts, also with a sanitizer's frames */
#define STACK_BYTES (1024u * 1024u)

struct member {
    struct crew *crew;
    unsigned number;
    pid_t tid;
    pthread_t thread;
};

struct crew {
    pthread_mutex_t lock;
    pthread_cond_t is_given, is_done;
    uint64_t round; /* how often work was given */
    unsigned busy;
    bool is_over;
    crew_work_fn *work;
    void *context;
    uint64_t cpu_ns;
    unsigned count;
    struct member members[];
};

static void *wait_for_work(void *argument)
{
    struct member *member = argument;
    struct crew *crew = member->crew;
    uint64_t done = 0;
    pthread_mutex_lock(&crew->lock);
    member->tid = gettid();
    if (--crew->busy == 0)
        pthread_cond_signal(&crew->is_done);
    for (;;) {
        while (crew->round == done && !crew->is_over)
            pthread_cond_wait(&crew->is_given, &crew->lock);
        if (crew->round == done)
            break;
        done = crew->round;
        pthread_mutex_unlock(&crew->lock);
        uint64_t before_ns = clock_thread_cpu_ns();
        crew->work(crew->context, member->number);
        uint64_t spent_ns = clock_thread_cpu_ns() - before_ns;
        pthread_mutex_lock(&crew->lock);
        crew->cpu_ns += spent_ns;
        if (--crew->busy == 0)
            pthread_cond_signal(&crew->is_done);
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

static int start(struct crew *crew)
{
    pthread_attr_t attributes;
    int code = pthread_attr_init(&attributes);
    if (code != 0)
        return code;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    struct member *member = &crew->members[crew->count];
    *member = (struct member){.crew = crew, .number = crew->count};
    code = pthread_create(&member->thread, &attributes, wait_for_work, member);
    pthread_attr_destroy(&attributes);
    crew->count += code == 0;
    return code;
}

enum status crew_new(unsigned members, struct crew **ret, struct error *err)
{
    struct crew *crew = calloc(1, sizeof *crew + members * sizeof *crew->members);
    if (!crew)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %u threads", members);
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->is_given, NULL);
    pthread_cond_init(&crew->is_done, NULL);
    crew->busy = members; /* with starting */
    while (crew->count < members) {
        int code = start(crew);
        if (code == 0)
            continue;
        crew_free(crew);
        return error_errno(err, code, "start %u threads", members);
    }
    crew_await(crew);
    *ret = crew;
    return STATUS_OK;
}

void crew_free(struct crew *crew)
{
    if (!crew)
        return;
    pthread_mutex_lock(&crew->lock);
    crew->is_over = true;
    pthread_cond_broadcast(&crew->is_given);
    pthread_mutex_unlock(&crew->lock);
    for (unsigned i = 0; i < crew->count; i++)
        pthread_join(crew->members[i].thread, NULL);
    pthread_cond_destroy(&crew->is_given);
    pthread_cond_destroy(&crew->is_done);
    pthread_mutex_destroy(&crew->lock);
    free(crew);
}

void crew_begin(struct crew *crew, crew_work_fn *work, void *context)
{
    pthread_mutex_lock(&crew->lock);
    crew->work = work;
    crew->context = context;
    crew->busy = crew->count;
    crew->round++;
    pthread_cond_broadcast(&crew->is_given);
    pthread_mutex_unlock(&crew->lock);
}

void crew_await(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    while (crew->busy > 0)
        pthread_cond_wait(&crew->is_done, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
}

pid_t crew_tid(const struct crew *crew, unsigned member)
{
    return crew->members[member].tid;
}

uint64_t crew_cpu_ns(const struct crew *crew)
{
    return crew->cpu_ns;
}
