/* lane_queue.c - see lane_queue.h: a ring of blocks. */
#include "allocator/glibc/lane_queue.h"

#include <string.h>
#include <sys/mman.h>

#include "base/reserve.h"

#define QUEUE_BYTES (LANE_QUEUE_BLOCKS * sizeof(struct lane_block))

enum block_kind {
    BLOCK_CHUNKS,
    BLOCK_COUNTS, /* rows of count_used(): the count in `address` */
    BLOCK_END     /* of a segment */
};

struct lane_block {
    enum block_kind kind;
    uint32_t count;
    struct chunk rows[WALK_BATCH];
};

/* The next block to fill, once there is room; NULL: nobody takes any more. */
static struct lane_block *await_room(struct lane_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->head - queue->tail == LANE_QUEUE_BLOCKS && !queue->is_closed)
        pthread_cond_wait(&queue->has_room, &queue->lock);
    struct lane_block *block = queue->is_closed ? NULL : &queue->blocks[queue->head % LANE_QUEUE_BLOCKS];
    pthread_mutex_unlock(&queue->lock);
    return block;
}

static void put(struct lane_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->head++;
    pthread_cond_signal(&queue->has_blocks);
    pthread_mutex_unlock(&queue->lock);
}

static void put_counts(struct lane_queue *queue)
{
    if (queue->counts)
        put(queue);
    queue->counts = NULL;
}

static bool consume(struct chunk_sink *sink, const struct chunk *chunks, size_t count)
{
    struct lane_queue *queue = (struct lane_queue *)sink;
    put_counts(queue);
    struct lane_block *block = await_room(queue);
    if (!block)
        return false;
    block->kind = BLOCK_CHUNKS;
    block->count = (uint32_t)count;
    memcpy(block->rows, chunks, count * sizeof *chunks);
    put(queue);
    return true;
}

static void count_used(struct chunk_sink *sink, uint32_t arena, uint64_t size, uint64_t count)
{
    struct lane_queue *queue = (struct lane_queue *)sink;
    struct lane_block *block = queue->counts ? queue->counts : await_room(queue);
    if (!block)
        return;
    if (!queue->counts) {
        block->kind = BLOCK_COUNTS;
        block->count = 0;
        queue->counts = block;
    }
    block->rows[block->count++] = (struct chunk){.address = count, .size = size, .arena = arena};
    if (block->count == WALK_BATCH)
        put_counts(queue);
}

bool lane_queue_end_segment(struct lane_queue *queue)
{
    put_counts(queue);
    struct lane_block *block = await_room(queue);
    if (!block)
        return false;
    block->kind = BLOCK_END;
    put(queue);
    return true;
}

void lane_queue_close(struct lane_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_closed = true;
    pthread_cond_signal(&queue->has_room);
    pthread_mutex_unlock(&queue->lock);
}

static const struct lane_block *await_block(struct lane_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->head == queue->tail)
        pthread_cond_wait(&queue->has_blocks, &queue->lock);
    const struct lane_block *block = &queue->blocks[queue->tail % LANE_QUEUE_BLOCKS];
    pthread_mutex_unlock(&queue->lock);
    return block;
}

static void take(struct lane_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->tail++;
    pthread_cond_signal(&queue->has_room);
    pthread_mutex_unlock(&queue->lock);
}

static bool hand_over(const struct lane_block *block, struct chunk_sink *receiver)
{
    if (block->kind == BLOCK_CHUNKS)
        return receiver->consume(receiver, block->rows, block->count);
    for (uint32_t i = 0; i < block->count; i++)
        receiver->count_used(receiver, block->rows[i].arena, block->rows[i].size, block->rows[i].address);
    return true;
}

bool lane_queue_deliver(struct lane_queue *queue, struct chunk_sink *receiver)
{
    for (;;) {
        const struct lane_block *block = await_block(queue);
        bool is_end = block->kind == BLOCK_END;
        bool goes_on = is_end || hand_over(block, receiver);
        take(queue);
        if (is_end || !goes_on)
            return goes_on;
    }
}

enum status lane_queue_init(struct lane_queue *queue, struct error *err)
{
    void *blocks = reserve_map(QUEUE_BYTES, false);
    if (!blocks)
        return error_set(err, STATUS_NO_MEMORY, "no memory for chunks that wait for their turn");
    *queue = (struct lane_queue){.sink = {.consume = consume}, .blocks = blocks};
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->has_room, NULL);
    pthread_cond_init(&queue->has_blocks, NULL);
    return STATUS_OK;
}

void lane_queue_deinit(struct lane_queue *queue)
{
    if (!queue->blocks)
        return;
    reserve_unmap(queue->blocks, QUEUE_BYTES);
    queue->blocks = NULL;
    pthread_cond_destroy(&queue->has_blocks);
    pthread_cond_destroy(&queue->has_room);
    pthread_mutex_destroy(&queue->lock);
}

void lane_queue_restart(struct lane_queue *queue, const struct chunk_sink *receiver)
{
    queue->sink.count_used = receiver->count_used ? count_used : NULL;
    queue->head = queue->tail = 0;
    queue->counts = NULL;
    queue->is_closed = false;
}

void lane_queue_trim(struct lane_queue *queue)
{
    if (queue->head > 0)
        madvise(queue->blocks, QUEUE_BYTES, MADV_DONTNEED);
}
