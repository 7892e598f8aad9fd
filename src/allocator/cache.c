/* cache.c - see cache.h. */
#include "allocator/cache.h"

#include <stdlib.h>
#include <string.h>

#define CACHE_ENTRIES 256u

struct allocator_cache {
    struct cache_entry entries[CACHE_ENTRIES];
    size_t count;
    uint64_t clock;
    struct spare_map spares[SPARE_COUNT];
};

struct allocator_cache *allocator_cache_new(void)
{
    return calloc(1, sizeof(struct allocator_cache));
}

void allocator_cache_free(struct allocator_cache *cache)
{
    for (size_t i = 0; cache && i < SPARE_COUNT; i++)
        spare_map_deinit(&cache->spares[i]);
    free(cache);
}

struct spare_map *cache_spare(struct allocator_cache *cache, enum cache_spare which)
{
    return cache ? &cache->spares[which] : NULL;
}

static bool is_same_file(const struct cache_key *a, const struct cache_key *b)
{
    return a->inode == b->inode && a->device_major == b->device_major && a->device_minor == b->device_minor &&
           a->build_id_length == b->build_id_length &&
           memcmp(a->build_id, b->build_id, a->build_id_length) == 0;
}

struct cache_entry *cache_get(struct allocator_cache *cache, const struct cache_key *key)
{
    for (size_t i = 0; cache && key->build_id_length && i < cache->count; i++) {
        struct cache_entry *entry = &cache->entries[i];
        if (is_same_file(&entry->key, key)) {
            entry->used = ++cache->clock;
            return entry;
        }
    }
    return NULL;
}

void cache_put(struct allocator_cache *cache, const struct cache_entry *entry)
{
    if (!cache || entry->key.build_id_length == 0)
        return;
    struct cache_entry *place = cache_get(cache, &entry->key);
    if (!place && cache->count < CACHE_ENTRIES)
        place = &cache->entries[cache->count++];
    if (!place) {
        place = &cache->entries[0];
        for (size_t i = 1; i < cache->count; i++)
            if (cache->entries[i].used < place->used)
                place = &cache->entries[i];
    }
    *place = *entry;
    place->used = ++cache->clock;
}
