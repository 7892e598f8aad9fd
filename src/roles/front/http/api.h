/* api.h - what the handlers below /api/v1/processes share. */
#ifndef ROLES_FRONT_HTTP_API_H
#define ROLES_FRONT_HTTP_API_H

#include "roles/front/http/request.h"

/**
 * The process with the request's pid; store_process_unref() ends it. NULL: *@ret is the answer that was
 * given, 410 where it has ended, 404 where it is not selected.
 */
struct store_process *api_find(struct request *request, enum MHD_Result *ret);

/** Answer of what is known of one process. */
typedef enum MHD_Result api_put(struct request *request, const struct store_process *process);
/** Answer by @put, for a path without parameters, once its process is found. */
enum MHD_Result api_answer(struct request *request, api_put *put);

#endif
