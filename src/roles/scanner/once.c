/* once.c - see once.h. The tables of the scanner without its threads, keeper and front. */
#include "roles/scanner/once.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocator/allocator.h"
#include "base/cleanup.h"
#include "encode/exposition.h"
#include "roles/scanner/census.h"
#include "roles/scanner/discovery.h"
#include "roles/scanner/scans.h"
#include "roles/scanner/selection.h"

static void end_scanner(struct scanner **scanner)
{
    if (!*scanner)
        return;
    tracked_deinit(&(*scanner)->table);
    groups_deinit(&(*scanner)->groups);
    users_deinit(&(*scanner)->users);
    config_free((*scanner)->config);
    free(*scanner);
}

/* Takes @config also where it fails. */
static struct scanner *new_scanner(const char *procfs, struct config *config)
{
    struct scanner *scanner = calloc(1, sizeof *scanner);
    if (!scanner) {
        config_free(config);
        return NULL;
    }
    scanner->control = scanner->wake_fd = scanner->epoll_fd = -1;
    scanner->config = config;
    scanner->start.keeper_pid = getpid(); /* this process and its helpers are not looked at */
    snprintf(scanner->start.procfs, sizeof scanner->start.procfs, "%s", procfs);
    pthread_mutex_init(&scanner->lock, NULL);
    pthread_mutex_init(&scanner->watch_lock, NULL);
    return scanner;
}

/* Scan whom the selection wants and who was not tried; false: there was none. */
static bool scan_selected(struct scanner *scanner, const struct scans_means *means)
{
    bool was_any = false;
    selection_update(scanner);
    for (size_t i = 0; i < scanner->table.count; i++) {
        struct tracked *process = scanner->table.items[i];
        if (!process->group || process->is_tried)
            continue;
        scans_once(scanner, process, means);
        was_any = true;
    }
    return was_any;
}

/* The arrays behind a view. */
struct picture {
    struct view view;
    struct view_group *groups;
    struct view_process *processes;
    struct view_label *labels;
};

static void picture_deinit(struct picture *picture)
{
    free(picture->groups);
    free(picture->processes);
    free(picture->labels);
}

static enum status picture_init(const struct scanner *scanner, struct picture *picture, struct error *err)
{
    size_t labels = 0;
    for (size_t i = 0; i < scanner->groups.count; i++)
        labels += scanner->groups.items[i]->message.labels_count;
    picture->groups = calloc(scanner->groups.count + 1, sizeof *picture->groups);
    picture->processes = calloc(scanner->table.count + 1, sizeof *picture->processes);
    picture->labels = calloc(labels + 1, sizeof *picture->labels);
    if (!picture->groups || !picture->processes || !picture->labels)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the exposition");
    const struct config *config = scanner->config;
    picture->view = (struct view){.groups = picture->groups,
                                  .groups_count = scanner->groups.count,
                                  .processes = picture->processes,
                                  .per_arena = config->metrics.per_arena,
                                  .size_histogram = config->metrics.size_histogram,
                                  .residency = config->metrics.residency,
                                  .max_arenas = config->metrics.max_arenas,
                                  .max_series = config->limits.max_series};
    return STATUS_OK;
}

static void fill_groups(const struct scanner *scanner, struct picture *picture)
{
    struct view_label *label = picture->labels;
    for (size_t i = 0; i < scanner->groups.count; i++) {
        const struct group *group = scanner->groups.items[i];
        const struct message_group *message = &group->message;
        picture->groups[i] = (struct view_group){.name = message->name,
                                                 .labels = label,
                                                 .labels_count = message->labels_count,
                                                 .is_aggregated = message->identify_by != 0,
                                                 .counters = message->totals,
                                                 .interval_ns = message->interval_ns,
                                                 .processes = message->processes,
                                                 .scanned = message->scanned};
        const char *text = group->labels.data;
        for (uint32_t j = 0; j < message->labels_count; j++, label++) {
            label->name = text;
            text += strlen(text) + 1;
            label->value = text;
            text += strlen(text) + 1;
        }
    }
}

static void fill_processes(const struct scanner *scanner, struct picture *picture)
{
    for (size_t i = 0; i < scanner->groups.count; i++)
        for (size_t j = 0; j < scanner->table.count; j++) {
            const struct tracked *process = scanner->table.items[j];
            if (process->group == scanner->groups.items[i] && process->snapshot)
                picture->processes[picture->view.processes_count++] =
                    (struct view_process){.group = &picture->groups[i],
                                          .state = process->result.state,
                                          .failure = process->result.failure,
                                          .snapshot = process->snapshot};
        }
}

enum status once_scan_all(const char *procfs, struct config *config, struct holder *holder,
                          struct resolver_client *resolver, struct buffer *out, struct error *err)
{
    scoped(end_scanner) struct scanner *scanner = new_scanner(procfs, config);
    struct scans_means means = {.cache = allocator_cache_new(), .holder = holder, .resolver = resolver};
    if (!scanner || !means.cache) {
        allocator_cache_free(means.cache);
        return error_set(err, STATUS_NO_MEMORY, "no memory to scan");
    }
    if (scanner->config->limits.scan_threads > 1 &&
        scan_threads_new(scanner->config->limits.scan_threads, &means.threads, err) != STATUS_OK) {
        allocator_cache_free(means.cache);
        return err->status;
    }
    discovery_make_groups(scanner);
    census_take(scanner);
    /* there is no later time at which a program may have loaded its libc */
    for (size_t i = 0; i < scanner->table.count; i++)
        scanner->table.items[i]->first_seen_ns = 0;
    /* who cannot be scanned makes room for the next */
    while (scan_selected(scanner, &means))
        ;
    allocator_cache_free(means.cache);
    scan_threads_free(means.threads);
    discovery_count_groups(scanner);
    scoped(picture_deinit) struct picture picture = {0};
    enum status status = picture_init(scanner, &picture, err);
    if (status != STATUS_OK)
        return status;
    fill_groups(scanner, &picture);
    fill_processes(scanner, &picture);
    return exposition_write_groups(out, &picture.view, err);
}
