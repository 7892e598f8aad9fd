/* params.h - the parameters of a dump's request, strictly. */
#ifndef ROLES_FRONT_HTTP_PARAMS_H
#define ROLES_FRONT_HTTP_PARAMS_H

#include "roles/front/http/request.h"

/**
 * Read all parameters of the request into *@ret (kind and pid set, all else default). STATUS_USAGE: one is
 * unknown, given twice or not a value that is allowed; the message names it and what is.
 */
enum status params_read(struct request *request, enum stream_kind kind, struct message_stream *ret,
                        struct error *err) must_check;
/** The same for a question (@kind: enum inspection_kind); its parameters go into ret->question. */
enum status params_read_inspection(struct request *request, unsigned kind, struct message_stream *ret,
                                   struct error *err) must_check;
/** STATUS_USAGE where there is any parameter. */
enum status params_none(struct request *request, struct error *err) must_check;

#endif
