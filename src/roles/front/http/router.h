/* router.h - every path in one table: pattern, methods, who may ask, handler. */
#ifndef ROLES_FRONT_HTTP_ROUTER_H
#define ROLES_FRONT_HTTP_ROUTER_H

#include "roles/front/http/request.h"

#define ROUTES_MAX 24

/** GET and HEAD, or POST and PUT. */
enum route_methods { ROUTE_GET, ROUTE_POST };
/** ROUTE_ADDRESSES: the answer gives addresses, so api.access decides. */
enum route_access { ROUTE_PUBLIC, ROUTE_ADDRESSES };

struct route {
    const char *pattern; /* "{pid}" stands for a number, "{text}" for the rest; NULL: --web.telemetry-path */
    const char *name;    /* label `handler` */
    enum route_methods methods;
    enum route_access access;
    enum MHD_Result (*handle)(struct request *request);
    unsigned inspection; /* enum inspection_kind, where handle_inspection() answers */
};

/** Find the route of request->url and set route and pid. */
void router_find(struct request *request);
/** Answer a request whose route was looked for. */
enum MHD_Result router_dispatch(struct request *request);
/** Index of a route, the name for an index, the Allow header of a route. */
size_t router_index(const struct route *route);
const char *router_name(size_t index);
const char *router_allow(const struct route *route);

#endif
