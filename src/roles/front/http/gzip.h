/* gzip.h - a whole answer packed (RFC 1952); the only user of zlib in the front. */
#ifndef ROLES_FRONT_HTTP_GZIP_H
#define ROLES_FRONT_HTTP_GZIP_H

#include <stdbool.h>

#include "base/buffer.h"

/** Replace the bytes of @body by their gzip. False, and nothing changed: it is not worth it, or there is no
 * memory. */
bool gzip_pack(struct buffer *body);

#endif
