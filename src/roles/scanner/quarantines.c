/* quarantines.c - see quarantines.h. */
#include "roles/scanner/quarantines.h"

#include "roles/scanner/tracked.h"

static const struct message_quarantine *find(const struct quarantines *quarantines,
                                             const struct message_process_id *process)
{
    for (size_t i = 0; i < quarantines->count; i++)
        if (tracked_is_same(&quarantines->items[i].process, process))
            return &quarantines->items[i];
    return NULL;
}

void quarantines_take(struct quarantines *quarantines, const struct message_quarantine *quarantine,
                      uint64_t now_ns)
{
    size_t at = 0;
    while (at < quarantines->count &&
           !tracked_is_same(&quarantines->items[at].process, &quarantine->process) &&
           (quarantines->items[at].until_ns > now_ns || quarantines->items[at].is_suspect))
        at++;
    if (at == QUARANTINES_MAX)
        return;
    quarantines->items[at] = *quarantine;
    if (at == quarantines->count)
        quarantines->count++;
}

const struct message_quarantine *quarantines_find(const struct quarantines *quarantines,
                                                  const struct message_process_id *process, uint64_t now_ns)
{
    const struct message_quarantine *found = find(quarantines, process);
    return found && found->until_ns > now_ns ? found : NULL;
}

bool quarantines_is_suspect(const struct quarantines *quarantines, const struct message_process_id *process)
{
    const struct message_quarantine *found = find(quarantines, process);
    return found && found->is_suspect;
}

uint64_t quarantines_unreadable(const struct quarantines *quarantines, uint64_t now_ns)
{
    uint64_t count = 0;
    for (size_t i = 0; i < quarantines->count; i++)
        count += quarantines->items[i].process.in_discovery && quarantines->items[i].until_ns > now_ns;
    return count;
}
