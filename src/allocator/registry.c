/* registry.c - the allocators that can be walked, and the names of those that cannot. */
#include <stdio.h>

#include "allocator/allocator.h"
#include "allocator/glibc/glibc.h"
#include "allocator/others.h"

static const struct allocator_ops *const ALLOCATORS[] = {&glibc_allocator};

/* glibc's malloc holds nothing: another one may serve the program. */
static bool is_unused(const struct snapshot *snapshot)
{
    return snapshot->numbers.system_bytes == 0 && snapshot->numbers.states[CHUNK_MMAPPED].chunks == 0;
}

static enum status set_unsupported(const char *other, char name[32], struct error *err)
{
    snprintf(name, 32, "%s", other ? other : "other");
    if (other)
        return error_set(err, STATUS_UNSUPPORTED, "the process uses %s, not glibc malloc", other);
    return error_set(err, STATUS_UNSUPPORTED,
                     "no glibc malloc was found in the process, nor another allocator that is known");
}

enum status allocator_scan(struct target *target, const struct scan_request *request, char name[32],
                           struct snapshot **ret, struct error *err)
{
    enum status status = STATUS_UNSUPPORTED;
    for (size_t i = 0; status == STATUS_UNSUPPORTED && i < sizeof ALLOCATORS / sizeof *ALLOCATORS; i++)
        status = ALLOCATORS[i]->scan(target, request, ret, err);
    if (status != STATUS_UNSUPPORTED && (status != STATUS_OK || !is_unused(*ret)))
        return status;
    const char *other = others_name(target, request->symbols, request->cache, request->deadline_ns);
    if (status == STATUS_OK && !other)
        return STATUS_OK;
    if (status == STATUS_OK) {
        snapshot_unref(*ret);
        *ret = NULL;
    }
    return set_unsupported(other, name, err);
}
