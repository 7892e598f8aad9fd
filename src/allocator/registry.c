/* registry.c - the allocators that can be walked, and the names of those that cannot. */
#include <stdio.h>
#include <string.h>

#include "allocator/allocator.h"
#include "allocator/glibc/glibc.h"

static const struct allocator_ops *const ALLOCATORS[] = {&glibc_allocator};

/* Allocators known by the file that is mapped: a part of its path, and the name that is told. */
static const struct {
    const char *part;
    const char *name;
} OTHERS[] = {{"/libjemalloc", "jemalloc"}, {"/libtcmalloc", "tcmalloc"}, {"/libmimalloc", "mimalloc"},
              {"/ld-musl", "musl"},         {"/libc.musl", "musl"},       {"-linux-musl/libc.so", "musl"}};

static const char *name_other(struct target *target)
{
    scoped_maps struct maps maps = {0};
    if (target_maps(target, &maps, NULL) != STATUS_OK)
        return NULL;
    for (size_t i = 0; i < maps.count; i++)
        for (size_t k = 0; k < sizeof OTHERS / sizeof *OTHERS; k++)
            if (strstr(maps.rows[i].name, OTHERS[k].part))
                return OTHERS[k].name;
    return NULL;
}

enum status allocator_scan(struct target *target, const struct scan_request *request, char name[32],
                           struct snapshot **ret, struct error *err)
{
    enum status status = STATUS_UNSUPPORTED;
    const char *other = NULL;
    for (size_t i = 0; status == STATUS_UNSUPPORTED && i < sizeof ALLOCATORS / sizeof *ALLOCATORS; i++)
        status = ALLOCATORS[i]->scan(target, request, ret, err);
    if (status == STATUS_OK && (*ret)->numbers.system_bytes == 0 && (other = name_other(target)) != NULL) {
        /* another allocator serves malloc, and glibc's own heap was never used */
        snapshot_unref(*ret);
        *ret = NULL;
        status = error_set(err, STATUS_UNSUPPORTED, "the process uses %s, not glibc malloc", other);
    }
    if (status == STATUS_UNSUPPORTED) {
        other = other ? other : name_other(target);
        snprintf(name, 32, "%s", other ? other : "other");
        status =
            other
                ? error_set(err, STATUS_UNSUPPORTED, "the process uses %s, not glibc malloc", other)
                : error_set(err, STATUS_UNSUPPORTED,
                            "no glibc malloc was found in the process, nor another allocator that is known");
    }
    return status;
}
