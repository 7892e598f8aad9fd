/* plan.c - see plan.h. */
#include "metrics/plan.h"

#include <stdlib.h>
#include <string.h>

/* What is left out in turn, and the metric that it is. */
static const struct {
    unsigned omission;
    const char *name;
} OMISSIONS[] = {
    {OMIT_HISTOGRAM, "malloc_chunk_size_bytes"},
    {OMIT_DIFFERENCES, "malloc_reconcile_difference_bytes"},
};

void plan_deinit(struct plan *plan)
{
    free(plan->sources);
    free(plan->aggregates);
    *plan = (struct plan){0};
}

/* Counts series instead of writing them. */
struct counter {
    struct sample_sink sink;
    uint64_t series;
};

static void count_sample(struct sample_sink *sink, const struct sample *sample)
{
    struct counter *counter = (struct counter *)sink;
    /* buckets, sum and count */
    counter->series += sample->kind == VALUE_HISTOGRAM ? HISTOGRAM_BUCKETS + 2 : 1;
}

static uint64_t count_series(const struct metric *metric, const struct metric_source *source)
{
    struct counter counter = {.sink = {count_sample}};
    metric->collect(source, &counter.sink);
    return counter.series;
}

static uint64_t count_all(const struct view *view, const struct plan *plan)
{
    size_t count;
    uint64_t series = 0;
    const struct metric *metrics = catalogue(&count);
    for (size_t i = 0; i < count; i++) {
        struct metric_source source = {.view = view};
        if (metrics[i].scope == SCOPE_EXPORTER)
            series += count_series(&metrics[i], &source);
        for (size_t j = 0; metrics[i].scope == SCOPE_GROUP && j < view->groups_count; j++) {
            source.group = &view->groups[j];
            series += count_series(&metrics[i], &source);
        }
        for (size_t j = 0; metrics[i].scope == SCOPE_PROCESS && j < plan->count; j++)
            series += count_series(&metrics[i], &plan->sources[j]);
    }
    return series;
}

static uint64_t size_of(const struct metric_source *source)
{
    const struct scan_numbers *numbers = &source->process->snapshot->numbers;
    return numbers->system_bytes + numbers->states[CHUNK_MMAPPED].bytes;
}

static int by_size(const void *a, const void *b)
{
    uint64_t left = size_of(*(struct metric_source *const *)a);
    uint64_t right = size_of(*(struct metric_source *const *)b);
    return (left > right) - (left < right);
}

static const struct metric *find_metric(const char *name)
{
    size_t count;
    const struct metric *metrics = catalogue(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(metrics[i].name, name) == 0)
            return &metrics[i];
    return NULL;
}

/* @smallest: the sources by rising size. */
static void leave_out(struct plan *plan, struct metric_source **smallest, uint64_t excess)
{
    for (size_t i = 0; i < sizeof OMISSIONS / sizeof *OMISSIONS; i++) {
        const struct metric *metric = find_metric(OMISSIONS[i].name);
        for (size_t j = 0; metric && j < plan->count && plan->series_left_out < excess; j++) {
            plan->series_left_out += count_series(metric, smallest[j]);
            smallest[j]->omissions |= OMISSIONS[i].omission;
        }
    }
}

static enum status keep_limit(const struct view *view, struct plan *plan, struct error *err)
{
    uint64_t series = view->max_series ? count_all(view, plan) : 0;
    if (series <= view->max_series)
        return STATUS_OK;
    scoped_free struct metric_source **smallest = calloc(plan->count + 1, sizeof(struct metric_source *));
    if (!smallest)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the limit of series");
    for (size_t i = 0; i < plan->count; i++)
        smallest[i] = &plan->sources[i];
    qsort(smallest, plan->count, sizeof *smallest, by_size);
    leave_out(plan, smallest, series - view->max_series);
    return STATUS_OK;
}

static enum status add_aggregates(const struct view *view, struct plan *plan, struct error *err)
{
    plan->aggregates = calloc(view->groups_count + 1, sizeof *plan->aggregates);
    if (!plan->aggregates)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the sums of groups");
    for (size_t i = 0; i < view->groups_count; i++) {
        struct aggregate *aggregate = &plan->aggregates[i];
        if (!view->groups[i].is_aggregated)
            continue;
        aggregate_group(view, &view->groups[i], aggregate);
        if (aggregate->has_members)
            plan->sources[plan->count++] = (struct metric_source){.view = view,
                                                                  .group = &view->groups[i],
                                                                  .process = &aggregate->process,
                                                                  .has_numbers = aggregate->has_numbers,
                                                                  .is_aggregate = true};
    }
    return STATUS_OK;
}

static enum status add_sources(const struct view *view, struct plan *plan, struct error *err)
{
    bool has_aggregates = false;
    plan->sources = calloc(view->processes_count + view->groups_count + 1, sizeof *plan->sources);
    if (!plan->sources)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a scrape");
    for (size_t i = 0; i < view->processes_count; i++) {
        const struct view_process *process = &view->processes[i];
        if (!process->group->is_aggregated)
            plan->sources[plan->count++] =
                (struct metric_source){.view = view,
                                       .group = process->group,
                                       .process = process,
                                       .has_numbers = process->state == PROCESS_STATE_OK};
    }
    for (size_t i = 0; i < view->groups_count; i++)
        has_aggregates |= view->groups[i].is_aggregated;
    return has_aggregates ? add_aggregates(view, plan, err) : STATUS_OK;
}

enum status plan_make(const struct view *view, struct plan *ret, struct error *err)
{
    scoped_plan struct plan plan = {0};
    enum status status = add_sources(view, &plan, err);
    if (status == STATUS_OK)
        status = keep_limit(view, &plan, err);
    if (status == STATUS_OK) {
        *ret = plan;
        plan = (struct plan){0};
    }
    return status;
}
