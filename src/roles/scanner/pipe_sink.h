/* pipe_sink.h - the end of a stream's pipe: bytes out, hang-ups noticed, never longer than the time given. */
#ifndef ROLES_SCANNER_PIPE_SINK_H
#define ROLES_SCANNER_PIPE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Zero-initialise, then set @fd and @limit_ns. @before_first is called once, before the first byte. */
struct pipe_sink {
    int fd; /* non-blocking */
    uint64_t limit_ns;
    bool has_begun;
    bool is_late; /* the reader was too slow: limit_ns has passed */
    void (*before_first)(void *context);
    /* around a wait for the reader, which may take long: true before, false after; or NULL */
    void (*waiting)(void *context, bool begins);
    void *context;
};

/** Write all; false where the reader is gone or the time is over. The dump_write of encode/dump.h. */
bool pipe_sink_write(void *context, const char *data, size_t length);

/** Whether the reader has hung up. */
bool pipe_sink_is_closed(const struct pipe_sink *sink);

#endif
