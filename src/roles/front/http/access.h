/* access.h - api.access: who may ask for addresses. */
#ifndef ROLES_FRONT_HTTP_ACCESS_H
#define ROLES_FRONT_HTTP_ACCESS_H

#include "roles/front/http/request.h"

/** Whether the peer came over a unix listener as root or as our own user (SO_PEERCRED, unix(7)). */
bool access_is_trusted_peer(const struct request *request);
/**
 * Whether the peer may: always where it is authenticated (such a peer, a user with its password, a verified
 * certificate); from a loopback address with `local`; anybody with `open`.
 */
bool access_allowed(const struct request *request);
/** 403 that names the setting and the way in. */
enum MHD_Result access_refuse(struct request *request);

#endif
