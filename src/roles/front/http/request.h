/* request.h - one HTTP request on its way to an answer, and the ways to answer. */
#ifndef ROLES_FRONT_HTTP_REQUEST_H
#define ROLES_FRONT_HTTP_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "roles/front/http/answers.h"
#include "roles/front/http/mhd.h"
#include "roles/front/state.h"

struct connection;
struct stream;
struct route;

/** Lives from the first header until the connection lets go of it. */
struct request {
    struct front *front;
    struct MHD_Connection *connection;
    bool is_unix; /* it came over a unix listener */
    bool is_head;
    bool is_counted; /* among front->requests */
    bool is_authenticated;
    bool is_login_asked;
    atomic_uint login; /* enum login, once it was asked */
    struct login_waiter login_waiter;
    struct web_state *web;    /* of its begin; referenced */
    struct connection *place; /* its connection among all; NULL: no memory for it */
    size_t uploaded_bytes;
    const char *url;
    const char *method;
    const struct route *route; /* NULL: none matched */
    int32_t pid;               /* of {pid}; 0: not a pid */
    const char *rest;          /* of {text}; "" where the route has none */
    struct stream *stream;     /* NULL: none */
};

/** Answer with the bytes of @body, which is empty then; packed by gzip where the client takes that. */
enum MHD_Result request_reply(struct request *request, unsigned code, const char *content_type,
                              struct buffer *body);
/** Append an answer to @body. */
typedef enum status request_render(struct request *request, struct buffer *body, struct error *err);
/** Answer 200 with what @render makes, or made for another request a moment ago (answers.h). */
enum MHD_Result request_share(struct request *request, enum answer_kind kind, const char *content_type,
                              request_render *render);
/** Answer with {"error": {"code", "message"}}. @retry_after_seconds 0: no such header. */
enum MHD_Result request_error(struct request *request, unsigned code, const char *error_code,
                              const char *message, unsigned retry_after_seconds);
/** The same for a failure of ours. */
enum MHD_Result request_fail(struct request *request, const struct error *err);
/** The code of a failure as clients have it: "unavailable" for all that asking again may mend. */
const char *request_error_code(enum status status);
/** Queue @response of @bytes (a stream's: 0) with the headers that every answer has, and count it. */
enum MHD_Result request_queue(struct request *request, unsigned code, struct MHD_Response *response,
                              size_t bytes);
/** It is worked on no more: another one may be, see --web.max-requests. */
void request_uncount(struct request *request);

/** A header of the request, or NULL. */
const char *request_header(const struct request *request, const char *name);

/** Answers by code and handler since start; calls @visit for each that is not 0. */
void request_count_each(void (*visit)(void *context, unsigned code, const char *handler, uint64_t count),
                        void *context);

#endif
