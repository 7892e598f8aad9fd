/* catalogue.c - the table as an array. */
#include "metrics/catalogue.h"

#include "metrics/collect.h"

static const struct metric METRICS[] = {
#define X(metric_name, collector, metric_type, metric_unit, metric_scope, metric_labels, metric_help) \
    {.name = #metric_name,                                                                            \
     .type = METRIC_##metric_type,                                                                    \
     .unit = metric_unit,                                                                             \
     .scope = SCOPE_##metric_scope,                                                                   \
     .labels = metric_labels,                                                                         \
     .help = metric_help,                                                                             \
     .collect = collect_##collector},
    METRIC_TABLE(X)
#undef X
};

const struct metric *catalogue(size_t *count)
{
    *count = sizeof(METRICS) / sizeof(METRICS[0]);
    return METRICS;
}

const char *metric_type_name(enum metric_type type)
{
    static const char *const NAMES[] = {"gauge", "counter", "info", "histogram"};
    return NAMES[type];
}
