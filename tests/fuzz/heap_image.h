/*
 * heap_image.h - a small process with a glibc heap, made of arrays: sound by itself, then damaged as told.
 *
 * It has a main arena, another arena with two sub-heaps, one mmapped chunk, and a thread with a tcache where
 * the glibc has one. What its chunks are, and the damage, come from the fuzzer's bytes.
 */
#ifndef FUZZ_HEAP_IMAGE_H
#define FUZZ_HEAP_IMAGE_H

#include "allocator/glibc/locate.h"
#include "fuzz/input.h"

/* The regions of memory, by rising address in both address spaces. */
enum region { REGION_MAIN, REGION_OWN, REGION_NEW, REGION_MMAPPED, REGION_THREAD, REGION_LIBC, REGION_COUNT };

#define REGION_BYTES_MAX 32768u
#define DAMAGES_MAX 64u

/** A word of memory to be overwritten. */
struct damage {
    uint64_t address;
    uint64_t value;
};

struct heap_image {
    struct glibc_location location;
    uint64_t lower_bytes; /* set before it is built, multiples of 1 GiB: it lies so much lower (words of 8) */
    uint64_t bases[REGION_COUNT];
    uint8_t data[REGION_COUNT][REGION_BYTES_MAX];
    uint8_t page_states[REGION_COUNT][REGION_BYTES_MAX / 4096]; /* enum page_state */
    uint64_t robust_list;
    int thread_id;
    struct damage damages[DAMAGES_MAX];
    unsigned damage_count;
    uint64_t reads;        /* so far */
    uint64_t damage_after; /* reads: then the damage is done; the heap moves while it is walked */
    /* while it is built */
    struct input *input;
    uint64_t tcache; /* user address of the struct; 0: none */
};

/** Build it from @input; what is left of @input is the caller's. @minor and @word_bytes choose the layout. */
void heap_image_build(struct heap_image *image, unsigned minor, unsigned word_bytes, struct input *input);

/** Read the damage from @input; returns how many words. It is done once @image->reads reach damage_after. */
unsigned heap_image_plan_damage(struct heap_image *image, struct input *input);
void heap_image_do_damage(struct heap_image *image);

/** Bytes that a region has. */
uint64_t heap_image_region_bytes(enum region region);
/** Our memory of @address, which must lie in a region with @length bytes behind it; else NULL. */
uint8_t *heap_image_at(struct heap_image *image, uint64_t address, uint64_t length);

/** A target over the image; target_close() ends it. */
struct target *heap_image_target(struct heap_image *image);

#endif
