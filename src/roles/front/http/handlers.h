/* handlers.h - what answers each path of the router's table. */
#ifndef ROLES_FRONT_HTTP_HANDLERS_H
#define ROLES_FRONT_HTTP_HANDLERS_H

#include "roles/front/http/request.h"

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
