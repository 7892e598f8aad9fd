/* exposition.c - see exposition.h. */
#include "encode/exposition.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "metrics/catalogue.h"
#include "metrics/plan.h"

/* How the two formats differ: by data where it can be. */
static const struct format {
    const char *content_type;
    const char *info_type, *histogram_type;
    const char *histogram_count, *histogram_sum; /* suffixes */
    const char *end;
    bool has_units;
    bool family_without_suffix; /* a family is called without _total and _info */
} FORMATS[EXPOSITION_COUNT] = {
    [EXPOSITION_TEXT] = {"text/plain; version=0.0.4; charset=utf-8", "gauge", "histogram", "_count", "_sum",
                         "", false, false},
    [EXPOSITION_OPENMETRICS] = {"application/openmetrics-text; version=1.0.0; charset=utf-8", "info",
                                "gaugehistogram", "_gcount", "_gsum", "# EOF\n", true, true},
};

/* The writing of one family. */
struct writer {
    struct sample_sink sink;
    struct buffer *out;
    const struct format *format;
    const struct metric *metric;
    const struct metric_source *source;
    bool has_head;
};

const char *exposition_content_type(enum exposition_format format)
{
    return FORMATS[format].content_type;
}

/* "\", "\"" and line feeds are escaped in label values, the first and last in help. */
static void put_escaped(struct buffer *out, const char *text, bool is_label)
{
    for (; *text; text++) {
        if (*text == '\\')
            buffer_text(out, "\\\\");
        else if (*text == '\n')
            buffer_text(out, "\\n");
        else if (*text == '"' && is_label)
            buffer_text(out, "\\\"");
        else
            buffer_append(out, text, 1);
    }
}

static bool ends_with(const char *text, size_t length, const char *end)
{
    size_t end_length = strlen(end);
    return length > end_length && memcmp(text + length - end_length, end, end_length) == 0;
}

static size_t family_length(const struct writer *writer)
{
    const struct metric *metric = writer->metric;
    const char *suffix = metric->type == METRIC_COUNTER ? "_total"
                         : metric->type == METRIC_INFO  ? "_info"
                                                        : "";
    size_t length = strlen(metric->name);
    if (writer->format->family_without_suffix && *suffix && ends_with(metric->name, length, suffix))
        length -= strlen(suffix);
    return length;
}

static const char *type_name(const struct writer *writer)
{
    enum metric_type type = writer->metric->type;
    return type == METRIC_INFO        ? writer->format->info_type
           : type == METRIC_HISTOGRAM ? writer->format->histogram_type
                                      : metric_type_name(type);
}

static void put_head(struct writer *writer)
{
    const char *name = writer->metric->name, *unit = writer->metric->unit;
    int length = (int)family_length(writer);
    if (writer->has_head)
        return;
    writer->has_head = true;
    buffer_printf(writer->out, "# HELP %.*s ", length, name);
    put_escaped(writer->out, writer->metric->help, false);
    buffer_printf(writer->out, "\n# TYPE %.*s %s\n", length, name, type_name(writer));
    if (writer->format->has_units && *unit && ends_with(name, (size_t)length, unit))
        buffer_printf(writer->out, "# UNIT %.*s %s\n", length, name, unit);
}

static void put_label(struct writer *writer, const char *name, const char *value, bool *is_first)
{
    buffer_text(writer->out, *is_first ? "{" : ",");
    buffer_printf(writer->out, "%s=\"", name);
    put_escaped(writer->out, value ? value : "", true);
    buffer_text(writer->out, "\"");
    *is_first = false;
}

/* Those of the group and process, then the sample's own. @le: NULL for none. */
static void put_labels(struct writer *writer, const struct sample *sample, const char *le)
{
    const struct metric_source *source = writer->source;
    bool is_first = true;
    if (source->group) {
        put_label(writer, "groupname", source->group->name, &is_first);
        for (size_t i = 0; i < source->group->labels_count; i++)
            put_label(writer, source->group->labels[i].name, source->group->labels[i].value, &is_first);
    }
    if (source->process && !source->is_aggregate && writer->metric->scope == SCOPE_PROCESS) {
        char pid[16];
        snprintf(pid, sizeof pid, "%d", (int)source->process->snapshot->pid);
        put_label(writer, "pid", pid, &is_first);
    }
    for (unsigned i = 0; i < sample->labels_count; i++)
        put_label(writer, sample->labels[i].name, sample->labels[i].value, &is_first);
    if (le)
        put_label(writer, "le", le, &is_first);
    if (!is_first)
        buffer_text(writer->out, "}");
}

/* Nanoseconds as seconds, without the detour over a double; whole ones print as integers. */
static void put_seconds(struct buffer *out, uint64_t ns)
{
    char text[40];
    uint64_t seconds = ns / 1000000000, rest = ns % 1000000000;
    if (rest == 0) {
        buffer_u64(out, seconds);
        return;
    }
    int length = snprintf(text, sizeof text, "%" PRIu64 ".%09" PRIu64, seconds, rest);
    while (text[length - 1] == '0')
        length--;
    buffer_append(out, text, (size_t)length);
}

static void put_real(struct buffer *out, double value)
{
    if (isnan(value))
        buffer_text(out, "NaN");
    else if (fabs(value) < 1e15 && value == floor(value))
        buffer_printf(out, "%.0f", value);
    else
        buffer_printf(out, "%.15g", value);
}

static void put_value(struct buffer *out, const struct sample *sample)
{
    if (sample->kind == VALUE_NS)
        put_seconds(out, sample->integer);
    else if (sample->kind == VALUE_DOUBLE)
        put_real(out, sample->real);
    else
        buffer_u64(out, sample->integer);
    buffer_text(out, "\n");
}

static void put_histogram_line(struct writer *writer, const struct sample *sample, const char *suffix,
                               const char *le, uint64_t value)
{
    buffer_printf(writer->out, "%s%s", writer->metric->name, suffix);
    put_labels(writer, sample, le);
    buffer_text(writer->out, " ");
    buffer_u64(writer->out, value);
    buffer_text(writer->out, "\n");
}

static void put_histogram(struct writer *writer, const struct sample *sample)
{
    uint64_t cumulated = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        char le[32] = "+Inf";
        cumulated += sample->histogram->counts[i];
        if (i + 1 < HISTOGRAM_BUCKETS)
            snprintf(le, sizeof le, "%" PRIu64 ".0", histogram_bound(i));
        put_histogram_line(writer, sample, "_bucket", le, cumulated);
    }
    put_histogram_line(writer, sample, writer->format->histogram_sum, NULL, sample->histogram->sum_bytes);
    put_histogram_line(writer, sample, writer->format->histogram_count, NULL, cumulated);
}

static void take_sample(struct sample_sink *sink, const struct sample *sample)
{
    struct writer *writer = (struct writer *)sink;
    put_head(writer);
    if (sample->kind == VALUE_HISTOGRAM) {
        put_histogram(writer, sample);
        return;
    }
    buffer_text(writer->out, writer->metric->name);
    put_labels(writer, sample, NULL);
    buffer_text(writer->out, " ");
    put_value(writer->out, sample);
}

static void collect(struct writer *writer, const struct metric_source *source)
{
    writer->source = source;
    writer->metric->collect(source, &writer->sink);
}

static void write_family(struct writer *writer, const struct view *view, const struct plan *plan)
{
    struct metric_source source = {.view = view};
    switch (writer->metric->scope) {
    case SCOPE_PROCESS:
        for (size_t i = 0; i < plan->count; i++)
            collect(writer, &plan->sources[i]);
        return;
    case SCOPE_GROUP:
        for (size_t i = 0; i < view->groups_count; i++) {
            source.group = &view->groups[i];
            collect(writer, &source);
        }
        return;
    case SCOPE_EXPORTER:
        collect(writer, &source);
        return;
    }
}

static enum status write_all(struct buffer *out, enum exposition_format format, const struct view *view,
                             unsigned scopes, struct error *err)
{
    size_t count;
    const struct metric *metrics = catalogue(&count);
    scoped_plan struct plan plan = {0};
    enum status status = plan_make(view, &plan, err);
    if (status != STATUS_OK)
        return status;
    struct view counted = *view;
    counted.exporter.series_left_out = plan.series_left_out;
    for (size_t i = 0; i < count; i++) {
        struct writer writer = {
            .sink = {take_sample}, .out = out, .format = &FORMATS[format], .metric = &metrics[i]};
        if (scopes & (1u << metrics[i].scope))
            write_family(&writer, &counted, &plan);
    }
    buffer_text(out, FORMATS[format].end);
    return buffer_status(out, err);
}

enum status exposition_write(struct buffer *out, enum exposition_format format, const struct view *view,
                             struct error *err)
{
    return write_all(out, format, view, 1u << SCOPE_PROCESS | 1u << SCOPE_GROUP | 1u << SCOPE_EXPORTER, err);
}

enum status exposition_write_processes(struct buffer *out, const struct view *view, struct error *err)
{
    return write_all(out, EXPOSITION_TEXT, view, 1u << SCOPE_PROCESS, err);
}

enum status exposition_write_groups(struct buffer *out, const struct view *view, struct error *err)
{
    return write_all(out, EXPOSITION_TEXT, view, 1u << SCOPE_PROCESS | 1u << SCOPE_GROUP, err);
}
