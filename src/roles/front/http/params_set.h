/* params_set.h - setters of parameters; inside params*.c only. */
#ifndef ROLES_FRONT_HTTP_PARAMS_SET_H
#define ROLES_FRONT_HTTP_PARAMS_SET_H

#include <stdbool.h>

#include "link/messages.h"

/** Set one parameter; false: the value is not allowed. */
typedef bool params_set(struct message_stream *stream, const char *value);

/** One a parameter that inspections take; what each allows is in the table of params.c. */
params_set params_set_match, params_set_exact, params_set_at, params_set_length, params_set_min,
    params_set_findings, params_set_bytes, params_set_needle, params_set_pointer;

/** A whole number up to @maximum, digits only. */
bool params_parse_u64(const char *text, uint64_t maximum, uint64_t *ret);

#endif
