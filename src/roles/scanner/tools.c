/* tools.c - see tools.h. */
#include "roles/scanner/tools.h"

#include <stdlib.h>

static struct tools *new_tools(struct scanner *scanner)
{
    struct tools *tools = calloc(1, sizeof *tools);
    if (!tools)
        return NULL;
    tools->cache = allocator_cache_new();
    if (!tools->cache) {
        free(tools);
        return NULL;
    }
    tools->holder_launcher = (struct launcher){scanner, MESSAGE_WANT_HOLDER};
    tools->resolver_launcher = (struct launcher){scanner, MESSAGE_WANT_RESOLVER};
    hold_client_init(&tools->hold,
                     &(struct hold_launcher){.start = launch_start, .context = &tools->holder_launcher});
    resolver_client_init(&tools->resolver, &(struct resolver_launcher){.start = launch_start,
                                                                       .context = &tools->resolver_launcher});
    return tools;
}

struct tools *tools_take(struct scanner *scanner)
{
    pthread_mutex_lock(&scanner->lock);
    struct tools *tools = scanner->spare_tools;
    if (tools)
        scanner->spare_tools = tools->next;
    pthread_mutex_unlock(&scanner->lock);
    return tools ? tools : new_tools(scanner);
}

void tools_give(struct scanner *scanner, struct tools *tools)
{
    pthread_mutex_lock(&scanner->lock);
    tools->next = scanner->spare_tools;
    scanner->spare_tools = tools;
    pthread_mutex_unlock(&scanner->lock);
}
