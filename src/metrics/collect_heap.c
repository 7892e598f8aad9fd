/* collect_heap.c - the numbers of a heap; all absent without a successful scan. */
#include "metrics/collect.h"

#include "metrics/emit.h"

/* They mean something only where source->has_numbers. */
static const struct scan_numbers *numbers_of(const struct metric_source *source)
{
    return &source->process->snapshot->numbers;
}

static bool is_complete(const struct metric_source *source)
{
    return source->has_numbers && numbers_of(source)->is_complete;
}

static bool has_residency(const struct metric_source *source)
{
    return source->has_numbers && source->view->residency && numbers_of(source)->has_residency;
}

/* Whether what is set for malloc is known: of a group's processes each has its own. */
static bool has_settings(const struct metric_source *source)
{
    return source->has_numbers && !source->is_aggregate;
}

void collect_chunks(const struct metric_source *source, struct sample_sink *sink)
{
    const struct scan_numbers *numbers = numbers_of(source);
    for (int state = 0; source->has_numbers && state < CHUNK_STATE_COUNT; state++)
        emit_labelled(sink, "state", chunk_state_name(state), numbers->states[state].chunks);
}

void collect_chunk_bytes(const struct metric_source *source, struct sample_sink *sink)
{
    const struct scan_numbers *numbers = numbers_of(source);
    for (int state = 0; source->has_numbers && state < CHUNK_STATE_COUNT; state++)
        emit_labelled(sink, "state", chunk_state_name(state), numbers->states[state].bytes);
}

void collect_active(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, source->has_numbers, numbers_active_bytes(numbers_of(source)));
}

void collect_free(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, source->has_numbers, numbers_free_bytes(numbers_of(source)));
}

void collect_system(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, source->has_numbers, numbers_of(source)->system_bytes);
}

void collect_overhead(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, source->has_numbers, numbers_of(source)->overhead_bytes);
}

void collect_unread(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, source->has_numbers, numbers_of(source)->completeness.unread_bytes);
}

void collect_arenas(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, source->has_numbers, numbers_of(source)->arenas);
}

void collect_heaps(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, source->has_numbers, numbers_of(source)->heap_count);
}

void collect_tcaches(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, source->has_numbers, numbers_of(source)->tcaches);
}

void collect_tcaches_missing(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, source->has_numbers, numbers_of(source)->tcaches_missing);
}

void collect_corrupt(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, source->has_numbers, numbers_of(source)->completeness.corrupt_count);
}

void collect_peak(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, source->has_numbers, numbers_of(source)->system_peak_bytes);
}

void collect_complete(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, source->has_numbers, numbers_of(source)->is_complete != 0);
}

void collect_resident(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, has_residency(source), numbers_of(source)->heaps.resident_bytes);
}

void collect_swapped(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, has_residency(source), numbers_of(source)->heaps.swapped_bytes);
}

void collect_free_resident(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, has_residency(source), numbers_of(source)->free.resident_bytes);
}

void collect_free_swapped(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, has_residency(source), numbers_of(source)->free.swapped_bytes);
}

void collect_trimmable(const struct metric_source *source, struct sample_sink *sink)
{
    const struct scan_numbers *numbers = numbers_of(source);
    emit_if(sink, source->view->residency && is_complete(source) && numbers->has_trimmable,
            numbers->trimmable_bytes);
}

void collect_largest(const struct metric_source *source, struct sample_sink *sink)
{
    emit_if(sink, is_complete(source), numbers_of(source)->largest_free_chunk_bytes);
}

void collect_fragmentation(const struct metric_source *source, struct sample_sink *sink)
{
    const struct scan_numbers *numbers = numbers_of(source);
    uint64_t binned = numbers_binned_bytes(numbers);
    if (is_complete(source) && binned)
        emit_double(sink, 1.0 - (double)numbers->largest_per_arena_sum_bytes / (double)binned);
}

void collect_unused(const struct metric_source *source, struct sample_sink *sink)
{
    const struct scan_numbers *numbers = numbers_of(source);
    if (is_complete(source) && numbers->system_bytes)
        emit_double(sink, (double)numbers_free_bytes(numbers) / (double)numbers->system_bytes);
}

static void emit_sizes(struct sample_sink *sink, const char *use, const struct histogram *histogram)
{
    sink->sample(sink, &(struct sample){.labels = {{"use", use}},
                                        .labels_count = 1,
                                        .kind = VALUE_HISTOGRAM,
                                        .histogram = histogram});
}

void collect_sizes(const struct metric_source *source, struct sample_sink *sink)
{
    const struct scan_numbers *numbers = numbers_of(source);
    if (!source->has_numbers || !source->view->size_histogram || !numbers->has_histogram ||
        source->omissions & OMIT_HISTOGRAM)
        return;
    emit_sizes(sink, "used", &numbers->used_sizes);
    emit_sizes(sink, "free", &numbers->free_sizes);
}

void collect_reconciled(const struct metric_source *source, struct sample_sink *sink)
{
    const struct scan_numbers *numbers = numbers_of(source);
    for (int check = 0; source->has_numbers && check < CHECK_COUNT; check++)
        if (numbers->checks[check].is_known)
            emit_labelled(sink, "check", check_name(check), numbers->checks[check].is_reconciled);
}

void collect_difference(const struct metric_source *source, struct sample_sink *sink)
{
    const struct scan_numbers *numbers = numbers_of(source);
    if (source->omissions & OMIT_DIFFERENCES)
        return;
    for (int check = 0; source->has_numbers && check < CHECK_COUNT; check++)
        if (numbers->checks[check].is_known && check_has_bytes(check))
            emit_labelled(sink, "check", check_name(check), numbers->checks[check].difference_bytes);
}

void collect_arenas_limit(const struct metric_source *source, struct sample_sink *sink)
{
    const struct optional_u64 *limit = &numbers_of(source)->arenas_limit;
    emit_if(sink, has_settings(source) && limit->is_known, limit->value);
}

void collect_mmap_threshold(const struct metric_source *source, struct sample_sink *sink)
{
    const struct scan_numbers *numbers = numbers_of(source);
    emit_if(sink, has_settings(source) && numbers->has_thresholds, numbers->mmap_threshold_bytes);
}

void collect_trim_threshold(const struct metric_source *source, struct sample_sink *sink)
{
    const struct scan_numbers *numbers = numbers_of(source);
    emit_if(sink, has_settings(source) && numbers->has_thresholds, numbers->trim_threshold_bytes);
}
