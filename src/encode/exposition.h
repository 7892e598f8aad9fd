/* exposition.h - what Prometheus scrapes: the catalogue over a view, as text 0.0.4 or OpenMetrics 1.0. */
#ifndef ENCODE_EXPOSITION_H
#define ENCODE_EXPOSITION_H

#include "base/buffer.h"
#include "metrics/view.h"

/** Prometheus text 0.0.4, OpenMetrics 1.0. */
enum exposition_format { EXPOSITION_TEXT, EXPOSITION_OPENMETRICS, EXPOSITION_COUNT };

/** Value of the Content-Type header. */
const char *exposition_content_type(enum exposition_format format);

/** Append all of @view. STATUS_NO_MEMORY only. */
enum status exposition_write(struct buffer *out, enum exposition_format format, const struct view *view,
                             struct error *err) must_check;

/** Append the metrics of its processes alone: what a one-shot command prints. */
enum status exposition_write_processes(struct buffer *out, const struct view *view,
                                       struct error *err) must_check;

/** Append the metrics of its processes and groups: what `scan --all` prints. */
enum status exposition_write_groups(struct buffer *out, const struct view *view,
                                    struct error *err) must_check;

#endif
