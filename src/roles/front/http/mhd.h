/* mhd.h - libmicrohttpd, and the ends of its objects as scopes. */
#ifndef ROLES_FRONT_HTTP_MHD_H
#define ROLES_FRONT_HTTP_MHD_H

#include <microhttpd.h>

#include "base/cleanup.h"

static inline void scoped_response_run(struct MHD_Response **response)
{
    if (*response)
        MHD_destroy_response(*response);
}
/** Drop our reference at the end of the scope; initialise with NULL. */
#define scoped_response scoped(scoped_response_run)

#endif
