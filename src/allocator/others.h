/* others.h - naming the allocator of a process that does not use glibc malloc. */
#ifndef ALLOCATOR_OTHERS_H
#define ALLOCATOR_OTHERS_H

#include "allocator/allocator.h"
#include "allocator/symbol_source.h"
#include "target/target.h"

/**
 * The name of the allocator that @target uses instead of glibc's: musl, jemalloc, tcmalloc, mimalloc or go;
 * NULL where none is known. By the names of mapped files, then a note of Go's, then the symbols of the
 * modules
 * (@symbols and @cache may be NULL; not asked beyond @deadline_ns, monotonic).
 */
const char *others_name(struct target *target, struct symbol_source *symbols, struct allocator_cache *cache,
                        uint64_t deadline_ns);

#endif
