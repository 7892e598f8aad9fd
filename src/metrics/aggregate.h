/* aggregate.h - identify_by: none: the members of a group as one set of numbers. */
#ifndef METRICS_AGGREGATE_H
#define METRICS_AGGREGATE_H

#include "metrics/view.h"

/** A group's members as one process without arrays; has_numbers: at least one was scanned. */
struct aggregate {
    struct view_process process;
    struct snapshot snapshot;
    bool has_members, has_numbers;
};

/** Sum the members of @group in @view into *@ret, which must stay where it is. */
void aggregate_group(const struct view *view, const struct view_group *group, struct aggregate *ret);

#endif
