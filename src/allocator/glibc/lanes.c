/* lanes.c - see lanes.h. */
#include "allocator/glibc/lanes.h"

#include <stdlib.h>
#include <string.h>

#include "allocator/glibc/lane.h"
#include "allocator/glibc/links.h"
#include "base/checked.h"
#include "base/cleanup.h"
#include "base/crew.h"

/** All is the walk's under way, but the first four. @lock guards what follows it. */
struct scan_threads {
    unsigned count;
    struct crew *crew;
    struct lane *lanes;
    struct slices slices;
    struct pass *pass;
    struct turn *turns;
    size_t turn_count;
    /* the caller's part: mmapped chunks */
    struct totals totals;
    struct residency_sums residency;

    pthread_mutex_t lock;
    pthread_cond_t is_taken; /* a lane has taken another turn */
    size_t next;
    bool is_ending;     /* no turn is taken any more */
    size_t failed_turn; /* the first one that has a status; SIZE_MAX: none */
    enum status status; /* its */
    struct error err;
};

/* The lane's next turn, or NULL. */
static struct turn *take_turn(struct scan_threads *threads, struct lane *lane)
{
    struct turn *turn = NULL;
    pthread_mutex_lock(&threads->lock);
    if (!threads->is_ending && threads->next < threads->turn_count) {
        lane->turn = threads->next++;
        turn = &threads->turns[lane->turn];
        lane_begin_turn(lane, turn);
        turn->lane = (uint32_t)(lane - threads->lanes) + 1;
        pthread_cond_signal(&threads->is_taken);
    }
    pthread_mutex_unlock(&threads->lock);
    return turn;
}

static void end_turn(struct scan_threads *threads, struct lane *lane, struct turn *turn)
{
    pthread_mutex_lock(&threads->lock);
    lane_end_turn(lane, turn);
    if (lane->status != STATUS_OK) {
        threads->is_ending = true;
        if (lane->turn < threads->failed_turn) {
            threads->failed_turn = lane->turn;
            threads->status = lane->status;
            threads->err = lane->err;
        }
    }
    pthread_mutex_unlock(&threads->lock);
}

static void work(void *context, unsigned member)
{
    struct scan_threads *threads = context;
    struct lane *lane = &threads->lanes[member];
    struct turn *turn;
    while ((turn = take_turn(threads, lane)) != NULL) {
        lane_walk_turn(lane, turn);
        end_turn(threads, lane, turn);
        if (lane->has_queue && !lane_queue_end_segment(&lane->queue))
            break;
    }
}

/* The lane that has @turn, once one has: turns are taken one after the other. */
static struct lane *await_lane(struct scan_threads *threads, const struct turn *turn)
{
    pthread_mutex_lock(&threads->lock);
    while (turn->lane == 0)
        pthread_cond_wait(&threads->is_taken, &threads->lock);
    struct lane *lane = &threads->lanes[turn->lane - 1];
    pthread_mutex_unlock(&threads->lock);
    return lane;
}

static bool has_failed(struct scan_threads *threads, size_t turn)
{
    pthread_mutex_lock(&threads->lock);
    bool has_failed = threads->failed_turn <= turn;
    pthread_mutex_unlock(&threads->lock);
    return has_failed;
}

/* What the caller does meanwhile: hand on the chunks by turn, and look between the segments. */
static void follow(struct scan_threads *threads, struct mmapped_search *search)
{
    struct pass *pass = threads->pass;
    uint64_t from = 0;
    for (size_t i = 0; i < threads->turn_count; i++) {
        const struct turn *turn = &threads->turns[i];
        const struct glibc_segment *segment = &pass->heaps[turn->heap].segments[turn->segment];
        mmapped_find(search, from, segment->base);
        walk_flush(&pass->walk);
        if (pass->request->chunks && !pass->walk.is_stopped)
            pass->walk.is_stopped =
                !lane_queue_deliver(&await_lane(threads, turn)->queue, pass->request->chunks);
        if (pass->walk.is_stopped || (pass->request->chunks && has_failed(threads, i)))
            return;
        from = max_u64(segment->end, segment->reserved_end);
    }
    mmapped_find(search, from, UINT64_MAX);
    walk_flush(&pass->walk);
}

static void begin(struct scan_threads *threads, struct pass *pass, struct turn *turns, size_t turn_count)
{
    threads->pass = pass;
    threads->turns = turns;
    threads->turn_count = turn_count;
    threads->next = 0;
    threads->is_ending = false;
    threads->failed_turn = SIZE_MAX;
    threads->status = STATUS_OK;
    threads->err = (struct error){0};
    totals_reset(&threads->totals);
    residency_reset(&threads->residency);
    threads->residency.count = pass->residency.count;
    threads->residency.context = pass->residency.context;
    threads->residency.page_bytes = pass->residency.page_bytes;
    threads->residency.kept_bytes = pass->residency.kept_bytes;
    slices_restart(&threads->slices);
    for (unsigned i = 0; i < threads->count; i++)
        lane_begin_pass(&threads->lanes[i], pass);
}

/* The sums of the pass are the lanes' while they walk: the caller's thread has its own. */
static void exchange_sinks(struct scan_threads *threads, struct chunk_sink *totals,
                           struct chunk_sink *residency)
{
    struct walk *walk = &threads->pass->walk;
    walk->sinks[0] = totals;
    if (threads->lanes[0].wants_residency)
        walk->sinks[1] = residency;
}

/* No lane waits for anybody any more. */
static void end_lanes(struct scan_threads *threads)
{
    pthread_mutex_lock(&threads->lock);
    threads->is_ending = threads->is_ending || threads->pass->walk.is_stopped;
    pthread_mutex_unlock(&threads->lock);
    for (unsigned i = 0; threads->pass->request->chunks && i < threads->count; i++)
        lane_queue_close(&threads->lanes[i].queue);
    crew_await(threads->crew);
}

static void put_together(struct scan_threads *threads)
{
    struct pass *pass = threads->pass;
    for (size_t i = 0; i < threads->turn_count; i++) {
        const struct turn *turn = &threads->turns[i];
        if (turn->link_count > 0)
            links_append(&pass->heaps[turn->heap].links, &threads->lanes[turn->lane - 1].links,
                         turn->first_link, turn->link_count);
    }
    for (unsigned i = 0; i < threads->count; i++)
        lane_end_pass(&threads->lanes[i]);
    totals_add(&pass->totals, &threads->totals);
    residency_add(&pass->residency, &threads->residency);
}

bool lanes_are_possible(const struct pass *pass, size_t turn_count)
{
    if (!pass->request->threads || turn_count < 2 || pass->is_sliced || pass->target->ops->share_bytes == 0)
        return false;
    for (size_t i = 0; i < pass->heap_count; i++)
        if ((uint64_t)pass->heaps[i].layout->state.size > ARENA_STATE_BYTES_MAX)
            return false;
    return true;
}

enum status lanes_walk(struct pass *pass, struct turn *turns, size_t turn_count,
                       struct mmapped_search *search, struct error *err)
{
    struct scan_threads *threads = pass->request->threads;
    begin(threads, pass, turns, turn_count);
    exchange_sinks(threads, &threads->totals.sink, &threads->residency.sink);
    crew_begin(threads->crew, work, threads);
    follow(threads, search);
    end_lanes(threads);
    exchange_sinks(threads, &pass->totals.sink, &pass->residency.sink);
    put_together(threads);
    if (pass->walk.is_stopped)
        return STATUS_STOPPED;
    if (threads->status != STATUS_OK && err)
        *err = threads->err;
    return threads->status;
}

void lanes_trim(struct scan_threads *threads)
{
    for (unsigned i = 0; i < threads->count; i++)
        lane_trim(&threads->lanes[i]);
}

static enum status take_memory(struct scan_threads *threads, unsigned count, struct error *err)
{
    pthread_mutex_init(&threads->lock, NULL);
    pthread_cond_init(&threads->is_taken, NULL);
    threads->lanes = calloc(count, sizeof *threads->lanes);
    if (!threads->lanes)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %u threads", count);
    enum status status = slices_init(&threads->slices, count, err);
    if (status == STATUS_OK)
        status = totals_init(&threads->totals, 0, err);
    if (status == STATUS_OK)
        status = residency_init(&threads->residency, 0, 0, 0, NULL, NULL, err);
    for (; status == STATUS_OK && threads->count < count; threads->count++)
        status = lane_init(&threads->lanes[threads->count], &threads->slices, err);
    return status;
}

static void free_threads(struct scan_threads **threads)
{
    scan_threads_free(*threads);
}

enum status scan_threads_new(unsigned count, struct scan_threads **ret, struct error *err)
{
    scoped(free_threads) struct scan_threads *threads = calloc(1, sizeof *threads);
    if (!threads)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %u threads", count);
    enum status status = take_memory(threads, count, err);
    if (status == STATUS_OK)
        status = crew_new(count, &threads->crew, err);
    if (status == STATUS_OK)
        *ret = take_ptr(threads);
    return status;
}

void scan_threads_free(struct scan_threads *threads)
{
    if (!threads)
        return;
    crew_free(threads->crew);
    for (unsigned i = 0; i < threads->count; i++)
        lane_deinit(&threads->lanes[i]);
    free(threads->lanes);
    slices_deinit(&threads->slices);
    totals_deinit(&threads->totals);
    residency_deinit(&threads->residency);
    pthread_cond_destroy(&threads->is_taken);
    pthread_mutex_destroy(&threads->lock);
    free(threads);
}

unsigned scan_threads_count(const struct scan_threads *threads)
{
    return threads ? threads->count : 1;
}

uint64_t scan_threads_cpu_ns(const struct scan_threads *threads)
{
    return threads ? crew_cpu_ns(threads->crew) : 0;
}

pid_t scan_threads_tid(const struct scan_threads *threads, unsigned number)
{
    return crew_tid(threads->crew, number);
}
