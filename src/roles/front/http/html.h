/* html.h - text into a page. */
#ifndef ROLES_FRONT_HTTP_HTML_H
#define ROLES_FRONT_HTTP_HTML_H

#include "base/buffer.h"

/** Append @text so that it is text in any place of a page, in attributes with quotes too. */
void html_text(struct buffer *body, const char *text);
/** Append a number of bytes as people read it: 3.7 MiB. */
void html_bytes(struct buffer *body, uint64_t bytes);
/** Append a count and what is counted, as 1 process or 2 processes. */
void html_count(struct buffer *body, uint64_t count, const char *one, const char *many);

#endif
