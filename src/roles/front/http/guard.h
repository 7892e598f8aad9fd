/* guard.h - what the web configuration puts in front of every request: 500, 429, headers, 401. */
#ifndef ROLES_FRONT_HTTP_GUARD_H
#define ROLES_FRONT_HTTP_GUARD_H

#include "roles/front/http/request.h"

/** What a request is to do next. */
enum guard {
    GUARD_PASS,     /* go on; request->is_authenticated is set */
    GUARD_ANSWERED, /* it was refused; the result of that is in *@ret */
    GUARD_WAIT,     /* the connection is suspended until its password was checked */
};

/** To be asked before a request is served, and again after GUARD_WAIT. */
enum guard guard_check(struct request *request, enum MHD_Result *ret);

#endif
