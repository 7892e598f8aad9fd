/* connections.c - see connections.h. shutdown(2) is enough to close one: the library sees its end. */
#include "roles/front/http/connections.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "roles/front/http/progress.h"

#define LOOK_SECONDS 1

/* How long it may stay in a state; 0: for ever, as others keep the time. */
static const uint64_t DEADLINES_NS[CONNECTION_STATE_COUNT] = {
    [CONNECTION_NEW] = 10 * NS_PER_SECOND,     [CONNECTION_IDLE] = 120 * NS_PER_SECOND,
    [CONNECTION_READING] = 10 * NS_PER_SECOND, [CONNECTION_WORKING] = 0,
    [CONNECTION_SENDING] = 60 * NS_PER_SECOND,
};

/** In one list a state, the longest there first. */
struct connection {
    struct connections *owner;
    struct connection *before, *after;
    int fd;
    struct web_state *web;
    enum connection_state state;
    uint64_t since_ns;
    size_t bytes;             /* of its own that it sends */
    struct answer *shared;    /* or this, referenced */
    struct progress progress; /* of what it sends */
    uint64_t bytes_per_second;
    bool is_shut;
};

struct list {
    struct connection *first, *last;
    size_t count;
};

struct connections {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool is_stopping;
    struct list lists[CONNECTION_STATE_COUNT];
    size_t count; /* those that are shut excepted */
    uint64_t sending_bytes;
};

static void add(struct connection *connection)
{
    struct list *list = &connection->owner->lists[connection->state];
    connection->before = list->last;
    connection->after = NULL;
    if (list->last)
        list->last->after = connection;
    else
        list->first = connection;
    list->last = connection;
    list->count++;
}

static void take_out(struct connection *connection)
{
    struct list *list = &connection->owner->lists[connection->state];
    if (connection->before)
        connection->before->after = connection->after;
    else
        list->first = connection->after;
    if (connection->after)
        connection->after->before = connection->before;
    else
        list->last = connection->before;
    list->count--;
}

/* Count what it sends no more. */
static void let_go(struct connection *connection)
{
    struct connections *connections = connection->owner;
    connections->sending_bytes -= connection->bytes;
    connection->bytes = 0;
    if (connection->shared && answer_holders(connection->shared, -1) == 0)
        connections->sending_bytes -= answer_length(connection->shared);
    answer_unref(connection->shared);
    connection->shared = NULL;
}

/* It counts no more from now on, and is in no list. */
static void shut(struct connection *connection)
{
    take_out(connection);
    connection->is_shut = true;
    connection->owner->count--;
    let_go(connection);
    shutdown(connection->fd, SHUT_RDWR);
}

static void measure_readers(struct connections *connections)
{
    uint64_t now_ns = clock_monotonic_ns();
    for (struct connection *at = connections->lists[CONNECTION_SENDING].first; at; at = at->after)
        at->bytes_per_second =
            progress_speed(&at->progress, at->fd, at->shared ? answer_length(at->shared) : at->bytes, now_ns);
}

/* By the last measure_readers(), @keep excepted; the older of equals. */
static struct connection *slowest_reader(const struct connections *connections, const struct connection *keep)
{
    struct connection *found = NULL;
    for (struct connection *at = connections->lists[CONNECTION_SENDING].first; at; at = at->after)
        if (at != keep && (!found || at->bytes_per_second < found->bytes_per_second))
            found = at;
    return found;
}

/*
 * Who makes room for @keep: of the state that most are in, so that a crowd can push out none but its own, the
 * one longest there or, of readers, the slowest. NULL: all wait for us.
 */
static struct connection *dispensable(struct connections *connections, const struct connection *keep)
{
    size_t fullest = CONNECTION_NEW;
    for (size_t state = 0; state < CONNECTION_STATE_COUNT; state++)
        if (state != CONNECTION_WORKING &&
            connections->lists[state].count > connections->lists[fullest].count)
            fullest = state;
    if (fullest == CONNECTION_SENDING) {
        measure_readers(connections);
        return slowest_reader(connections, keep);
    }
    struct connection *first = connections->lists[fullest].first;
    return first && first == keep ? first->after : first;
}

/* While answers take up too much, @keep's included. */
static void cut_off_slow_readers(struct connections *connections, const struct connection *keep)
{
    struct connection *victim;
    if (connections->sending_bytes <= CONNECTIONS_SENDING_BYTES_MAX)
        return;
    measure_readers(connections);
    while (connections->sending_bytes > CONNECTIONS_SENDING_BYTES_MAX &&
           (victim = slowest_reader(connections, keep)))
        shut(victim);
}

static void keep_deadlines(struct connections *connections, uint64_t now_ns)
{
    for (size_t state = 0; state < CONNECTION_STATE_COUNT; state++) {
        struct connection *first;
        while (DEADLINES_NS[state] && (first = connections->lists[state].first) &&
               now_ns - first->since_ns > DEADLINES_NS[state])
            shut(first);
    }
}

static void *watch(void *context)
{
    struct connections *connections = context;
    pthread_mutex_lock(&connections->lock);
    while (!connections->is_stopping) {
        if (connections->count == 0) {
            pthread_cond_wait(&connections->wake, &connections->lock);
            continue;
        }
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += LOOK_SECONDS;
        pthread_cond_timedwait(&connections->wake, &connections->lock, &until);
        keep_deadlines(connections, clock_monotonic_ns());
    }
    pthread_mutex_unlock(&connections->lock);
    return NULL;
}

struct connections *connections_new(void)
{
    struct connections *connections = calloc(1, sizeof *connections);
    pthread_condattr_t monotonic;
    if (!connections)
        return NULL;
    pthread_mutex_init(&connections->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&connections->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&connections->thread, NULL, watch, connections) == 0)
        return connections;
    free(connections);
    return NULL;
}

void connections_free(struct connections *connections)
{
    if (!connections)
        return;
    pthread_mutex_lock(&connections->lock);
    connections->is_stopping = true;
    pthread_cond_signal(&connections->wake);
    pthread_mutex_unlock(&connections->lock);
    pthread_join(connections->thread, NULL);
    pthread_cond_destroy(&connections->wake);
    pthread_mutex_destroy(&connections->lock);
    free(connections);
}

struct connection *connection_opened(struct connections *connections, int fd, struct web_state *web)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        return NULL;
    *connection = (struct connection){.owner = connections,
                                      .fd = fd,
                                      .web = web ? web_state_ref(web) : NULL,
                                      .state = CONNECTION_NEW,
                                      .since_ns = clock_monotonic_ns()};
    pthread_mutex_lock(&connections->lock);
    add(connection);
    if (connections->count++ == 0)
        pthread_cond_signal(&connections->wake);
    struct connection *victim =
        connections->count > CONNECTIONS_MAX ? dispensable(connections, connection) : NULL;
    if (victim)
        shut(victim);
    pthread_mutex_unlock(&connections->lock);
    return connection;
}

void connection_closed(struct connection *connection)
{
    if (!connection)
        return;
    struct connections *connections = connection->owner;
    pthread_mutex_lock(&connections->lock);
    if (!connection->is_shut) {
        take_out(connection);
        let_go(connection);
        connections->count--;
    }
    pthread_mutex_unlock(&connections->lock);
    web_state_unref(connection->web);
    free(connection);
}

static void enter(struct connection *connection, enum connection_state state)
{
    take_out(connection);
    let_go(connection);
    connection->state = state;
    connection->since_ns = clock_monotonic_ns();
    add(connection);
}

void connection_enter(struct connection *connection, enum connection_state state)
{
    if (!connection)
        return;
    pthread_mutex_lock(&connection->owner->lock);
    if (!connection->is_shut)
        enter(connection, state);
    pthread_mutex_unlock(&connection->owner->lock);
}

void connection_send(struct connection *connection, size_t bytes, struct answer *shared)
{
    if (!connection)
        return;
    struct connections *connections = connection->owner;
    pthread_mutex_lock(&connections->lock);
    if (!connection->is_shut) {
        enter(connection, CONNECTION_SENDING);
        connection->bytes = bytes;
        connection->shared = shared ? answer_ref(shared) : NULL;
        connections->sending_bytes += bytes;
        if (shared && answer_holders(shared, 1) == 1)
            connections->sending_bytes += answer_length(shared);
        connection->progress = progress_begin(connection->fd, connection->since_ns);
        cut_off_slow_readers(connections, connection);
    }
    pthread_mutex_unlock(&connections->lock);
}

const struct web_state *connection_web(const struct connection *connection)
{
    return connection ? connection->web : NULL;
}
