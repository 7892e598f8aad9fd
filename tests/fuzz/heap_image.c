/* heap_image.c - see heap_image.h: the sound heap. */
#include "fuzz/heap_image.h"

#include <string.h>

#include "allocator/glibc/heap.h"
#include "base/checked.h"

#define ARENA_OFFSET 0x100u
#define PAR_OFFSET 0xc00u
#define THREAD_OFFSET 0x800u
#define TLS_BYTES 64u
/* what struct pthread has where, as threads.c wants it */
#define PTHREAD_TID 0x2d0u
#define PTHREAD_ROBUST_HEAD 0x2e0u
#define TCACHE_COUNT_DEFAULT 7u
#define MMAPPED_BYTES 8192u

uint64_t heap_image_region_bytes(enum region region)
{
    return region == REGION_MMAPPED ? MMAPPED_BYTES : region >= REGION_THREAD ? 8192u : REGION_BYTES_MAX;
}

uint8_t *heap_image_at(struct heap_image *image, uint64_t address, uint64_t length)
{
    for (int region = 0; region < REGION_COUNT; region++) {
        uint64_t offset = address - image->bases[region],
                 bytes = heap_image_region_bytes((enum region)region);
        if (offset < bytes && length <= bytes - offset) {
            return image->data[region] + offset;
        }
    }
    return NULL;
}

static unsigned word_bytes(const struct heap_image *image)
{
    return image->location.layout.word_bytes;
}

static void put(struct heap_image *image, uint64_t address, uint64_t value)
{
    uint8_t *at = heap_image_at(image, address, word_bytes(image));
    if (at != NULL) {
        memcpy(at, &value, word_bytes(image));
    }
}

static uint64_t get(struct heap_image *image, uint64_t address)
{
    uint64_t value = 0;
    const uint8_t *at = heap_image_at(image, address, word_bytes(image));
    if (at != NULL) {
        memcpy(&value, at, word_bytes(image));
    }
    return value;
}

static void put_member(struct heap_image *image, uint64_t base, int offset, uint64_t value)
{
    if (offset != LAYOUT_ABSENT) {
        put(image, base + (uint64_t)offset, value);
    }
}

static void put_int(struct heap_image *image, uint64_t base, int offset, uint32_t value)
{
    uint8_t *at = heap_image_at(image, base + (uint64_t)offset, sizeof value);
    if (at != NULL) {
        memcpy(at, &value, sizeof value);
    }
}

/* An arena under construction. */
struct builder {
    struct heap_image *image;
    uint64_t arena;
    bool is_main;
};

static uint64_t bin_head(const struct builder *builder, unsigned bin)
{
    unsigned word = word_bytes(builder->image);
    return builder->arena + (uint64_t)builder->image->location.layout.state.bins + 2u * word * (bin - 1) -
           2u * word;
}

static void begin_arena(const struct builder *builder)
{
    unsigned word = word_bytes(builder->image);
    for (unsigned bin = 1; bin < GLIBC_BIN_COUNT; bin++) {
        put(builder->image, bin_head(builder, bin) + 2u * word, bin_head(builder, bin));
        put(builder->image, bin_head(builder, bin) + 3u * word, bin_head(builder, bin));
    }
}

static void bin_insert(const struct builder *builder, unsigned bin, uint64_t chunk)
{
    struct heap_image *image = builder->image;
    unsigned word = word_bytes(image);
    uint64_t head = bin_head(builder, bin), first = get(image, head + 2u * word);
    put(image, chunk + 2u * word, first);
    put(image, chunk + 3u * word, head);
    put(image, first + 3u * word, chunk);
    put(image, head + 2u * word, chunk);
}

/* Put a link as safe-linking (since 2.32) stores it. */
static void put_link(struct heap_image *image, uint64_t at, uint64_t value)
{
    put(image, at, image->location.layout.tcache.is_mangled ? (at >> 12) ^ value : value);
}

static void tcache_insert(struct heap_image *image, uint64_t chunk, uint64_t size)
{
    const struct glibc_layout *layout = &image->location.layout;
    unsigned word = layout->word_bytes, bin = (unsigned)((size - layout->min_size) / layout->alignment);
    if (image->tcache == 0 || bin >= 64 || size > 1032) {
        return;
    }
    uint64_t entry = image->tcache + (uint64_t)layout->tcache.entries + bin * word;
    put_link(image, chunk + 2u * word, get(image, entry));
    put(image, entry, chunk + 2u * word);
    uint8_t *count = heap_image_at(
        image, image->tcache + (uint64_t)layout->tcache.counts + bin * layout->tcache.count_bytes, 2);
    if (count != NULL) {
        *count = (uint8_t)(*count + (layout->tcache.counts_are_free_slots ? -1 : 1));
    }
}

static bool fastbin_insert(const struct builder *builder, uint64_t chunk, uint64_t size)
{
    struct heap_image *image = builder->image;
    const struct glibc_layout *layout = &image->location.layout;
    unsigned word = layout->word_bytes;
    if (layout->state.fastbin_count == 0 || size > 16u * word) {
        return false;
    }
    uint64_t bin = (size >> (word == 8 ? 4 : 3)) - 2;
    uint64_t head = builder->arena + (uint64_t)layout->state.fastbins + bin * word;
    put_link(image, chunk + 2u * word, get(image, head));
    put(image, head, chunk);
    return true;
}

/* What a chunk becomes; the numbers are the input's. */
enum kind { IN_USE, IN_TCACHE, IN_FASTBIN, IN_UNSORTED, IN_BIN, KIND_COUNT };

struct chain {
    uint64_t at;
    uint64_t end;
    bool is_previous_free;
    uint64_t previous_size;
};

/* The header of the next chunk; a free one before it is repeated in front. */
static void put_header(const struct builder *builder, struct chain *chain, uint64_t size, bool is_user)
{
    struct heap_image *image = builder->image;
    unsigned word = word_bytes(image);
    if (chain->is_previous_free) {
        put(image, chain->at, chain->previous_size);
    }
    uint64_t flags = (chain->is_previous_free ? 0 : CHUNK_PREV_IN_USE) |
                     (is_user && !builder->is_main ? CHUNK_NON_MAIN : 0u);
    put(image, chain->at + word, size | flags);
}

static void put_chunk(const struct builder *builder, struct chain *chain, uint64_t size, enum kind kind)
{
    struct heap_image *image = builder->image;
    const struct glibc_layout *layout = &image->location.layout;
    bool is_free = (kind == IN_UNSORTED || kind == IN_BIN) && !chain->is_previous_free;
    put_header(builder, chain, size, !is_free);
    if (is_free) {
        bin_insert(builder, kind == IN_UNSORTED ? GLIBC_UNSORTED : layout_bin_index(layout, size), chain->at);
    } else if (kind == IN_TCACHE) {
        tcache_insert(image, chain->at, size);
    } else if (kind == IN_FASTBIN) {
        fastbin_insert(builder, chain->at, size);
    }
    chain->at += size;
    chain->is_previous_free = is_free;
    chain->previous_size = size;
}

/* Chunks as the input says, until it says 0; those that reach beyond @room are left out. */
static void put_chunks(const struct builder *builder, struct chain *chain, uint64_t room)
{
    const struct glibc_layout *layout = &builder->image->location.layout;
    for (;;) {
        uint8_t choice = input_u8(builder->image->input);
        uint64_t size = layout->min_size + (uint64_t)(choice >> 3) * layout->alignment;
        if (choice % 8 == 7) {
            size += (uint64_t)input_u8(builder->image->input) * 4 * layout->alignment;
        }
        if (choice == 0) {
            return;
        }
        if (chain->at < room && size <= room - chain->at) {
            put_chunk(builder, chain, size, (enum kind)(choice % 8 % KIND_COUNT));
        }
    }
}

static void end_with_top(const struct builder *builder, struct chain *chain)
{
    struct heap_image *image = builder->image;
    if (chain->is_previous_free) {
        put_chunk(builder, chain, image->location.layout.min_size, IN_USE);
    }
    put_header(builder, chain, chain->end - chain->at, false);
    put_member(image, builder->arena, image->location.layout.state.top, chain->at);
}

/* An older sub-heap ends with a fence and, 16 bytes before its end, a header of size 0 (malloc.c, sysmalloc).
 */
static void end_with_fence(const struct builder *builder, struct chain *chain)
{
    unsigned word = word_bytes(builder->image);
    uint64_t terminator = chain->end - 16, fence = terminator - 2u * word;
    put_chunk(builder, chain, fence - chain->at, IN_USE);
    put_header(builder, chain, 2u * word, false);
    put(builder->image, terminator + word, CHUNK_PREV_IN_USE);
}

static uint64_t first_chunk(const struct heap_image *image, uint64_t base)
{
    const struct glibc_layout *layout = &image->location.layout;
    uint64_t header = 2u * layout->word_bytes;
    return align_up(base + header, layout->alignment) - header;
}

static void put_tcache(const struct builder *builder, struct chain *chain)
{
    struct heap_image *image = builder->image;
    const struct glibc_layout *layout = &image->location.layout;
    if (layout->tcache.size == 0 || layout->word_bytes != 8) {
        return;
    }
    uint64_t size = align_up((uint64_t)layout->tcache.size + layout->word_bytes, layout->alignment);
    image->tcache = chain->at + 2u * layout->word_bytes;
    put_chunk(builder, chain, size, IN_USE);
    uint8_t *counts = heap_image_at(image, image->tcache, (uint64_t)layout->tcache.size);
    for (unsigned bin = 0; layout->tcache.counts_are_free_slots && bin < layout->tcache.bins; bin++) {
        counts[bin * layout->tcache.count_bytes] = TCACHE_COUNT_DEFAULT;
    }
    put(image, image->bases[REGION_THREAD] + THREAD_OFFSET - TLS_BYTES, image->tcache);
    put(image, image->bases[REGION_THREAD] + THREAD_OFFSET - TLS_BYTES + 8, builder->arena);
}

static void build_main(struct heap_image *image)
{
    const struct glibc_layout *layout = &image->location.layout;
    struct builder builder = {.image = image, .arena = image->location.main_arena_addr, .is_main = true};
    uint64_t base = image->bases[REGION_MAIN];
    struct chain chain = {.at = first_chunk(image, base), .end = base + REGION_BYTES_MAX};
    begin_arena(&builder);
    put_tcache(&builder, &chain);
    put_chunks(&builder, &chain, chain.end - 4096);
    end_with_top(&builder, &chain);
    put_member(image, builder.arena, layout->state.system_mem, REGION_BYTES_MAX);
    put_member(image, builder.arena, layout->state.max_system_mem, REGION_BYTES_MAX);
    put_member(image, image->location.mp_addr, layout->par.sbrk_base, base);
}

static void put_heap_info(struct heap_image *image, uint64_t base, uint64_t arena, uint64_t previous)
{
    const struct heap_layout *heap = &image->location.layout.heap;
    put_member(image, base, heap->ar_ptr, arena);
    put_member(image, base, heap->prev, previous);
    put_member(image, base, heap->size_field, REGION_BYTES_MAX);
    put_member(image, base, heap->mprotect_size, REGION_BYTES_MAX);
}

/* The other arena: its own heap is the older one, its top lies in the newer one. */
static void build_other(struct heap_image *image)
{
    const struct glibc_layout *layout = &image->location.layout;
    uint64_t own = image->bases[REGION_OWN], newer = image->bases[REGION_NEW];
    struct builder builder = {.image = image, .arena = own + (uint64_t)layout->heap.size};
    uint64_t structs = (uint64_t)layout->heap.size;
    put_heap_info(image, own, builder.arena, 0);
    put_heap_info(image, newer, builder.arena, own);
    begin_arena(&builder);
    struct chain chain = {.at = first_chunk(image, own + structs + (uint64_t)layout->state.size),
                          .end = own + REGION_BYTES_MAX};
    put_chunks(&builder, &chain, chain.end - 8192);
    end_with_fence(&builder, &chain);
    chain = (struct chain){.at = first_chunk(image, newer + structs), .end = newer + REGION_BYTES_MAX};
    put_chunks(&builder, &chain, chain.end - 4096);
    end_with_top(&builder, &chain);
    put_int(image, builder.arena, layout->state.flags, ARENA_NONCONTIGUOUS);
    put_member(image, builder.arena, layout->state.system_mem, 2 * REGION_BYTES_MAX);
    put_member(image, builder.arena, layout->state.max_system_mem, 2 * REGION_BYTES_MAX);
    put_member(image, builder.arena, layout->state.next, image->location.main_arena_addr);
    put_member(image, image->location.main_arena_addr, layout->state.next, builder.arena);
}

static void build_mmapped(struct heap_image *image)
{
    const struct glibc_layout *layout = &image->location.layout;
    unsigned word = layout->word_bytes;
    uint64_t chunk = first_chunk(image, image->bases[REGION_MMAPPED]);
    uint64_t lead = chunk - image->bases[REGION_MMAPPED], size = MMAPPED_BYTES - lead;
    put(image, chunk, lead);
    put(image, chunk + word, (size - (layout->mmapped_size_less_header ? 2u * word : 0)) | CHUNK_IS_MMAPPED);
    put_int(image, image->location.mp_addr, layout->par.n_mmaps, 1);
    put_member(image, image->location.mp_addr, layout->par.mmapped_mem, MMAPPED_BYTES);
    put_member(image, image->location.mp_addr, layout->par.tcache_count, TCACHE_COUNT_DEFAULT);
}

static void build_thread(struct heap_image *image)
{
    uint64_t pointer = image->bases[REGION_THREAD] + THREAD_OFFSET;
    image->thread_id = 77;
    image->robust_list = pointer + PTHREAD_ROBUST_HEAD;
    put(image, pointer, pointer);
    put(image, pointer + 16, pointer);
    memcpy(heap_image_at(image, pointer + PTHREAD_TID, 4), &image->thread_id, 4);
}

void heap_image_build(struct heap_image *image, unsigned minor, unsigned word, struct input *input)
{
    static const uint64_t WIDE[REGION_COUNT] = {0x555555560000, 0x7fffec000000, 0x7ffff0000000,
                                                0x7ffff7a00000, 0x7ffff7d00000, 0x7ffff7e00000};
    static const uint64_t NARROW[REGION_COUNT] = {0x56560000, 0xf6100000, 0xf6200000,
                                                  0xf7a00000, 0xf7d00000, 0xf7e00000};
    uint64_t lower_bytes = word == 8 ? image->lower_bytes : 0;
    memset(image, 0, sizeof *image);
    image->input = input;
    for (int region = 0; region < REGION_COUNT; region++) {
        image->bases[region] = (word == 8 ? WIDE : NARROW)[region] - lower_bytes;
    }
    memset(image->page_states, PAGE_PRESENT, sizeof image->page_states);
    if (!layout_compose(minor, word, &image->location.layout)) {
        return;
    }
    uint64_t libc = image->bases[REGION_LIBC];
    struct glibc_location location = {.layout = image->location.layout,
                                      .main_arena_addr = libc + ARENA_OFFSET,
                                      .mp_addr = libc + PAR_OFFSET,
                                      .image_start = libc,
                                      .image_end = libc + 8192,
                                      .bias = libc,
                                      .tls_start = 64,
                                      .tls_size = TLS_BYTES,
                                      .tls_align = 64,
                                      .has_tcache_slot = true,
                                      .has_thread_arena_slot = true,
                                      .thread_arena_slot = 8,
                                      .is_main_libc = true};
    image->location = location;
    build_main(image);
    build_other(image);
    build_mmapped(image);
    build_thread(image);
}
