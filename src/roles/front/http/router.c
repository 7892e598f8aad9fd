/* router.c - the table of paths. */
#include "roles/front/http/router.h"

#include <string.h>

#include "model/question.h"
#include "roles/front/http/access.h"
#include "roles/front/http/handlers.h"

static const struct route routes[] = {
    {"/", "/", ROUTE_GET, ROUTE_PUBLIC, handle_page},
    {NULL, "/metrics", ROUTE_GET, ROUTE_PUBLIC, handle_metrics},
    {"/-/healthy", "/-/healthy", ROUTE_GET, ROUTE_PUBLIC, handle_healthy},
    {"/-/ready", "/-/ready", ROUTE_GET, ROUTE_PUBLIC, handle_ready},
    {"/-/reload", "/-/reload", ROUTE_POST, ROUTE_PUBLIC, handle_reload},
    {"/api/v1/processes", "/api/v1/processes", ROUTE_GET, ROUTE_PUBLIC, handle_processes},
    {"/api/v1/processes/{pid}", "/api/v1/processes/{pid}", ROUTE_GET, ROUTE_PUBLIC, handle_process},
    {"/api/v1/processes/{pid}/sizes", "/api/v1/processes/{pid}/sizes", ROUTE_GET, ROUTE_PUBLIC, handle_sizes},
    {"/api/v1/processes/{pid}/heapmap", "/api/v1/processes/{pid}/heapmap", ROUTE_GET, ROUTE_PUBLIC,
     handle_heapmap},
    {"/api/v1/processes/{pid}/chunks", "/api/v1/processes/{pid}/chunks", ROUTE_GET, ROUTE_ADDRESSES,
     handle_chunks},
    {"/api/v1/processes/{pid}/arenas", "/api/v1/processes/{pid}/arenas", ROUTE_GET, ROUTE_ADDRESSES,
     handle_arenas},
    {"/api/v1/processes/{pid}/advice", "/api/v1/processes/{pid}/advice", ROUTE_GET, ROUTE_PUBLIC,
     handle_advice},
#define INSPECTION(name, tail, access, kind)                                                      \
    {                                                                                             \
        "/api/v1/processes/{pid}/" name tail, "/api/v1/processes/{pid}/" name, ROUTE_GET, access, \
            handle_inspection, kind                                                               \
    }
    INSPECTION("status", "", ROUTE_PUBLIC, INSPECTION_STATUS),
    INSPECTION("maps", "", ROUTE_ADDRESSES, INSPECTION_MAPS),
    INSPECTION("symbols", "", ROUTE_ADDRESSES, INSPECTION_SYMBOLS),
    INSPECTION("address", "/{text}", ROUTE_ADDRESSES, INSPECTION_ADDRESS),
    INSPECTION("struct", "/{text}", ROUTE_ADDRESSES, INSPECTION_STRUCT),
    INSPECTION("memory", "", ROUTE_ADDRESSES, INSPECTION_MEMORY),
    INSPECTION("strings", "", ROUTE_ADDRESSES, INSPECTION_STRINGS),
    INSPECTION("search", "", ROUTE_ADDRESSES, INSPECTION_SEARCH),
#undef INSPECTION
};
#define ROUTES_COUNT (sizeof(routes) / sizeof(*routes))
_Static_assert(ROUTES_COUNT <= ROUTES_MAX, "counters have room for every route");

size_t router_index(const struct route *route)
{
    return (size_t)(route - routes);
}

const char *router_name(size_t index)
{
    return index < ROUTES_COUNT ? routes[index].name : "other";
}

const char *router_allow(const struct route *route)
{
    return route && route->methods == ROUTE_POST ? "POST, PUT" : "GET, HEAD";
}

/* A pid in decimal without sign or leading 0, as /proc names them; 0 where @text begins with none. */
static int32_t parse_pid(const char **text)
{
    int64_t pid = 0;
    if (**text == '0')
        return 0;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        pid = pid * 10 + (**text - '0');
        if (pid > INT32_MAX)
            return 0;
    }
    return (int32_t)pid;
}

/* @rest: what stands for "{text}", at the pattern's end; "" where that has none. */
static bool matches(const char *pattern, const char *url, int32_t *pid, const char **rest)
{
    const char *hole = strstr(pattern, "{pid}");
    *rest = "";
    if (!hole)
        return !strcmp(pattern, url);
    size_t length = (size_t)(hole - pattern);
    if (strncmp(pattern, url, length) != 0)
        return false;
    url += length;
    *pid = parse_pid(&url);
    const char *behind = hole + strlen("{pid}"), *text = strstr(behind, "{text}");
    if (*pid <= 0 || !text)
        return *pid > 0 && !strcmp(url, behind);
    length = (size_t)(text - behind);
    if (strncmp(behind, url, length) != 0 || !url[length])
        return false;
    *rest = url + length;
    return true;
}

void router_find(struct request *request)
{
    for (size_t i = 0; i < ROUTES_COUNT && !request->route; i++) {
        const char *pattern = routes[i].pattern ? routes[i].pattern : request->front->start.telemetry_path;
        if (matches(pattern, request->url, &request->pid, &request->rest))
            request->route = &routes[i];
    }
}

static bool method_fits(const struct request *request)
{
    if (request->route->methods == ROUTE_POST)
        return !strcmp(request->method, "POST") || !strcmp(request->method, "PUT");
    return !strcmp(request->method, "GET") || !strcmp(request->method, "HEAD");
}

enum MHD_Result router_dispatch(struct request *request)
{
    request->is_counted = true;
    if (atomic_fetch_add(&request->front->requests, 1) >= request->front->start.max_requests)
        return request_error(request, 503, "unavailable", "too many requests at once: see --web.max-requests",
                             1);
    if (!request->route)
        return request_error(request, 404, "not_found", "there is no such path", 0);
    if (!method_fits(request))
        return request_error(request, 405, "method_not_allowed", "the method is not allowed here", 0);
    if (request->route->access == ROUTE_ADDRESSES && !access_allowed(request))
        return access_refuse(request);
    return request->route->handle(request);
}
