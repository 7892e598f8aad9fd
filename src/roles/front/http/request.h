/* request.h - one HTTP request on its way to an answer, and the ways to answer. */
#ifndef ROLES_FRONT_HTTP_REQUEST_H
#define ROLES_FRONT_HTTP_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "roles/front/http/mhd.h"
#include "roles/front/state.h"

struct stream;
struct route;

/** Lives from the first header until the connection lets go of it. */
struct request {
    struct front *front;
    struct MHD_Connection *connection;
    bool is_unix; /* it came over a unix listener */
    bool is_head;
    bool is_over_limit;
    const char *url;
    const char *method;
    const struct route *route; /* NULL: none matched */
    int32_t pid;               /* of {pid}; 0: not a pid */
    const char *rest;          /* of {text}; "" where the route has none */
    struct stream *stream;     /* NULL: none */
};

/** Answer with the bytes of @body (copied). */
enum MHD_Result request_reply(struct request *request, unsigned code, const char *content_type,
                              const struct buffer *body);
/** Answer with {"error": {"code", "message"}}. @retry_after_seconds 0: no such header. */
enum MHD_Result request_error(struct request *request, unsigned code, const char *error_code,
                              const char *message, unsigned retry_after_seconds);
/** The same for a failure of ours. */
enum MHD_Result request_fail(struct request *request, const struct error *err);
/** Queue @response and count it. */
enum MHD_Result request_queue(struct request *request, unsigned code, struct MHD_Response *response);

/** Answers by code and handler since start; calls @visit for each that is not 0. */
void request_count_each(void (*visit)(void *context, unsigned code, const char *handler, uint64_t count),
                        void *context);

#endif
