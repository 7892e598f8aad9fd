/* gzip.c - see gzip.h. */
#include "roles/front/http/gzip.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/cleanup.h"

/* Below it the answer fits a packet or two anyway. */
#define WORTH_BYTES 1024
/* An exposition is repetitive: the fastest level packs it well, and many at once must not starve others. */
#define LEVEL 1
#define GZIP_WINDOW (15 + 16)
#define MEMORY_LEVEL 8

bool gzip_pack(struct buffer *body)
{
    z_stream stream = {0};
    if (body->failed || body->length < WORTH_BYTES || body->length > UINT_MAX / 2 ||
        deflateInit2(&stream, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    uLong bound = deflateBound(&stream, body->length);
    scoped_free char *packed = malloc(bound);
    stream.next_in = (unsigned char *)body->data;
    stream.avail_in = (unsigned)body->length;
    stream.next_out = (unsigned char *)packed;
    stream.avail_out = (unsigned)bound;
    bool is_done = packed && deflate(&stream, Z_FINISH) == Z_STREAM_END;
    size_t length = stream.total_out;
    deflateEnd(&stream);
    if (!is_done)
        return false;
    buffer_deinit(body);
    char *shorter = realloc(packed, length);
    *body = (struct buffer){.data = shorter ? shorter : packed, .length = length, .capacity = length};
    (void)take_ptr(packed);
    return true;
}
