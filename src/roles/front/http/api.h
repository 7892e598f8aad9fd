/* api.h - what the handlers below /api/v1/processes share. */
#ifndef ROLES_FRONT_HTTP_API_H
#define ROLES_FRONT_HTTP_API_H

#include "roles/front/http/request.h"

/** Why there is no process with the request's pid: it has ended (410), or is not selected (404). */
enum MHD_Result api_refuse_unknown(struct request *request);

#endif
