/* answers.c - see answers.h. */
#include "roles/front/http/answers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/clock.h"

/* Rendering takes a fifth of the time at most. */
#define AGE_PER_COST 4
#define AGE_MAX_NS (500 * NS_PER_MS)

struct answer {
    atomic_uint references;
    struct buffer body;
    uint64_t until_ns;
    unsigned holders;
};

struct answers {
    pthread_mutex_t lock;
    struct answer *items[ANSWER_KIND_COUNT][2];
};

const char *answer_data(const struct answer *answer)
{
    return answer->body.data;
}

size_t answer_length(const struct answer *answer)
{
    return answer->body.length;
}

struct answer *answer_ref(struct answer *answer)
{
    atomic_fetch_add(&answer->references, 1);
    return answer;
}

unsigned answer_holders(struct answer *answer, int more)
{
    answer->holders += (unsigned)more;
    return answer->holders;
}

void answer_unref(void *pointer)
{
    struct answer *answer = pointer;
    if (!answer || atomic_fetch_sub(&answer->references, 1) != 1)
        return;
    buffer_deinit(&answer->body);
    free(answer);
}

struct answers *answers_new(void)
{
    struct answers *answers = calloc(1, sizeof *answers);
    if (answers)
        pthread_mutex_init(&answers->lock, NULL);
    return answers;
}

void answers_free(struct answers *answers)
{
    if (!answers)
        return;
    for (size_t kind = 0; kind < ANSWER_KIND_COUNT; kind++)
        for (size_t packed = 0; packed < 2; packed++)
            answer_unref(answers->items[kind][packed]);
    pthread_mutex_destroy(&answers->lock);
    free(answers);
}

struct answer *answers_find(struct answers *answers, enum answer_kind kind, bool is_packed, uint64_t now_ns)
{
    pthread_mutex_lock(&answers->lock);
    struct answer *answer = answers->items[kind][is_packed];
    if (answer && now_ns <= answer->until_ns)
        atomic_fetch_add(&answer->references, 1);
    else
        answer = NULL;
    pthread_mutex_unlock(&answers->lock);
    return answer;
}

struct answer *answers_put(struct answers *answers, enum answer_kind kind, bool is_packed,
                           struct buffer *body, uint64_t begin_ns, uint64_t now_ns)
{
    struct answer *answer = malloc(sizeof *answer);
    if (!answer)
        return NULL;
    atomic_init(&answer->references, 2);
    answer->holders = 0;
    answer->body = *body;
    answer->until_ns = begin_ns + min_u64(AGE_PER_COST * (now_ns - begin_ns), AGE_MAX_NS);
    *body = (struct buffer){0};
    pthread_mutex_lock(&answers->lock);
    struct answer *before = answers->items[kind][is_packed];
    answers->items[kind][is_packed] = answer;
    pthread_mutex_unlock(&answers->lock);
    answer_unref(before);
    return answer;
}
