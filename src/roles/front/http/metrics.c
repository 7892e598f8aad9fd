/* metrics.c - the scrape: a view of the store, rendered. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "encode/exposition.h"
#include "roles/front/http/accept.h"
#include "roles/front/http/handlers.h"
#include "roles/front/own_descriptors.h"

#define REQUEST_COUNTS_MAX 256

/** The arrays behind a view; they stay until it is rendered. */
struct scrape {
    struct store_view stored;
    struct view view;
    struct view_group *groups;
    struct view_process *processes;
    struct view_label *labels;
    struct view_count restarts[ROLE_COUNT];
    struct view_count requests[REQUEST_COUNTS_MAX];
    char codes[REQUEST_COUNTS_MAX][8];
};

static void scrape_deinit(struct scrape *scrape)
{
    store_view_deinit(&scrape->stored);
    free(scrape->groups);
    free(scrape->processes);
    free(scrape->labels);
}
#define scoped_scrape scoped(scrape_deinit)

/* name, NUL, value, NUL … to pairs; returns the place behind them. */
static struct view_label *fill_labels(const struct store_group *group, struct view_label *at)
{
    const char *text = group->labels, *end = text + group->labels_length;
    for (uint32_t i = 0; i < group->message.labels_count && text < end; i++) {
        at->name = text;
        text += strlen(text) + 1;
        at->value = text;
        text += strlen(text) + 1;
        at++;
    }
    return at;
}

static enum status fill_groups(struct scrape *scrape, struct error *err)
{
    size_t labels = 0;
    const struct store_view *stored = &scrape->stored;
    for (size_t i = 0; i < stored->group_count; i++)
        labels += stored->groups[i]->message.labels_count;
    scrape->groups = calloc(stored->group_count + 1, sizeof *scrape->groups);
    scrape->labels = calloc(labels + 1, sizeof *scrape->labels);
    if (!scrape->groups || !scrape->labels)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a scrape");
    struct view_label *next = scrape->labels;
    for (size_t i = 0; i < stored->group_count; i++) {
        const struct message_group *message = &stored->groups[i]->message;
        struct view_label *first = next;
        next = fill_labels(stored->groups[i], first);
        scrape->groups[i] = (struct view_group){.name = message->name,
                                                .labels = first,
                                                .labels_count = (size_t)(next - first),
                                                .is_aggregated = message->identify_by != 0,
                                                .counters = message->totals,
                                                .interval_ns = message->interval_ns,
                                                .processes = message->processes};
    }
    scrape->view.groups = scrape->groups;
    scrape->view.groups_count = stored->group_count;
    return STATUS_OK;
}

static int by_name(const void *name, const void *group)
{
    return strcmp(name, ((const struct view_group *)group)->name);
}

/* A process whose group is not known (yet) is left for the next scrape. */
static enum status fill_processes(struct scrape *scrape, struct error *err)
{
    const struct store_view *stored = &scrape->stored;
    uint64_t now_ns = clock_monotonic_ns();
    scrape->processes = calloc(stored->process_count + 1, sizeof *scrape->processes);
    if (!scrape->processes)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a scrape");
    for (size_t i = 0; i < stored->process_count; i++) {
        const struct store_process *process = stored->processes[i];
        struct view_group *group = bsearch(process->message.group, scrape->groups, stored->group_count,
                                           sizeof *scrape->groups, by_name);
        if (!group)
            continue;
        /* counted here, so that it is of the same moment as the sums */
        group->scanned += store_state_at(process, now_ns) == PROCESS_STATE_OK;
        scrape->processes[scrape->view.processes_count++] =
            (struct view_process){.group = group,
                                  .state = store_state_at(process, now_ns),
                                  .failure = store_failure_at(process, now_ns),
                                  .snapshot = process->snapshot};
    }
    scrape->view.processes = scrape->processes;
    return STATUS_OK;
}

static void count_request(void *context, unsigned code, const char *handler, uint64_t count)
{
    struct scrape *scrape = context;
    size_t at = scrape->view.exporter.requests_count;
    if (at == REQUEST_COUNTS_MAX)
        return;
    snprintf(scrape->codes[at], sizeof scrape->codes[at], "%u", code);
    scrape->requests[at] = (struct view_count){scrape->codes[at], handler, count};
    scrape->view.exporter.requests_count++;
}

static const struct {
    const char *name;
    enum role role;
} RESTARTED[] = {
    {"front", ROLE_FRONT}, {"scanner", ROLE_SCANNER}, {"resolver", ROLE_RESOLVER}, {"holder", ROLE_HOLDER}};
#define RESTARTED_COUNT (sizeof RESTARTED / sizeof *RESTARTED)

static void fill_from_keeper(struct front *front, struct scrape *scrape)
{
    struct view_exporter *exporter = &scrape->view.exporter;
    pthread_mutex_lock(&front->lock);
    for (size_t i = 0; i < RESTARTED_COUNT; i++)
        scrape->restarts[i] =
            (struct view_count){RESTARTED[i].name, NULL, front->restarts.counts[RESTARTED[i].role]};
    exporter->config_reload_ok = front->has_config_result && front->config_result.is_ok;
    exporter->config_reload_timestamp_seconds = front->config_success_seconds;
    exporter->cpu_ns = front->usage.cpu_ns;
    exporter->virtual_bytes = front->usage.virtual_bytes;
    exporter->resident_bytes = front->usage.resident_bytes;
    pthread_mutex_unlock(&front->lock);
    exporter->restarts = scrape->restarts;
    exporter->restarts_count = RESTARTED_COUNT;
}

/* UINT64_MAX: none. */
static uint64_t limit_of(int resource)
{
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return limit.rlim_cur;
}

static void fill_exporter(struct front *front, struct scrape *scrape)
{
    struct view_exporter *exporter = &scrape->view.exporter;
    exporter->version = VERSION;
    exporter->requests = scrape->requests;
    request_count_each(count_request, scrape);
    memcpy(exporter->skipped, scrape->stored.round.skipped, sizeof exporter->skipped);
    exporter->scan_lag_ns = scrape->stored.round.scan_lag_ns;
    exporter->open_fds = own_descriptors_count();
    exporter->max_fds = limit_of(RLIMIT_NOFILE);
    exporter->virtual_max_bytes = limit_of(RLIMIT_AS);
    exporter->start_time_seconds = front->start.start_time_seconds;
    fill_from_keeper(front, scrape);
}

static enum status fill(struct front *front, struct scrape *scrape, struct error *err)
{
    enum status status = store_view(front->store, &scrape->stored, err);
    if (status == STATUS_OK)
        status = fill_groups(scrape, err);
    if (status == STATUS_OK)
        status = fill_processes(scrape, err);
    if (status != STATUS_OK)
        return status;
    const struct message_settings *settings = &scrape->stored.settings;
    scrape->view.per_arena = settings->per_arena != 0;
    scrape->view.max_arenas = settings->max_arenas;
    scrape->view.max_series = settings->max_series;
    scrape->view.size_histogram = settings->size_histogram != 0;
    scrape->view.residency = settings->residency != 0;
    fill_exporter(front, scrape);
    return STATUS_OK;
}

enum status render_metrics(struct request *request, enum exposition_format format, struct buffer *body,
                           struct error *err)
{
    struct scrape scrape scoped_scrape = {0};
    enum status status = fill(request->front, &scrape, err);
    return status == STATUS_OK ? exposition_write(body, format, &scrape.view, err) : status;
}

static enum status render_text(struct request *request, struct buffer *body, struct error *err)
{
    return render_metrics(request, EXPOSITION_TEXT, body, err);
}

static enum status render_openmetrics(struct request *request, struct buffer *body, struct error *err)
{
    return render_metrics(request, EXPOSITION_OPENMETRICS, body, err);
}

enum MHD_Result handle_metrics(struct request *request)
{
    enum exposition_format format = accept_exposition(request_header(request, MHD_HTTP_HEADER_ACCEPT));
    const char *type = exposition_content_type(format);
    return format == EXPOSITION_TEXT
               ? request_share(request, ANSWER_METRICS_TEXT, type, render_text)
               : request_share(request, ANSWER_METRICS_OPENMETRICS, type, render_openmetrics);
}
