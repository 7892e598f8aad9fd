/* tools.c - see tools.h. */
#include "roles/scanner/tools.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/log.h"

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
                     (struct helper_launcher){.start = launch_start, .context = &tools->holder_launcher});
    resolver_client_init(&tools->resolver, (struct helper_launcher){.start = launch_start,
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

/* As many as @count, which is another number than before only after the configuration was loaded again. */
static void set_threads(struct tools *tools, unsigned count)
{
    struct error err = {0};
    if (count < 1)
        count = 1;
    if (scan_threads_count(tools->threads) == count)
        return;
    scan_threads_free(take_ptr(tools->threads));
    if (count > 1 && scan_threads_new(count, &tools->threads, &err) != STATUS_OK)
        log_error(LOG_WARN, "no threads for a scan: one thread does it", &err);
}

void tools_lend(struct tools *tools, struct scan_job *job)
{
    set_threads(tools, job->threads);
    job->resolver = &tools->resolver;
    job->request.cache = tools->cache;
    job->request.holder = &tools->hold.holder;
    job->request.threads = tools->threads;
}
