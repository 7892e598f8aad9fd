/*
 * store_groups.c - groups that end: those that the scanner ends, and those that no scanner knows any more.
 *
 * A scanner that was restarted only knows the groups of processes that it finds. One whose last process ended
 * while there was no scanner has no process; its counters live as long as the scanner would have let them.
 */
#include <stdlib.h>
#include <string.h>

#include "roles/front/store_internal.h"

static void remove_group(struct store *store, size_t at)
{
    store->bytes -= store_group_bytes(store->groups[at]);
    store_group_unref(store->groups[at]);
    store->group_count--;
    memmove(store->groups + at, store->groups + at + 1, (store->group_count - at) * sizeof(*store->groups));
}

void store_group_gone(struct store *store, const char *name)
{
    bool found;
    pthread_rwlock_wrlock(&store->lock);
    size_t at = store_group_place(store, name, &found);
    if (found)
        remove_group(store, at);
    pthread_rwlock_unlock(&store->lock);
}

/* The same group without processes, since views may hold this one; false without memory. */
static bool leave(struct store *store, size_t at, uint64_t now_ns)
{
    struct store_group *old = store->groups[at];
    struct store_group *group = malloc(store_group_bytes(old));
    if (!group)
        return false;
    atomic_init(&group->references, 1);
    group->epoch = old->epoch;
    group->left_ns = now_ns;
    group->message = old->message;
    group->message.processes = group->message.scanned = 0;
    group->labels_length = old->labels_length;
    memcpy(group->labels, old->labels, old->labels_length);
    store->groups[at] = group;
    store_group_unref(old);
    return true;
}

void store_leave_groups(struct store *store, uint64_t now_ns)
{
    for (size_t i = store->group_count; i-- > 0;) {
        const struct store_group *group = store->groups[i];
        bool is_known = group->left_ns == 0;
        if (is_known && (!store->is_first_round || group->epoch == store->epoch))
            continue;
        /* one without template fields, which the configuration has no more, ends at once */
        bool is_over =
            is_known ? !group->message.is_templated : now_ns - group->left_ns > store->settings.group_ttl_ns;
        if (is_over || (is_known && !leave(store, i, now_ns)))
            remove_group(store, i);
    }
}
