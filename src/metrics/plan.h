/*
 * plan.h - what of a view a scrape shows: its processes, the sums of groups that are one set of series, and
 * what is left out so that no more than limits.max_series are shown.
 */
#ifndef METRICS_PLAN_H
#define METRICS_PLAN_H

#include "base/cleanup.h"
#include "metrics/aggregate.h"
#include "metrics/catalogue.h"

/** Sources of SCOPE_PROCESS in the order of the exposition; they point into the view and the plan. */
struct plan {
    struct metric_source *sources;
    size_t count;
    struct aggregate *aggregates; /* of each group of the view; NULL where no group is one set */
    uint64_t series_left_out;
};

/**
 * Plan the scrape of @view, which must stay. Beyond @view->max_series (0: no limit) first the histograms,
 * then the differences of the checks are left out, of the smallest processes first. STATUS_NO_MEMORY only.
 */
enum status plan_make(const struct view *view, struct plan *ret, struct error *err) must_check;

void plan_deinit(struct plan *plan);
#define scoped_plan scoped(plan_deinit)

#endif
