/*
 * name_template.h - the name of a group: text with fields of the process, as "{{.Comm}}".
 *
 * The spelling is that of Go's text/template, of which only fields are known: what process-exporter's
 * configurations use. Anything else between braces is refused, so that no name means something else here.
 */
#ifndef CONFIG_NAME_TEMPLATE_H
#define CONFIG_NAME_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/** Bytes of a rendered name, without its NUL. */
#define NAME_TEMPLATE_BYTES_MAX 255

struct matchers;
struct name_template;
struct process_facts;

/**
 * Parse @text. STATUS_USAGE: @err says what is wrong and what is allowed, *@offset_ret is the byte of @text
 * where it begins.
 */
enum status name_template_new(const char *text, struct name_template **ret, size_t *offset_ret,
                              struct error *err) must_check;

/** Free; NULL is allowed. */
void name_template_free(struct name_template *name);

/** Whether it has no fields, so that all that render it are one group; then *@text is the name. */
bool name_template_is_literal(const struct name_template *name, const char **text);

/** The NAME of its {{.Matches.NAME}} number @index, from 0, and the byte where that begins; NULL: no more. */
const char *name_template_match_name(const struct name_template *name, size_t index, size_t *offset_ret);

/**
 * Render for a process that @match took: valid UTF-8, cut at a character's boundary to
 * NAME_TEMPLATE_BYTES_MAX. A field that is not known renders as nothing.
 */
void name_template_render(const struct name_template *name, const struct process_facts *facts,
                          const struct matchers *match, char ret[NAME_TEMPLATE_BYTES_MAX + 1]);

#endif
