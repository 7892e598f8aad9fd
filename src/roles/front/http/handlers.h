/* handlers.h - what answers each path of the router's table. */
#ifndef ROLES_FRONT_HTTP_HANDLERS_H
#define ROLES_FRONT_HTTP_HANDLERS_H

#include "encode/exposition.h"
#include "roles/front/http/request.h"

/** Append the exposition of all results, the list of all processes. Of @request only its front is looked at.
 */
enum status render_metrics(struct request *request, enum exposition_format format, struct buffer *body,
                           struct error *err) must_check;
enum status render_processes(struct request *request, struct buffer *body, struct error *err) must_check;

/** Each answers the path of its name in the router's table, and gives what libmicrohttpd is told. */
enum MHD_Result handle_metrics(struct request *request);
enum MHD_Result handle_healthy(struct request *request);
enum MHD_Result handle_ready(struct request *request);
enum MHD_Result handle_reload(struct request *request);
enum MHD_Result handle_processes(struct request *request);
enum MHD_Result handle_process(struct request *request);
enum MHD_Result handle_chunks(struct request *request);
enum MHD_Result handle_sizes(struct request *request);
enum MHD_Result handle_arenas(struct request *request);
enum MHD_Result handle_advice(struct request *request);
enum MHD_Result handle_inspection(struct request *request);
enum MHD_Result handle_heapmap(struct request *request);
enum MHD_Result handle_page(struct request *request);

#endif
