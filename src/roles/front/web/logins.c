/* logins.c - see logins.h. */
#include "roles/front/web/logins.h"

#include <crypt.h>
#include <gnutls/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"

#define DIGEST_BYTES 32
/* libcrypt reads no more (CRYPT_MAX_PASSPHRASE_SIZE); bcrypt itself 72. */
#define PASSWORD_BYTES_MAX 511
#define NICE 5
/* Of no password that is known; its cost is set to that of a user. */
#define FIXED_HASH "$2y$10$5pUsV7Pw1nXqGkYl0aCz6uR3hTtBvEoQmJ9dLxF2yWcK8iNsSgZbe"

/* A question as the cache knows it: a keyed digest of user, hash and password. */
struct digest {
    unsigned char bytes[DIGEST_BYTES];
};

struct job {
    struct digest digest;
    bool is_known; /* the user exists */
    char hash[64];
    char password[PASSWORD_BYTES_MAX + 1];
    struct login_waiter *waiters;
    struct job *next;
};

struct logins {
    unsigned char key[DIGEST_BYTES];
    struct crypt_data scratch; /* the thread's */
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    struct job *first, **end; /* the first is being computed */
    unsigned jobs, waiters;
    bool is_stopping;
    struct {
        struct digest digest;
        bool is_allowed;
    } cache[LOGINS_CACHE_MAX];
    size_t cached, next_victim;
};

static void *work(void *context);

struct logins *logins_new(void)
{
    struct logins *logins = calloc(1, sizeof *logins);
    if (!logins)
        return NULL;
    logins->end = &logins->first;
    pthread_mutex_init(&logins->lock, NULL);
    pthread_cond_init(&logins->wake, NULL);
    if (gnutls_rnd(GNUTLS_RND_KEY, logins->key, sizeof logins->key) == GNUTLS_E_SUCCESS &&
        pthread_create(&logins->thread, NULL, work, logins) == 0)
        return logins;
    free(logins);
    return NULL;
}

static void free_job(struct job *job)
{
    explicit_bzero(job, sizeof *job);
    free(job);
}

void logins_stop(struct logins *logins)
{
    pthread_mutex_lock(&logins->lock);
    logins->is_stopping = true;
    for (struct job *job = logins->first; job; job = job->next) {
        for (struct login_waiter *waiter = job->waiters, *next; waiter; waiter = next) {
            next = waiter->next;
            waiter->done(waiter, LOGIN_BUSY);
        }
        job->waiters = NULL;
    }
    pthread_cond_signal(&logins->wake);
    pthread_mutex_unlock(&logins->lock);
}

void logins_free(struct logins *logins)
{
    if (!logins)
        return;
    logins_stop(logins);
    pthread_join(logins->thread, NULL);
    for (struct job *job = logins->first, *next; job; job = next) {
        next = job->next;
        free_job(job);
    }
    pthread_cond_destroy(&logins->wake);
    pthread_mutex_destroy(&logins->lock);
    explicit_bzero(logins, sizeof *logins);
    free(logins);
}

/* HMAC-SHA256 over the three, each with its NUL, by a key of this process. */
static bool digest_of(const struct logins *logins, const char *user, const char *hash, const char *password,
                      struct digest *ret)
{
    const char *parts[] = {user, hash, password};
    gnutls_hmac_hd_t hmac;
    int code = gnutls_hmac_init(&hmac, GNUTLS_MAC_SHA256, logins->key, sizeof logins->key);
    if (code != GNUTLS_E_SUCCESS)
        return false;
    for (size_t i = 0; i < 3 && code == GNUTLS_E_SUCCESS; i++)
        code = gnutls_hmac(hmac, parts[i], strlen(parts[i]) + 1);
    gnutls_hmac_deinit(hmac, ret->bytes);
    return code == GNUTLS_E_SUCCESS;
}

/* The hash to compute for @user. For a name that is unknown a fixed one with the cost of a user's, always the
 * same user's for the same name: else its time would tell that it is unknown. */
static bool choose_hash(const struct logins *logins, const struct web_config *config, const char *user,
                        char hash[64])
{
    struct digest digest;
    for (size_t i = 0; i < config->users_count; i++) {
        if (strcmp(config->users[i].name, user) == 0) {
            snprintf(hash, 64, "%s", config->users[i].hash);
            return true;
        }
    }
    snprintf(hash, 64, "%s", FIXED_HASH);
    if (config->users_count > 0 && digest_of(logins, user, "", "", &digest))
        memcpy(hash + 4, config->users[digest.bytes[0] % config->users_count].hash + 4, 2);
    return false;
}

/* The lock is held for all below, but in work() around the computation. */
static bool look_up(const struct logins *logins, const struct digest *digest, bool *is_allowed)
{
    for (size_t i = 0; i < logins->cached; i++) {
        if (memcmp(&logins->cache[i].digest, digest, sizeof *digest) == 0) {
            *is_allowed = logins->cache[i].is_allowed;
            return true;
        }
    }
    return false;
}

static void keep(struct logins *logins, const struct digest *digest, bool is_allowed)
{
    size_t at = logins->cached;
    if (at == LOGINS_CACHE_MAX) {
        at = logins->next_victim;
        for (size_t i = 0; i < LOGINS_CACHE_MAX && logins->cache[at].is_allowed; i++)
            at = (at + 1) % LOGINS_CACHE_MAX;
        logins->next_victim = (at + 1) % LOGINS_CACHE_MAX;
    } else {
        logins->cached++;
    }
    logins->cache[at].digest = *digest;
    logins->cache[at].is_allowed = is_allowed;
}

static enum login enqueue(struct logins *logins, const struct job *question, struct login_waiter *waiter)
{
    struct job *job = logins->first;
    while (job && memcmp(&job->digest, &question->digest, sizeof job->digest) != 0)
        job = job->next;
    if (logins->is_stopping || logins->waiters == LOGINS_WAITERS_MAX ||
        (!job && logins->jobs == LOGINS_QUEUE_MAX))
        return LOGIN_BUSY;
    if (!job) {
        job = malloc(sizeof *job);
        if (!job)
            return LOGIN_BUSY;
        *job = *question;
        *logins->end = job;
        logins->end = &job->next;
        logins->jobs++;
        pthread_cond_signal(&logins->wake);
    }
    waiter->next = job->waiters;
    job->waiters = waiter;
    logins->waiters++;
    return LOGIN_PENDING;
}

enum login logins_check(struct logins *logins, const struct web_config *config, const char *user,
                        const char *password, struct login_waiter *waiter)
{
    struct job question = {0};
    bool is_allowed = false;
    if (strlen(password) > PASSWORD_BYTES_MAX)
        return LOGIN_DENIED;
    question.is_known = choose_hash(logins, config, user, question.hash);
    snprintf(question.password, sizeof question.password, "%s", password);
    enum login result = LOGIN_BUSY;
    if (digest_of(logins, user, question.hash, password, &question.digest)) {
        pthread_mutex_lock(&logins->lock);
        if (look_up(logins, &question.digest, &is_allowed))
            result = is_allowed ? LOGIN_OK : LOGIN_DENIED;
        else if (!waiter)
            result = LOGIN_PENDING;
        else
            result = enqueue(logins, &question, waiter);
        pthread_mutex_unlock(&logins->lock);
    }
    explicit_bzero(&question, sizeof question);
    return result;
}

/* Whether the password fits; compared in a time that does not tell where they differ. */
static bool compute(struct logins *logins, const struct job *job)
{
    /* crypt_r() is the sanitizers' own where they are linked in, and misses the library */
    const char *found = crypt_rn(job->password, job->hash, &logins->scratch, (int)sizeof logins->scratch);
    unsigned difference = !found || strlen(found) != strlen(job->hash);
    for (size_t i = 0, length = difference ? 0 : strlen(found); i < length; i++)
        difference |= (unsigned char)found[i] ^ (unsigned char)job->hash[i];
    explicit_bzero(&logins->scratch, sizeof logins->scratch);
    return difference == 0 && job->is_known;
}

static void answer_first(struct logins *logins, bool is_allowed)
{
    struct job *job = logins->first;
    keep(logins, &job->digest, is_allowed);
    for (struct login_waiter *waiter = job->waiters, *next; waiter; waiter = next) {
        next = waiter->next;
        logins->waiters--;
        waiter->done(waiter, is_allowed ? LOGIN_OK : LOGIN_DENIED);
    }
    logins->first = job->next;
    if (!logins->first)
        logins->end = &logins->first;
    logins->jobs--;
    free_job(job);
}

static void *work(void *context)
{
    struct logins *logins = context;
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* scans and scrapes come first */
    pthread_mutex_lock(&logins->lock);
    while (!logins->is_stopping) {
        if (!logins->first) {
            pthread_cond_wait(&logins->wake, &logins->lock);
            continue;
        }
        const struct job *job = logins->first;
        pthread_mutex_unlock(&logins->lock);
        bool is_allowed = compute(logins, job);
        pthread_mutex_lock(&logins->lock);
        if (!logins->is_stopping)
            answer_first(logins, is_allowed);
    }
    pthread_mutex_unlock(&logins->lock);
    return NULL;
}
