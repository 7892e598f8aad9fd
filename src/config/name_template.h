/* name_template.h - the name of a group: text with fields of the process, as "{{.Comm}}" (text/template's
 * spelling, of which only fields are known). */
#ifndef CONFIG_NAME_TEMPLATE_H
#define CONFIG_NAME_TEMPLATE_H

#include <stdbool.h>

#include "config/config.h"

struct name_template;

/** Parse. STATUS_USAGE: the message says what is wrong and at which character. */
enum status name_template_new(const char *text, struct name_template **ret, struct error *err) must_check;
void name_template_free(struct name_template *name);

/** Whether it has no fields; then *@text is the name. */
bool name_template_is_literal(const struct name_template *name, const char **text);

/** The name of Matches.NAME number @index, from 0 on; NULL: there are no more. */
const char *name_template_match_name(const struct name_template *name, unsigned index);

/** Render for a process that @match took: valid UTF-8, at most 255 bytes. */
void name_template_render(const struct name_template *name, const struct process_facts *facts,
                          const struct matchers *match, char ret[256]);

#endif
