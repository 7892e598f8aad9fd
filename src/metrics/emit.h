/* emit.h - short ways for collectors to yield one sample. */
#ifndef METRICS_EMIT_H
#define METRICS_EMIT_H

#include "metrics/catalogue.h"

/** A whole number. */
static inline void emit_value(struct sample_sink *sink, uint64_t value)
{
    sink->sample(sink, &(struct sample){.integer = value});
}

/** A whole number, where it is known. */
static inline void emit_if(struct sample_sink *sink, bool is_known, uint64_t value)
{
    if (is_known)
        emit_value(sink, value);
}

/** Nanoseconds, which are shown as seconds. */
static inline void emit_ns(struct sample_sink *sink, uint64_t ns)
{
    sink->sample(sink, &(struct sample){.kind = VALUE_NS, .integer = ns});
}

/** A real number. */
static inline void emit_double(struct sample_sink *sink, double value)
{
    sink->sample(sink, &(struct sample){.kind = VALUE_DOUBLE, .real = value});
}

/** A whole number with one label of its own, @name=@label; both must stay until the sink returns. */
static inline void emit_labelled(struct sample_sink *sink, const char *name, const char *label,
                                 uint64_t value)
{
    sink->sample(sink, &(struct sample){.labels = {{name, label}}, .labels_count = 1, .integer = value});
}

#endif
